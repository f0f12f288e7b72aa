"""Tables that pandas has written to HDF5, read without pandas: it would unpickle what the file contains."""

from __future__ import annotations

import pickletools
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.hdf5 import array, dataset, numeric, open_hdf5, rows_per_block, text
from jetbench.jets.guard import guarded

__all__ = ["PandasTable", "plain_strings"]

# what a pickled list of strings consists of; any other instruction could call something, if it were obeyed
HARMLESS = {
    *("PROTO", "FRAME", "MARK", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "STOP"),
    *("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
}
STRINGS = {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}


def plain_strings(pickled: bytes, path: Path) -> list[str]:
    """List the strings of a pickled list of strings, taken from its instructions without obeying any.

    Raises `DataFileError` for a pickle of anything else.
    """
    found: list[str] = []
    with guarded(path):
        for code, argument, _ in pickletools.genops(pickled):
            if code.name in STRINGS:
                found.append(str(argument))
            elif code.name not in HARMLESS:
                raise DataFileError(f"{path}: the column names are no plain list of strings (instruction {code.name}); not read")
    return found


class PandasTable:
    """A frame in the layout "table" (one compound dataset, columns of a type in blocks) or "fixed" (a dataset per block).

    Column names come from the pickled attribute `values_block_i_kind` and from the arrays `blocki_items`. Raises
    `DataFileError` where the file has not exactly one frame at its top level.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._file = path, open_hdf5(path)
        with guarded(path):
            frames = [key for key in list(self._file)[:100] if self._file.get(key, getclass=True) is h5py.Group]
            tables = [key for key in frames if "table" in self._file[key]]
            fixed = [key for key in frames if "block0_values" in self._file[key]]
            if len(tables) + len(fixed) != 1:
                raise DataFileError(f"{path}: {len(tables) + len(fixed)} pandas frames where one belongs")
            # a column's place: the dataset and, in "table", its field; and the column within
            self._places: dict[str, tuple[h5py.Dataset, str | None, int | None]] = {}
            if tables:
                self._open_table(f"{tables[0]}/table")
            else:
                self._open_fixed(fixed[0])
        self._datasets = list({place[0].name: place[0] for place in self._places.values()}.values())
        if len({len(found) for found in self._datasets}) != 1:
            raise DataFileError(f"{path}: the frame has no columns, or blocks of different lengths")
        self.rows, self.block = len(self._datasets[0]), rows_per_block(self._datasets)

    @property
    def columns(self) -> set[str]:
        return set(self._places)

    def read(self, columns: Sequence[str], start: int, stop: int) -> np.ndarray:
        """Read the columns of the rows start..stop: (rows, len(columns)) float64."""
        values = np.empty((stop - start, len(columns)))
        with guarded(self.path):
            for found in self._datasets:
                rows = found[start:stop]
                for field in {self._places[name][1] for name in columns if self._places[name][0] is found}:
                    mine = [i for i, name in enumerate(columns) if self._places[name][:2] == (found, field)]
                    inside = [self._places[columns[i]][2] for i in mine]
                    block = rows if field is None else rows[field]
                    values[:, mine] = block[:, None] if inside == [None] else block[:, inside]
        return values

    def close(self) -> None:
        self._file.close()

    def _open_table(self, key: str) -> None:
        table = dataset(self._file, key, self.path)
        for field in table.dtype.names or ():
            inner, shape = table.dtype[field].base, table.dtype[field].shape
            if not field.startswith("values_block_"):
                if numeric(inner) and shape == ():
                    self._places[field] = (table, field, None)
                continue
            names = plain_strings(text(table, f"{field}_kind", self.path), self.path)
            if not numeric(inner) or shape not in ((len(names),), ()) or (shape == () and len(names) != 1):
                raise DataFileError(
                    f"{self.path}: {key!r} names {len(names)} columns of {field}, which has the type {table.dtype[field]}"
                )
            self._places |= {name: (table, field, i if shape else None) for i, name in enumerate(names)}

    def _open_fixed(self, frame: str) -> None:
        group = self._file[frame]
        for number in range(len(group)):
            if f"block{number}_values" not in group:
                break
            names = dataset(self._file, f"{frame}/block{number}_items", self.path)
            values = array(self._file, f"{frame}/block{number}_values", self.path, ndim=2)
            if names.dtype.kind != "S" or names.shape != values.shape[1:]:
                raise DataFileError(
                    f"{self.path}: block{number} of {frame!r} has names {names.dtype} {names.shape} for values {values.shape}"
                )
            self._places |= {name.decode(): (values, None, i) for i, name in enumerate(names[:])}
