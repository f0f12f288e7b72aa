"""Files of one class each that do not say which: the user or the card names the class of every file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.files import Patterns, expand
from jetbench.formats.reading import Source

__all__ = ["FileClasses", "card_classes", "given_classes", "named_class"]


@dataclass(frozen=True)
class FileClasses:
    """The names of classes, and by path the place of each file's among them. Without names, files say it themselves or nobody
    does."""

    names: tuple[str, ...] = ()
    places: Mapping[Path, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.names)


def given_classes(patterns: Mapping[str, Patterns]) -> FileClasses:
    """Settle the classes of files that stand under the name of theirs. Raises `DataFileError` where there is no such file."""
    places = {path: place for place, one in enumerate(patterns.values()) for path in expand(one)}
    return FileClasses(tuple(patterns), places)


def named_class(sources: Sequence[Source], names: Sequence[str]) -> FileClasses:
    """Settle the class of files whose readers guess theirs, or know none, by the one name that a user gives; nothing without.
    Raises `DataFileError` where these guesses are not all the same."""
    if len(names) != 1 or not all(source.guess for source in sources):
        return FileClasses()
    first = sources[0]
    for other in sources:
        if other.guess != first.guess:
            raise DataFileError(
                f"{first.path}: {first.guess}, but {other.path}: {other.guess}; --class-names {names[0]} would make one class of "
                f"them: say that of each file, --label-from-files {names[0]}=FILE …"
            )
    return FileClasses(tuple(names), {source.path: 0 for source in sources})


def card_classes(sources: Sequence[Source]) -> FileClasses:
    """Settle the classes of files by the patterns of their card for names of files; nothing without. Raises `DataFileError` for a
    file that not exactly one of these matches."""
    card = sources[0].card
    if card is None or not card.label_from_files:
        return FileClasses()
    names, places = tuple(card.label_from_files), {}
    for source in sources:
        matched = [name for name, pattern in card.label_from_files.items() if fnmatch(source.path.name, pattern)]
        if len(matched) != 1:
            found = f"those of {' and '.join(matched)}" if matched else f"none ({', '.join(card.label_from_files.values())})"
            raise DataFileError(f"{source.path}: of the card's patterns in label_from_files it matches {found}")
        places[source.path] = names.index(matched[0])
    return FileClasses(names, places)
