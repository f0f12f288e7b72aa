"""The columns of a parquet file as arrays: numbers, or lists of numbers nested to any depth whose rows all have one shape."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jetbench.errors import DataFileError
from jetbench.formats.reader import BLOCK_BYTES, guarded

__all__ = ["ParquetTable", "list_depth"]


def list_depth(kind: pa.DataType) -> tuple[int, pa.DataType]:
    """How many lists are nested in a column's type, and the type inside them."""
    depth = 0
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        depth, kind = depth + 1, kind.value_type
    return depth, kind


class ParquetTable:
    """The file's columns, of which one is looked at when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: dict[str, _Column] = {}
        if not path.is_file():
            raise DataFileError(f"{path}: no such file")
        with guarded(path):
            self._file = pq.ParquetFile(path)
            groups = self._file.metadata
            rows = np.array([groups.row_group(i).num_rows for i in range(groups.num_row_groups)], np.int64)
            # no row of an array of numbers is stored in less than a byte
            if rows.size == 0 or rows.min() < 1 or rows.sum() != groups.num_rows or groups.num_rows > path.stat().st_size:
                raise DataFileError(f"{path}: its row groups do not make up the {groups.num_rows} rows that it declares")
        self.names = set(self._file.schema_arrow.names)
        self._starts = np.concatenate([[0], np.cumsum(rows)])

    def shape(self, key: str) -> tuple[int, ...]:
        return (int(self._starts[-1]), *self._column(key).shape)

    def row_bytes(self, key: str) -> int:
        return self._column(key).row_bytes

    def read(self, key: str, start: int, stop: int) -> np.ndarray:
        with guarded(self._path):
            return self._column(key).read(start, stop)

    def close(self) -> None:
        self._file.close()

    def _column(self, key: str) -> _Column:
        if key not in self._columns:
            with guarded(self._path):
                self._columns[key] = _Column(self._file, self._starts, key, self._path)
        return self._columns[key]


class _Column:
    """One column, of rows of the shape that the first one has. Row groups are read one after another, so that memory grows
    neither with the file nor with a row group; rising reads go on where the last one ended."""

    def __init__(self, file: pq.ParquetFile, starts: np.ndarray, key: str, path: Path) -> None:
        self._file, self._starts, self._key, self._path = file, starts, key, path
        depth, kind = self._type()
        values = self._values_per_row()
        self.row_bytes = values * np.dtype(kind.to_pandas_dtype()).itemsize
        if self.row_bytes > BLOCK_BYTES:
            raise DataFileError(f"{path}: one row of {key!r} has {values} values, too many to read in bounded memory")
        self._rewind(0, 1)
        column = self._next(1).column(0)
        shape = []
        for _ in range(depth):
            shape.append(int(column.value_lengths()[0].as_py() or 0))
            column = column.flatten()
        if math.prod(shape) != values:
            raise DataFileError(f"{path}: the first row of {key!r} is ragged or empty, and no image of one shape")
        self.shape = tuple(shape)

    def read(self, start: int, stop: int) -> np.ndarray:
        """The rows start..stop, taken from flat buffers once every list has the length that it should."""
        if start != self._row:
            self._rewind(start, stop - start)
        parts = []
        while self._row < stop:
            parts.append(self._dense(self._next(stop - self._row).column(0)))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _type(self) -> tuple[int, pa.DataType]:
        schema = self._file.schema_arrow
        index = schema.get_field_index(self._key)
        if index < 0:
            names = ", ".join(schema.names[:20])
            raise DataFileError(
                f"{self._path}: no column {self._key!r}, or several of that name; the file has {names or 'nothing'}"
            )
        depth, kind = list_depth(schema.field(index).type)
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise DataFileError(f"{self._path}: {self._key!r} holds {kind} where numbers belong")
        return depth, kind

    def _values_per_row(self) -> int:
        """How many numbers each row has, by what the row groups declare."""
        schema, groups = self._file.schema, self._file.metadata
        paths = (schema.column(i).path for i in range(len(schema)))
        leaf = next(i for i, path in enumerate(paths) if path == self._key or path.startswith(f"{self._key}."))
        values = np.array([groups.row_group(i).column(leaf).num_values for i in range(groups.num_row_groups)], np.int64)
        rows = np.diff(self._starts)
        each = int(values[0] // rows[0])
        if each < 1 or np.any(values // rows != each) or np.any(values % rows):
            raise DataFileError(
                f"{self._path}: the rows of {self._key!r} differ in their number of values: no images of one shape"
            )
        return each

    def _rewind(self, start: int, rows: int) -> None:
        """Let the next row be `start`, and batches have so many rows at most."""
        group = int(np.searchsorted(self._starts, start, "right")) - 1
        groups = range(group, self._file.num_row_groups)
        self._batches: Iterator[Any] = self._file.iter_batches(rows, groups, [self._key], use_threads=False)
        self._left: Any = None
        self._row = int(self._starts[group])
        while self._row < start:
            self._next(start - self._row)

    def _next(self, most: int) -> Any:
        """At most so many of the following rows."""
        batch = self._left if self._left is not None else next(self._batches, None)
        if batch is None or not len(batch):
            raise DataFileError(f"{self._path}: {self._key!r} has fewer rows than the file declares; it is truncated or damaged")
        self._left = batch.slice(most) if len(batch) > most else None
        self._row += min(len(batch), most)
        return batch.slice(0, most)

    def _dense(self, column: Any) -> np.ndarray:
        n = len(column)
        for size in self.shape:
            if column.null_count or np.any(column.value_lengths().to_numpy(zero_copy_only=False) != size):
                raise DataFileError(
                    f"{self._path}: a row of {self._key!r} is missing or not of the first one's shape, {self.shape}"
                )
            column = column.flatten()
        if column.null_count:
            raise DataFileError(f"{self._path}: {self._key!r} has missing values")
        values: np.ndarray = column.to_numpy(zero_copy_only=False)
        return values.reshape(n, *self.shape)
