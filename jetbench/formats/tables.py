"""Columns by key, as every container of the field has them: the one thing that readers read."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import numpy as np

__all__ = ["BLOCK_BYTES", "RAGGED", "TEXT", "ArrayTable", "Columns", "Table", "closed_on_error", "first_few", "row_bytes"]

BLOCK_BYTES = 1 << 26  # of a file's own arrays in one block: 64 MB
FEW = 10  # names in an error
File = TypeVar("File", bound=Any)
# what an array may hold instead of numbers, and what to do about it
TEXT = "text where numbers belong; write classes as 0, 1, …"
RAGGED = "rows of different lengths; write all constituents one after another with the counts of the jets, or pad with zeros"
Columns = Mapping[str, Any]  # key: numbers (n, …), an awkward array where rows are lists of different lengths


class Table(Protocol):
    """`rows` rows of columns by key; `names` are the keys that it has, at least of those that were asked for."""

    rows: int
    names: Collection[str]

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of a column; of one with rows of different lengths it is that of the first."""
        ...

    def block(self, keys: Sequence[str]) -> int:
        """Return how many rows of these columns make `BLOCK_BYTES`; none where a single one has more."""
        ...

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        """Yield the columns in order, `step` rows at a time, from row `start` on, a multiple of it."""
        ...

    def close(self) -> None: ...


class ArrayTable:
    """A table of arrays that can be sliced, each with its `shape` and `dtype`, in an open file."""

    rows: int
    names: Collection[str]
    _arrays: Mapping[str, Any]
    _file: Any

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self._arrays[key].shape)

    def read(self, key: str, start: int, stop: int) -> np.ndarray:
        """Read rows of an array."""
        rows: np.ndarray = self._arrays[key][start:stop]
        return rows.astype(rows.dtype.newbyteorder("="), copy=False)

    def row_bytes(self, key: str) -> int:
        """Return the bytes of a row of an array."""
        return row_bytes(self._arrays[key])

    def block(self, keys: Sequence[str]) -> int:
        return BLOCK_BYTES // sum(map(self.row_bytes, keys))

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for first in range(start, self.rows, step):
            yield {key: self.read(key, first, min(first + step, self.rows)) for key in keys}

    def close(self) -> None:
        self._file.close()


@contextmanager
def closed_on_error(file: File) -> Iterator[File]:
    """Close a file, or what reads it, where opening it goes on to fail; otherwise it stays open."""
    try:
        yield file
    except BaseException:
        file.close()
        raise


def row_bytes(array: Any) -> int:
    """Return the bytes of a row of an array with `shape` and `dtype`."""
    return int(array.dtype.itemsize * math.prod(array.shape[1:]))


def first_few(names: Iterable[object]) -> str:
    """List the first of the names that a file has, for an error."""
    every = [str(name) for name in names]  # those of HDF5 are bytes where they are no text
    return (", ".join(every[:FEW]) or "nothing") + (f" and {len(every) - FEW} more" if len(every) > FEW else "")
