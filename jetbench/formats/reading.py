"""Foreign files are opened and read in a child process: what a library does not survive there is one error here."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jetbench.errors import DataFileError, WorkerError, with_notes_of
from jetbench.formats import FormatEntry, formats
from jetbench.formats.card import Card
from jetbench.formats.guess_arrays import Look, look_at
from jetbench.formats.reader import Reader
from jetbench.formats.tables import first_few
from jetbench.jets import Jets, Meta, open_jets
from jetbench.jets.foreign import refuse_unreadable
from jetbench.jets.guard import guarded
from jetbench.processes import Function, Report, Tell, context, run_jobs

__all__ = ["File", "Part", "Source", "Stretch", "detect", "holds_jets", "look", "read", "survey"]

# what imports awkward, vector, uproot, h5py and pyarrow, once for all children
PRELOAD = ("jetbench.formats.shipped_cards",)


@dataclass(frozen=True, eq=False)
class File:
    """A file with the format that a user names and the card that describes it, or else with all formats that it may be of."""

    path: Path
    named: FormatEntry | None = None
    card: Card | None = None
    entries: tuple[FormatEntry, ...] = field(default_factory=lambda: tuple(entry for entry in formats if not entry.carded))

    def entry(self) -> FormatEntry:
        """Find its format, in the file where none is named. Raises `DataFileError` where not exactly one recognises it, and for
        what is certainly no data."""
        refuse_unreadable(self.path)
        if self.named is not None:
            return self.named
        found = [entry for entry in self.entries if entry.load().recognises(self.path)]
        if len(found) == 1:
            return found[0]
        names = first_few(entry.name for entry in found or self.entries)
        if found:
            raise DataFileError(f"{self.path} may be one of {names}; say which with --format")
        if holds_jets(self.path):
            raise DataFileError(
                f"{self.path} is a file of jets already; every command takes it as it is, and --unlabelled alone copies it "
                "without labels"
            )
        if cause := self._of_frames():
            raise DataFileError(
                f"{self.path}: pandas has written it, and no format takes it ({cause}); --format NAME asks another, and a card "
                "of `format: pandas` describes a frame of your own, of which `jetbench data convert --guess FILE` makes a draft"
            )
        raise DataFileError(
            f"{self.path}: its content is of no known format ({names}), or damaged; --format NAME tells what is wrong with it, "
            "and a card describes a format of your own, of which `jetbench data convert --guess FILE` makes a draft"
        )

    def _of_frames(self) -> str:
        """Why the formats of pandas frames do not take this file; empty for one without frames."""
        from jetbench.formats.hdf5 import has_frames, open_hdf5
        from jetbench.formats.shipped_cards import shipped_card

        frames = False
        with suppress(DataFileError), open_hdf5(self.path) as file, guarded(self.path):
            frames = has_frames(file)
        reasons = []
        for entry in self.entries if frames else ():
            if entry.shipped and shipped_card(entry.name).format == "pandas":
                try:
                    entry.load()(self.path).close()
                except DataFileError as error:
                    reasons.append(f"{entry.name}: {str(error).removeprefix(f'{self.path}: ')}")
        return "; ".join(reasons)


@dataclass(frozen=True, eq=False)
class Source:
    """One file of a dataset: its format and card, what its reader says of it, its `guess` of the classes among that, and the
    sha256 of its bytes."""

    path: Path
    entry: FormatEntry
    card: Card | None
    meta: Meta
    jets: int
    block: int
    guess: str = ""
    sha256: str = ""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Rows start:stop of a file, in whole blocks of its reader; `drop` leaves those out that cannot be jets."""

    source: Source
    start: int
    stop: int
    drop: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """A block of jets, the number of jets by repair, the number of rows left out by cause, the remarks of the reader until then,
    and its guess of the classes."""

    jets: Jets
    repaired: dict[str, int]
    dropped: dict[str, int]
    remarks: tuple[str, ...]
    guess: str


