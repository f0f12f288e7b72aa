"""Arrays by key, in rows, from HDF5 and npz alike: what a card's places are read from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from jetbench.formats.hdf5 import array, open_hdf5
from jetbench.formats.npz import Archive, Member

__all__ = ["HDF5Table", "NpzTable", "Table"]


class Table(Protocol):
    """Arrays of plain numbers, by key, that are read in rows."""

    def shape(self, key: str) -> tuple[int, ...]: ...
    def row_bytes(self, key: str) -> int: ...
    def read(self, key: str, start: int, stop: int) -> np.ndarray: ...
    def close(self) -> None: ...


class HDF5Table:
    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self._file = open_hdf5(path)
        self._arrays = {key: array(self._file, key, path) for key in keys}

    def shape(self, key: str) -> tuple[int, ...]:
        return tuple(self._arrays[key].shape)

    def row_bytes(self, key: str) -> int:
        return int(self._arrays[key].dtype.itemsize) * math.prod(self.shape(key)[1:])

    def read(self, key: str, start: int, stop: int) -> np.ndarray:
        rows: np.ndarray = self._arrays[key][start:stop]
        return rows

    def close(self) -> None:
        self._file.close()


class NpzTable:
    def __init__(self, path: Path, keys: Sequence[str]) -> None:
        self._archive = Archive(path)
        self._members: dict[str, Member] = {key: self._archive.member(key) for key in keys}

    def shape(self, key: str) -> tuple[int, ...]:
        return self._members[key].shape

    def row_bytes(self, key: str) -> int:
        return self._members[key].row_bytes

    def read(self, key: str, start: int, stop: int) -> np.ndarray:
        return self._members[key].read(start, stop)

    def close(self) -> None:
        self._archive.close()
