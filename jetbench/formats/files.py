"""Files that make one dataset: found, opened by the reader that recognises each, and checked against one another."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError
from jetbench.formats import FormatEntry, formats
from jetbench.formats.reader import Reader
from jetbench.jets import Meta, open_jets
from jetbench.jets.foreign import refuse_unreadable
from jetbench.jets.guard import guarded
from jetbench.spec import PluginRef

__all__ = ["Patterns", "Source", "detect", "expand", "find_sources", "holds_jets"]

Patterns = str | Path | Sequence[str | Path]  # a path or glob, or several
READ = 1 << 22  # bytes at a time for a file's digest


@dataclass(frozen=True, eq=False)
class Source:
    """One file of a dataset: what its reader says of it, the sha256 of its bytes, how to open it for reading, and the plug-in of
    its format, None for a built-in one."""

    path: Path
    meta: Meta
    jets: int
    block: int
    sha256: str
    open: Callable[[], Reader]
    plugin: PluginRef | None = None


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


def detect(path: Path) -> FormatEntry:
    """Find the one format that recognises the file's content. Raises `DataFileError` where none or several do."""
    found = [entry for entry in formats if not entry.carded and entry.load().recognises(path)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(entry.name for entry in (found or formats) if not entry.carded)
    if found:
        raise DataFileError(f"{path} may be one of {names}; say which with --format")
    if holds_jets(path):
        raise DataFileError(
            f"{path} is a file of jets already; every command takes it as it is, and --unlabelled alone copies it without labels"
        )
    raise DataFileError(
        f"{path}: its content is of no known format ({names}), or damaged; --format NAME tells what is wrong with it, and a card "
        "describes a format of your own"
    )


def holds_jets(path: Path) -> bool:
    """Tell whether it is a file of jets of jetbench itself."""
    try:
        open_jets(path)
    except DataFileError:
        return False
    return True


def find_sources(
    patterns: Patterns, format: str | None, card: Path | None, progress: Callable[[str, int, int], None]
) -> list[Source]:
    """Look into every file and say how to read it.

    Raises `DataFileError` where a file is not of its format, where two files have the same bytes, and where they differ in
    channels, grid, classes or frame; `UnknownNameError` for an unknown format.
    """
    paths = expand(patterns)
    total, done = sum(path.stat().st_size for path in paths), 0
    sources: list[Source] = []
    for path in paths:
        opener, plugin = _opener(path, format, card)
        with closing(opener()) as reader:
            meta, jets, block = reader.meta, reader.jets, reader.block
        if not jets:
            raise DataFileError(f"{path} holds no jets")
        source = Source(path, meta, jets, block, _sha256(path, partial(_report, progress, done, total)), opener, plugin)
        for other in sources:
            if other.sha256 == source.sha256:
                raise DataFileError(f"{other.path} and {path} are the same file; its jets would count twice")
        if sources:
            _check_alike(sources[0], source)
        sources.append(source)
        done += path.stat().st_size
    return sources


def _report(progress: Callable[[str, int, int], None], before: int, total: int, read: int) -> None:
    progress("checking bytes", before + read, total)


def _sha256(path: Path, progress: Callable[[int], None]) -> str:
    digest, read = hashlib.sha256(), 0
    with guarded(path), open(path, "rb") as file:
        while block := file.read(READ):
            digest.update(block)
            read += len(block)
            progress(read)
    return digest.hexdigest()


def _opener(path: Path, format: str | None, card: Path | None) -> tuple[Callable[[], Reader], PluginRef | None]:
    """What opens the file in the format that is named, that its card describes, or that recognises it, and the plug-in of it."""
    refuse_unreadable(path)
    if card is not None:
        from jetbench.formats.cards import read_card

        parsed = read_card(card)
        if format not in (None, parsed.kind):
            raise DataFileError(f"{card} describes {parsed.kind}, and --format says {format!r}; leave one of them out")
        return partial(formats[parsed.kind].load(), path, parsed), None
    entry = detect(path) if format is None else formats[format]
    if entry.carded:
        raise DataFileError(f"the format {format!r} needs a card that describes the file; give it with --card")
    return partial(entry.load(), path), entry.plugin


def _check_alike(first: Source, other: Source) -> None:
    for word, look in DIFFERENCES.items():
        mine, theirs = look(first.meta), look(other.meta)
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
