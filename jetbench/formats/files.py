"""Files that make one dataset: found, looked at by the reader that recognises each, and checked against one another."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError
from jetbench.formats import FormatEntry, formats
from jetbench.formats.card import Card
from jetbench.formats.reading import File, Source, look
from jetbench.jets import Meta
from jetbench.jets.guard import guarded

__all__ = ["Patterns", "Progress", "expand", "find_sources"]

Progress = Callable[[str, int, int], None]  # what is done, how much of it, and of how much
Patterns = str | Path | Sequence[str | Path]  # a path or glob, or several
READ = 1 << 22  # bytes at a time for a file's digest
DIFFERENCES: dict[str, Callable[[Meta], Any]] = {
    "channels": lambda meta: ", ".join(f"{c.name} [{c.unit}]" for c in meta.channels),
    "kinds of channels": lambda meta: ", ".join(f"{c.name}: {c.combine} {c.weight or ''} {c.role}" for c in meta.channels),
    "grid": lambda meta: meta.grid,
    "frame": lambda meta: meta.extent,
    "classes": lambda meta: ", ".join(meta.class_names),
    "known columns": lambda meta: ", ".join(meta.unknown),
}


def expand(patterns: Patterns) -> list[Path]:
    """List the files behind paths and globs, a glob's in the order of their names. Raises `DataFileError` for one without a
    file, and for a file that stands there twice: its jets would count twice."""
    found: list[Path] = []
    for pattern in [patterns] if isinstance(patterns, str | Path) else patterns:
        path = Path(pattern).expanduser()
        names = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
        if not (files := [name for name in names if name.is_file()]):
            what = "a folder; name the files in it, as in DIR/*.h5" if path.is_dir() else "there is no such file"
            raise DataFileError(f"{pattern}: {what}")
        found += files
    resolved = [path.resolve() for path in found]
    for i, path in enumerate(resolved):
        if path in resolved[:i]:
            raise DataFileError(f"{found[i]} is given twice; its jets would count twice")
    return found


def find_sources(patterns: Patterns, format: str | None, card: Path | None, progress: Progress) -> list[Source]:
    """Look into every file and say how to read it.

    Raises `DataFileError` where a file is not of its format, where two files have the same bytes, and where they differ in
    channels, grid, classes or frame; `UnknownNameError` for an unknown format.
    """
    named, parsed = _format(format, card)
    paths = expand(patterns)
    total, done = sum(path.stat().st_size for path in paths), 0
    sources: list[Source] = []
    for path, found in zip(paths, look([File(path, named, parsed) for path in paths]), strict=True):
        if not found.jets:
            raise DataFileError(f"{path} holds no jets")
        source = replace(found, sha256=_sha256(path, done, total, progress))
        for earlier in sources:
            if earlier.sha256 == source.sha256:
                raise DataFileError(f"{earlier.path} and {path} are the same file; its jets would count twice")
        sources.append(source)
        for word, part_of in DIFFERENCES.items():
            if (first := part_of(sources[0].meta)) != (other := part_of(source.meta)):
                raise DataFileError(f"{paths[0]} and {path} differ in {word}: {first} against {other}; convert them apart")
        done += path.stat().st_size
    return sources


def _sha256(path: Path, done: int, total: int, progress: Progress) -> str:
    digest = hashlib.sha256()
    with guarded(path), open(path, "rb") as file:
        while block := file.read(READ):
            digest.update(block)
            done += len(block)
            progress("checking bytes", done, total)
    return digest.hexdigest()


def _format(format: str | None, card: Path | None) -> tuple[FormatEntry | None, Card | None]:
    """The format that is named, or that the card describes, and the card."""
    if card is not None:
        from jetbench.formats.cards import read_card

        parsed = read_card(card)
        if format not in (None, parsed.kind):
            raise DataFileError(f"{card} describes {parsed.kind}, and --format says {format!r}; leave one of them out")
        return formats[parsed.kind], parsed
    if format is not None and formats[format].carded:
        raise DataFileError(f"the format {format!r} needs a card that describes the file; give it with --card")
    return None if format is None else formats[format], None