def detect(path: Path) -> FormatEntry:
    """Find the one format that recognises the file's content. Raises `DataFileError` where none or several do."""
    return formats[next(iter(_in_child(_name, [File(path)]))).value]


def look(files: Sequence[File]) -> list[Source]:
    """Open every file for a look. Raises `DataFileError` where one is not of its format."""
    return [report.value for report in _in_child(_look, files)]


def read(stretches: Sequence[Stretch]) -> Generator[tuple[Stretch, Part], None, None]:
    """Yield the blocks of every stretch in order. One block is read ahead of what the caller takes."""
    with closing(_in_child(_read, stretches)) as reports:
        for report in reports:
            if not report.done:
                yield report.job, report.value


def survey(path: Path) -> tuple[Look, str]:
    """Look at the arrays of a file of any container; return them with the name of the format that recognises it, or none. Raises
    `DataFileError` for a file that cannot be read."""
    look, known = next(iter(_in_child(_survey, [File(path)]))).value
    return look, known


def holds_jets(path: Path) -> bool:
    """Tell whether it is a file of jets of jetbench itself."""
    with suppress(DataFileError):
        open_jets(path)
        return True
    return False


def _in_child(function: Function[Any], jobs: Sequence[File | Stretch]) -> Generator[Report[Any], None, None]:
    """Raises the errors of the child as they are, and `DataFileError` where it dies."""
    context(PRELOAD)
    try:
        yield from run_jobs(function, jobs, workers=1)
    except WorkerError as error:
        if error.ended:
            file = error.job if isinstance(error.job, File) else error.job.source
            raise DataFileError(
                f"{file.path}: the process that reads it ended with {error.ended}: the file is damaged in a way that a library "
                "does not survive, or the memory is full"
            ) from error
        if error.__cause__ is None:
            raise
        raise with_notes_of(error, error.__cause__) from None


def _name(file: File, tell: Tell) -> str:
    return file.entry().name


def _survey(file: File, tell: Tell) -> tuple[Look, str]:
    found = look_at(file.path)
    with suppress(DataFileError):
        return found, file.entry().name
    return found, ""


def _look(file: File, tell: Tell) -> Source:
    entry = file.entry()
    with closing(_open(entry, file.path, file.card)) as reader:
        return Source(file.path, entry, file.card, reader.meta, reader.jets, reader.block, reader.guess)


def _read(stretch: Stretch, tell: Tell) -> None:
    source = stretch.source
    with closing(_open(source.entry, source.path, source.card)) as reader:
        reader.block, reader.drop = source.block, stretch.drop
        blocks = reader.blocks(stretch.start)
        for start in range(stretch.start, stretch.stop, source.block):
            jets, repaired = next(blocks, (None, {}))
            dropped, stop = dict(reader.dropped), min(start + source.block, stretch.stop)
            found, wanted = 0 if jets is None else len(jets), stop - start - sum(dropped.values())
            if jets is None or found != wanted:
                raise DataFileError(f"{source.path}: its reader gives {found} jets from {start} on where {wanted} belong")
            _check_rows(np.asarray(jets.event), reader.rows_of(np.arange(start, stop)), source.path)
            tell(Part(jets, repaired, dropped, tuple(reader.remarks), reader.guess))


def _check_rows(event: np.ndarray, rows: np.ndarray, path: Path) -> None:
    """Raise `DataFileError` where the event ids (n,) of jets are not among the `rows` (m,) of them and of those left out."""
    first, last = int(rows[0]), int(rows[-1])
    inside = (event >= first) & (event <= last)
    if not inside.all() or (np.bincount(event - first, minlength=last - first + 1) > np.bincount(rows - first)).any():
        raise DataFileError(f"{path}: its reader does not number the jets by their rows, {first} to {last}")


def _open(entry: FormatEntry, path: Path, card: Card | None) -> Reader:
    reader: Reader = entry.load()(path, *([card] if card else []))
    return reader
