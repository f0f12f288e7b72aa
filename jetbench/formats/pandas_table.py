"""Tables that pandas has written to HDF5, read without pandas: it would unpickle what the file contains."""

from __future__ import annotations

import itertools
import pickletools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import h5py
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.hdf5 import dataset, groups, has_frames, numeric, open_hdf5, rows_per_block, text
from jetbench.formats.tables import Columns, closed_on_error, first_few
from jetbench.jets.guard import guarded

__all__ = ["PandasTable", "plain_strings"]

# what a pickled list of strings consists of; any other instruction could call something, if it were obeyed
HARMLESS = {
    *("PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"),
    *("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
}
NUMBER = "*"  # what stands in a key for the numbers from 0 on
STRINGS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}


def plain_strings(pickled: bytes, path: Path) -> list[str]:
    """List the strings of a pickled list of strings, taken from its instructions without obeying any. Raises `DataFileError`
    for a pickle of anything else."""
    found: list[str] = []
    with guarded(path):
        for code, argument, _ in pickletools.genops(pickled):
            if code.name in STRINGS:
                found.append(str(argument))
            elif code.name not in HARMLESS:
                raise DataFileError(f"{path}: the column names are no plain list of strings (instruction {code.name}); not read")
    return found


class PandasTable:
    """A frame in the layout "table": one compound dataset, with columns of a type in blocks, whose names are in the pickled
    attributes `values_block_i_kind`.

    Columns of anything but numbers are left aside, and so are categories: what stands there is a place in a list. A key `PX_*`
    stands for the columns `PX_0`, `PX_1`, …, and is an array of a column for each. Raises `DataFileError` where the file has not
    exactly one such frame, as it has none in the layout "fixed", and where there is no column of one of the keys.
    """

    def __init__(self, path: Path, keys: Sequence[str] = (), optional: Sequence[str] = ()) -> None:
        self._path, self._file = path, open_hdf5(path)
        with guarded(path), closed_on_error(self._file):
            self._table = dataset(self._file, f"{_frame(self._file, path)}/table", path)
            # a column's place: the field of the dataset, and the column in that
            self._places: dict[str, tuple[str, int | None]] = {}
            self._categories = set[str]()
            for field in self._table.dtype.names or ():
                self._places |= self._columns_of(field)
            self.rows = len(self._table)
            self._wide = {key: list(self._numbered(key)) for key in [*keys, *optional] if NUMBER in key}
            self.names: Collection[str] = {*self._places, *(key for key, columns in self._wide.items() if columns)}
            if missing := [key for key in keys if key not in self.names]:
                self._refuse(missing)

    def _refuse(self, missing: list[str]) -> NoReturn:
        wanted = ", ".join(key.replace(NUMBER, "0") for key in missing)
        if chosen := sorted(self._categories.intersection(missing)):
            raise DataFileError(
                f"{self._path}: the columns {', '.join(chosen)} are categories, of which a frame stores places in a list; write "
                "their numbers, as frame.astype({name: int}) makes them"
            )
        raise DataFileError(f"{self._path}: no columns {wanted}; the frame has {first_few(self._places)}")

    def shape(self, key: str) -> tuple[int, ...]:
        return (self.rows, len(self._wide[key])) if key in self._wide else (self.rows,)

    def block(self, keys: Sequence[str]) -> int:
        return rows_per_block([self._table])

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        for first in range(start, self.rows, step):
            rows = self._table[first : first + step]
            yield {key: self._column(rows, key) for key in keys}

    def close(self) -> None:
        self._file.close()

    def _numbered(self, key: str) -> Iterator[str]:
        """The columns of a key that stands for several, from the number 0 on."""
        names = (key.replace(NUMBER, str(i)) for i in itertools.count())
        return itertools.takewhile(self._places.__contains__, names)

    def _column(self, rows: np.ndarray, key: str) -> np.ndarray:
        if key in self._wide:
            return np.stack([self._column(rows, name) for name in self._wide[key]], axis=1)
        field, i = self._places[key]
        column: np.ndarray = rows[field] if i is None else rows[field][:, i]
        return column

    def _columns_of(self, field: str) -> dict[str, tuple[str, int | None]]:
        inner, shape = self._table.dtype[field].base, self._table.dtype[field].shape
        if not numeric(inner):
            return {}
        of_block = field.startswith("values_block_")
        if not of_block and shape != ():
            return {}
        names = plain_strings(text(self._table, f"{field}_kind", self._path), self._path) if of_block else [field]
        if self._table.attrs.get(f"{field}_meta") == b"category":
            self._categories.update(names)
            return {}
        if shape not in ((len(names),), ()) or (shape == () and len(names) != 1):
            raise DataFileError(
                f"{self._path}: the file names {len(names)} columns of {field}, which has the type {self._table.dtype[field]}"
            )
        return {name: (field, i if shape else None) for i, name in enumerate(names)}


def _frame(file: h5py.File, path: Path) -> str:
    """The group of the one frame in the layout "table"."""
    found = list(groups(file))
    frames = [key for key in found if isinstance(file[key].get("table"), h5py.Dataset)]
    if len(frames) == 1:
        return frames[0]
    hint = ""
    if frames:
        hint = f" ({first_few(frames)}); write the one of them to a file of its own"
    elif any("block0_values" in file[key] for key in found):
        hint = "; of the layout fixed there is one: write it with format='table'"
    elif not has_frames(file):
        hint = "; pandas has not written it, and a card for this file says `format: hdf5`"
    raise DataFileError(f"{path}: {len(frames)} pandas frames where one belongs{hint}")
