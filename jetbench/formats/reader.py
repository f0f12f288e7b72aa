"""What a reader of a foreign file does: it opens the file, yields its jets in order, in blocks, and says where they disagree with
what the file says of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.columns import DROP, UNSELECTED, FaultyRowsError
from jetbench.formats.tables import Columns, Table, closed_on_error
from jetbench.jets import Jets, Meta
from jetbench.jets.guard import OWN, guarded

__all__ = ["Agreement", "Block", "Reader", "TableReader"]

Block = tuple[Jets, dict[str, int]]  # jets, and the number of jets by named repair


class Reader(ABC):
    """One file of a format, opened. Nothing that the file contains is ever executed.

    A subclass opens its file in `__init__(path)` (a carded one in `__init__(path, card)`), under `guarded`, checks names and
    shapes of what is there, and sets `meta`, `jets` (their number) and `block` (jets in a block, whose arrays in the file have
    some 64 MB, at least one; whoever wants smaller blocks lowers it).
    `remarks` are sentences for whoever converts the file, complete with the last block: above all where the jets that come out
    disagree with what the file says of them. `guess` says what tells the classes, or that nothing does, where no column can.
    `jets_per_row` is the number of jets that each row of the file gives, one after the other; they share their `event`. Where it
    differs from row to row, `rows_of` says more.
    Where `drop` is set, rows that cannot be jets are left out of a block instead of an error; `dropped` counts their jets in the
    last block by cause ("has no constituents"), with those that a card's selection leaves out.
    `meta.class_names` is empty where the file does not say what its labels mean; the labels are then whole numbers from 0 on.
    Raises `DataFileError` where the file is not what it should be. Conversion and prediction open it in a child process
    (`jetbench.formats.reading`), so that a library may crash over a damaged file.
    """

    meta: Meta
    jets: int
    block: int
    jets_per_row: int = 1
    remarks: Sequence[str] = ()
    guess: str = ""
    drop: bool = False
    dropped: Mapping[str, int] = MappingProxyType({})

    def __init_subclass__(cls) -> None:
        OWN.add(cls.__module__.partition(".")[0])

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Say whether the content, not the name alone, is safely of this format; no for whatever cannot be read."""
        with suppress(DataFileError), guarded(path):
            return cls.looks_right(path)
        return False

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        """Answer for `recognises`, where any error of the file means no. Never true of a carded format: only a card can say what
        the keys mean."""
        return False

    def rows_of(self, jets: np.ndarray) -> np.ndarray:
        """Return the rows (n,) of the file that give jets, by their numbers (n,) among all that the file gives."""
        return jets // self.jets_per_row

    @abstractmethod
    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Yield the jets of the rows from `start` on, a multiple of `block`, in the file's order: of `block` rows at a time and
        at the end of what is left, without those that are `dropped`, with `event` counting the file's rows from 0.

        With them comes the number of jets by named repair (a repair keeps every jet).
        Raises `DataFileError` with file, row and column for values that are NaN or infinite, negative energies, labels that
        are no whole numbers.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


class TableReader(Reader):
    """A reader of a file that is a table. A subclass checks it in `_open`, which returns the keys that are read and sets
    `meta`, and makes jets of a block of their columns in `_jets`.

    What is wrong with single rows `_jets` says with `jetbench.formats.columns.refuse`, before it counts anything over blocks:
    where such rows are left out, it is called again for the others, of which there may be none.
    """

    def __init__(self, path: Path, table: Table) -> None:
        self.path, self.table = path, table
        with guarded(path), closed_on_error(self):
            self._keys = self._open()
            self.jets, self.block = table.rows, max(1, min(table.rows, table.block(self._keys)))
            if self.jets > (size := path.stat().st_size):  # no jet takes less than a byte
                raise DataFileError(f"{path}: {self.jets} jets are declared in {size} bytes; the file is damaged")

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        """Say whether it can be opened; what a carded format overrides."""
        cls(path).close()  # type: ignore[call-arg]
        return True

    def blocks(self, start: int = 0) -> Iterator[Block]:
        with guarded(self.path):
            for columns in self.table.blocks(self._keys, start, self.block):
                yield self._block(columns, start)
                start += self.block
            if start < self.jets:
                raise DataFileError(f"{self.path}: it ends before jet {start} of {self.jets}; it is truncated or damaged")

    def _block(self, columns: Columns, start: int) -> Block:
        """The jets of those rows that a selection wants and, where the others are left out, that can be jets."""
        event, dropped = start + np.arange(len(next(iter(columns.values())))), Counter[str]()
        while True:
            try:
                jets, repairs = self._jets(columns, start)
                break
            except FaultyRowsError as fault:
                if fault.remedy != UNSELECTED and not (self.drop and fault.remedy == DROP):
                    raise fault.counted_by(event) from None
                dropped[fault.cause] += int(fault.faulty.sum()) * self.jets_per_row
                columns = {key: column[~fault.faulty] for key, column in columns.items()}
                event = event[~fault.faulty]
        self.dropped = dropped
        numbers = event[:, None] * self.jets_per_row + np.arange(self.jets_per_row)
        return replace(jets, event=self.rows_of(numbers.ravel())), repairs

    def close(self) -> None:
        self.table.close()

    @abstractmethod
    def _open(self) -> Sequence[str]: ...

    @abstractmethod
    def _jets(self, columns: Columns, start: int) -> Block: ...


@dataclass
class Tally:
    kind: str
    jets: int = 0
    disagreeing: int = 0
    worst: float = 0.0


class Agreement:
    """Counts, over all blocks, the jets whose computed value differs from the file's own by more than a tolerance."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def compare(self, name: str, computed: np.ndarray, stored: np.ndarray, tolerance: float, relative: bool = False) -> None:
        """Count where two columns (n,) of the quantity that the file calls `name` disagree, as any does with NaN or infinity."""
        with np.errstate(all="ignore"):
            difference = np.abs(computed.astype(np.float64) - stored)
            difference = np.nan_to_num(difference / np.abs(stored) if relative else difference, nan=np.inf)
        tally = self._tallies.setdefault(name, Tally("relative difference" if relative else "difference"))
        tally.jets += len(difference)
        tally.disagreeing += int(np.sum(difference > tolerance))
        tally.worst = max(tally.worst, float(difference.max(initial=0.0)))

    def remarks(self) -> list[str]:
        """Write a sentence for each quantity with disagreement."""
        return [
            f"{tally.disagreeing} of {tally.jets} jets disagree with the file's {name}; the largest {tally.kind} is "
            f"{tally.worst:.3g}"
            for name, tally in self._tallies.items()
            if tally.disagreeing
        ]
