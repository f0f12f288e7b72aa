"""Files that make one dataset: found, opened by the reader that recognises each, and checked against one another."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError
from jetbench.formats import FormatEntry, formats
from jetbench.formats.reader import Reader
from jetbench.jets import Meta

__all__ = ["Source", "detect", "expand", "open_sources"]

READ = 1 << 22  # bytes at a time for a file's digest


@dataclass(frozen=True, eq=False)
class Source:
    """One file of a dataset, with its reader and the sha256 of its bytes."""

    path: Path
    reader: Reader
    sha256: str


def expand(patterns: Sequence[str]) -> list[Path]:
    """The files behind paths and globs, a glob's in the order of their names; raises `DataFileError` for one without a file, and
    for a file that stands there twice: its jets would count twice."""
    found: list[Path] = []
    for pattern in patterns:
        path = Path(pattern).expanduser()
        names = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
        if not (files := [name for name in names if name.is_file()]):
            raise DataFileError(f"{pattern}: there is no such file")
        found += files
    resolved = [path.resolve() for path in found]
    for i, path in enumerate(resolved):
        if path in resolved[:i]:
            raise DataFileError(f"{found[i]} is given twice; its jets would count twice")
    return found


def detect(path: Path) -> FormatEntry:
    """The one format that recognises the file's content; raises `DataFileError` where none or several do."""
    found = [entry for entry in formats if not entry.carded and entry.load().recognises(path)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(entry.name for entry in (found or formats))
    if found:
        raise DataFileError(f"{path} may be one of {names}; say which with --format")
    raise DataFileError(f"{path}: its content is of no known format ({names}); describe it with a card, or name its format")


def open_sources(
    patterns: Sequence[str], stack: ExitStack, format: str | None, card: Path | None, progress: Callable[[str, int, int], None]
) -> list[Source]:
    """Open every file; the stack closes them. Raises `DataFileError` where a file is not of its format, where two files have the
    same bytes, and where they differ in channels, grid, classes or frame; `UnknownNameError` for an unknown format."""
    paths = expand(patterns)
    sources: list[Source] = []
    for path in paths:
        reader = _reader(path, format, card)
        stack.callback(reader.close)
        sources.append(Source(path, reader, ""))
    for source in sources[1:]:
        _check_alike(sources[0], source)
    total, done = sum(path.stat().st_size for path in paths), 0
    for i, source in enumerate(sources):
        digest = hashlib.sha256()
        with open(source.path, "rb") as file:
            while block := file.read(READ):
                digest.update(block)
                done += len(block)
                progress("checking bytes", done, total)
        sources[i] = Source(source.path, source.reader, digest.hexdigest())
        for other in sources[:i]:
            if other.sha256 == sources[i].sha256:
                raise DataFileError(f"{other.path} and {source.path} are the same file; its jets would count twice")
    return sources


def _reader(path: Path, format: str | None, card: Path | None) -> Reader:
    if card is not None:
        from jetbench.formats.cards import read_card

        parsed = read_card(card)
        entry = formats[parsed.kind]
        if format not in (None, entry.name):
            raise DataFileError(f"{card} describes {entry.name}, and --format says {format!r}; leave one of them out")
        return _open(entry, path, parsed)
    if format is None:
        return _open(detect(path), path)
    entry = formats[format]
    if entry.carded:
        raise DataFileError(f"the format {format!r} needs a card that describes the file; give it with --card")
    return _open(entry, path)


def _open(entry: FormatEntry, path: Path, *card: Any) -> Reader:
    if os.path.getsize(path) == 0:
        raise DataFileError(f"{path} is empty")
    reader: Reader = entry.load()(path, *card)
    if reader.jets == 0:
        reader.close()
        raise DataFileError(f"{path} holds no jets")
    return reader


def _check_alike(first: Source, other: Source) -> None:
    for word, look in DIFFERENCES.items():
        mine, theirs = look(first.reader.meta), look(other.reader.meta)
        if mine != theirs:
            raise DataFileError(f"{first.path} and {other.path} differ in {word}: {mine} against {theirs}; convert them apart")


DIFFERENCES: dict[str, Callable[[Meta], Any]] = {
    "channels": lambda meta: ", ".join(f"{c.name} [{c.unit}]" for c in meta.channels),
    "kinds of channels": lambda meta: ", ".join(f"{c.name}: {c.combine} {c.weight or ''} {c.role}" for c in meta.channels),
    "grid": lambda meta: meta.grid,
    "frame": lambda meta: meta.extent,
    "classes": lambda meta: ", ".join(meta.class_names),
    "known columns": lambda meta: ", ".join(meta.unknown),
}
