"""The classes of converted jets: the files say them by labels, or the user or a card names that of every file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.files import Patterns, expand
from jetbench.formats.reading import Source
from jetbench.formats.tables import first_few

__all__ = ["Classes", "FileClasses", "card_classes", "given_classes", "named_class", "settle_classes"]

MOST_CLASSES = 256  # beyond that a column is no class label; JetClass-II has 188, huggingface.co/datasets/jet-universe/jetclass2


@dataclass(frozen=True)
class Classes:
    """`names` of the classes that there are; `number` maps a label of the files to its place among them; both are empty where the
    jets have no labels."""

    names: tuple[str, ...] = ()
    number: Mapping[int, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def translate(self, labels: np.ndarray) -> np.ndarray:
        """Turn labels of the files (n,) into places in `names` (n,) int32."""
        values, inverse = np.unique(labels, return_inverse=True)
        return np.array([self.number[int(v)] for v in values], np.int32)[inverse]


def settle_classes(
    labels: Sequence[np.ndarray | None], carried: tuple[str, ...], given: tuple[str, ...], *, whole: bool = True
) -> Classes:
    """Settle what labels mean, from those of every block (n,), None where it has none, and the names of the classes: `carried` by
    the files, or `given` by the user. Of a part, which is not the `whole`, classes without jets stay: other parts may have some.

    Raises `DataFileError` where some files have labels and others none, where a label lies outside the declared classes, and
    where the user names other classes than the files do themselves.
    """
    present = [column for column in labels if column is not None]
    if not present:
        if given:
            raise DataFileError(
                "class names are given, but the files have no labels; leave them out, or say the class of each file: "
                "--label-from-files NAME=FILE …"
            )
        return Classes()
    if len(present) != len(labels):
        raise DataFileError("some of these files have labels and others have none; convert them apart, or with --unlabelled")
    counts: Counter[int] = Counter()
    for column in present:
        counts.update(dict(zip(*(x.tolist() for x in np.unique(column, return_counts=True)), strict=True)))
    names, remarks = _names(counts, carried, given)
    if not whole:
        if remarks:
            raise DataFileError("a part does not know the labels of the others: name the classes with --class-names")
        return Classes(names, {place: place for place in range(len(names))})
    found = sorted(counts)
    if len(found) == 1:
        only = names[found[0]]
        remarks.append(f"all jets are of one class, {only!r}: open the file together with those of the others, as one dataset")
    absent = [name for i, name in enumerate(names) if i not in counts]
    if absent:
        remarks.append(f"no jets of the classes {', '.join(absent)}; they are left out")
    number = {label: place for place, label in enumerate(found)}
    return Classes(tuple(names[label] for label in found), number, tuple(remarks))


def _names(counts: Counter[int], carried: tuple[str, ...], given: tuple[str, ...]) -> tuple[tuple[str, ...], list[str]]:
    if carried and given and carried != given:
        raise DataFileError(
            f"the files name their classes themselves ({', '.join(carried)}); leave --class-names out, or say the class of each "
            "file: --label-from-files NAME=FILE …"
        )
    if len(set(given)) != len(given):
        raise DataFileError(f"the class names {', '.join(given)} are not all different")
    lowest, highest = min(counts), max(counts)
    if names := carried or given:
        outside = [label for label in counts if not 0 <= label < len(names)]
        if outside:
            raise DataFileError(
                f"{counts[outside[0]]} jets have the label {outside[0]}, which is none of the {len(names)} classes "
                f"({', '.join(names)}, from 0 on)"
            )
        return names, []
    if lowest < 0 or highest >= MOST_CLASSES:
        raise DataFileError(f"labels run from {lowest} to {highest}; without class names they count from 0 to {MOST_CLASSES - 1}")
    made = tuple(f"class-{i}" for i in range(highest + 1))
    return made, [f"the files do not say what their labels mean: {first_few(made)}; name them with --class-names"]


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
