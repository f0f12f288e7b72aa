"""The constituents and jets of a carded file, by the places that its card names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.card import ConstituentCard, split
from jetbench.formats.fourvectors import padded
from jetbench.formats.reader import BLOCK_BYTES
from jetbench.formats.tables import HDF5Table, NpzTable, Table

__all__ = ["ArraySource", "Columns", "ListSource"]

Columns = dict[str, np.ndarray]  # place: values float64, of constituents or of jets


class ListSource:
    """Constituents from list columns."""

    def __init__(self, path: Path, card: ConstituentCard) -> None:
        from jetbench.formats.parquet_lists import ParquetLists

        self._card = card
        self._lists = ParquetLists(path, card.constituent_places(), card.jet_places())
        self.jets, self.block = self._lists.rows, self._lists.block

    def read(self, start: int, stop: int) -> tuple[np.ndarray, Columns, Columns]:
        offsets, columns = self._lists.read(start, stop)
        columns = {name: column.astype(np.float64) for name, column in columns.items()}
        real = np.any([columns[place] != 0 for place in self._card.momentum.values()], axis=0)
        before = np.concatenate([[0], np.cumsum(real)])
        inner = {place: columns[place][real] for place in self._card.constituent_places()}
        return before[offsets], inner, {place: columns[place] for place in self._card.jet_places()}

    def close(self) -> None:
        self._lists.close()


class ArraySource:
    """Constituents from padded arrays, or from flat ones with a count per jet."""

    def __init__(self, path: Path, card: ConstituentCard) -> None:
        self._path, self._card = path, card
        self._inner = {split(place)[0] for place in card.constituent_places()}
        self._outer = {split(place)[0] for place in (*card.jet_places(), *([card.counts] if card.counts else []))}
        keys = sorted(self._inner | self._outer)
        self._table: Table = HDF5Table(path, keys) if card.format == "hdf5" else NpzTable(path, keys)
        self._check_places()
        inner_bytes = sum(self._table.row_bytes(key) for key in self._inner)
        outer_bytes = sum(self._table.row_bytes(key) for key in self._outer - self._inner)
        if card.counts is None:
            self.jets = self._length(self._inner | self._outer)
            self.block = max(1, BLOCK_BYTES // (inner_bytes + outer_bytes))
        else:
            self.jets = self._length(self._outer)
            self._offsets = self._count(card.counts)
            largest = int(np.diff(self._offsets).max())
            self.block = max(1, BLOCK_BYTES // (inner_bytes * max(largest, 1) + outer_bytes))

    def read(self, start: int, stop: int) -> tuple[np.ndarray, Columns, Columns]:
        card = self._card
        outer = self._columns(card.jet_places(), start, stop)
        if card.counts is not None:
            first, last = self._offsets[start], self._offsets[stop]
            return self._offsets[start : stop + 1] - first, self._columns(card.constituent_places(), first, last), outer
        inner = self._columns(card.constituent_places(), start, stop)
        real = inner[card.mask] != 0 if card.mask else np.any([inner[p] != 0 for p in card.momentum.values()], axis=0)
        offsets, _ = padded(real, real)
        return offsets, {place: column[real] for place, column in inner.items()}, outer

    def close(self) -> None:
        self._table.close()

    def _columns(self, places: Sequence[str], start: int, stop: int) -> Columns:
        """Every array is read once, though several places may lie in it."""
        rows = {key: self._table.read(key, start, stop) for key in {split(place)[0] for place in places}}
        columns = {}
        for place in places:
            key, column = split(place)
            values = rows[key] if column is None else rows[key][..., column]
            columns[place] = values.astype(np.float64)
        return columns

    def _check_places(self) -> None:
        jets = 2 if self._card.layout == "padded" else 1
        for places, ndim in ((self._card.constituent_places(), jets), ([*self._card.jet_places(), self._card.counts], 1)):
            for place in (p for p in places if p):
                key, column = split(place)
                shape = self._table.shape(key)
                if len(shape) != ndim + (column is not None) or (column is not None and column >= shape[-1]):
                    raise DataFileError(
                        f"{self._path}: {place!r} does not fit {key!r} of shape {shape}; the card says {self._card.layout}"
                    )
        widths = {self._table.shape(key)[1] for key in self._inner} if self._card.layout == "padded" else {0}
        if len(widths) > 1:
            raise DataFileError(
                f"{self._path}: the arrays of constituents have room for {sorted(widths)} of them; they must agree"
            )

    def _length(self, keys: set[str]) -> int:
        lengths = {key: self._table.shape(key)[0] for key in sorted(keys)}
        if len(set(lengths.values())) > 1:
            raise DataFileError(f"{self._path}: the arrays have different numbers of rows: {lengths}")
        return next(iter(lengths.values()))

    def _count(self, place: str) -> np.ndarray:
        """Offsets of all jets: what flat constituents cannot be read without."""
        length = self._length(self._inner)
        counts = np.zeros(self.jets, np.int64)
        step = max(1, BLOCK_BYTES // self._table.row_bytes(split(place)[0]))
        for start in range(0, self.jets, step):
            stop = min(start + step, self.jets)
            rows = self._columns([place], start, stop)[place]
            if not ((rows >= 0) & (rows <= length) & (rows == np.floor(rows))).all():
                raise DataFileError(f"{self._path}: {place!r} has values that count nothing: negative, broken or too large")
            counts[start:stop] = rows
        if counts.sum() != length:
            raise DataFileError(f"{self._path}: the counts add up to {counts.sum()} constituents, but there are {length}")
        return np.concatenate([[0], np.cumsum(counts)])
