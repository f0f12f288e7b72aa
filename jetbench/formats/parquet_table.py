"""The columns of a parquet file as arrays: numbers, or lists of numbers nested to any depth whose rows all have one shape."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jetbench.errors import DataFileError
from jetbench.formats.parquet_rows import ParquetRows, column_type, open_parquet
from jetbench.formats.reader import BLOCK_BYTES
from jetbench.jets.guard import guarded

__all__ = ["ParquetTable"]


class ParquetTable:
    """The file's columns, of which one is looked at when it is first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: dict[str, _Column] = {}
        self._file = open_parquet(path)
        self.names = set(self._file.schema_arrow.names)

    def shape(self, key: str) -> tuple[int, ...]:
        return (int(self._file.metadata.num_rows), *self._column(key).shape)

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
                self._columns[key] = _Column(self._file, key, self._path)
        return self._columns[key]


class _Column:
    """One column, of rows of the shape that the first one has."""

    def __init__(self, file: pq.ParquetFile, key: str, path: Path) -> None:
        self._key, self._path = key, path
        depth, kind = column_type(file, key, path)
        # the metadata of a single column, which would tell more, end the process where they are damaged (pyarrow 25)
        first = file.metadata.row_group(0)
        if first.total_byte_size > BLOCK_BYTES * first.num_rows:
            raise DataFileError(f"{path}: its rows are too large to read in bounded memory")
        column = next(ParquetRows(file, [key], path).read(0, 1, at_once=1)).column(0)
        shape = []
        for _ in range(depth):
            shape.append(int(column.value_lengths()[0].as_py() or 0))
            column = column.flatten()
        values = math.prod(shape)
        self.row_bytes = values * np.dtype(kind.to_pandas_dtype()).itemsize
        if values != len(column) or not 0 < self.row_bytes <= BLOCK_BYTES:
            raise DataFileError(f"{path}: the first row of {key!r} is ragged, empty or too large, and no image")
        self.shape = tuple(shape)
        self._rows = ParquetRows(file, [key], path)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Read the rows start..stop, taken from flat buffers once every list has the length that it should."""
        parts = [self._dense(batch.column(0)) for batch in self._rows.read(start, stop, at_once=stop - start)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _dense(self, column: pa.Array) -> np.ndarray:
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
