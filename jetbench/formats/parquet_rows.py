"""Parquet files opened with care, and their rows as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jetbench.errors import DataFileError
from jetbench.jets.guard import guarded

__all__ = ["ParquetRows", "column_type", "list_depth", "open_parquet", "starts_of_groups"]


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open the file for reading. Raises `DataFileError` where it is no parquet file or its row groups do not make up its rows."""
    if not path.is_file():
        raise DataFileError(f"{path}: no such file")
    with guarded(path):
        file = pq.ParquetFile(path)
        rows, declared = np.diff(starts_of_groups(file)), file.metadata.num_rows
        # no row of an array of numbers is stored in less than a byte
        if rows.size == 0 or rows.min() < 1 or rows.sum() != declared or declared > path.stat().st_size:
            raise DataFileError(f"{path}: its row groups do not make up the {declared} rows that it declares")
    return file


def starts_of_groups(file: pq.ParquetFile) -> np.ndarray:
    """Return the first row of every row group, and at the end the number of all rows: (groups + 1,) int64."""
    groups = file.metadata
    return np.cumsum([0, *(groups.row_group(i).num_rows for i in range(groups.num_row_groups))], dtype=np.int64)


def list_depth(kind: pa.DataType) -> tuple[int, pa.DataType]:
    """Return how many lists are nested in a column's type, and the type inside them."""
    depth = 0
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        depth, kind = depth + 1, kind.value_type
    return depth, kind


def column_type(file: pq.ParquetFile, key: str, path: Path) -> tuple[int, pa.DataType]:
    """Return `list_depth` of the column `key`. Raises `DataFileError` where there is no such column of numbers."""
    schema = file.schema_arrow
    index = schema.get_field_index(key)
    if index < 0:
        names = ", ".join(schema.names[:20])
        raise DataFileError(f"{path}: no column {key!r}, or several of that name; the file has {names or 'nothing'}")
    depth, kind = list_depth(schema.field(index).type)
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        raise DataFileError(f"{path}: {key!r} holds {kind} where numbers belong")
    return depth, kind


class ParquetRows:
    """The rows of some columns. Row groups are read one after another, in batches, so that memory grows neither with the file
    nor with a row group; rising reads go on where the last one ended."""

    def __init__(self, file: pq.ParquetFile, columns: Sequence[str], path: Path) -> None:
        self._file, self._columns, self._path = file, list(columns), path
        self._starts = starts_of_groups(file)
        self._row = -1  # where the batches stand; the first read begins them
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._left: pa.RecordBatch | None = None

    def read(self, start: int, stop: int, at_once: int) -> Iterator[pa.RecordBatch]:
        """Read the rows start..stop in batches. A read that does not go on where the last one ended begins anew, in batches of
        `at_once` rows."""
        if start != self._row:
            self._rewind(start, at_once)
        while self._row < stop:
            yield self._next(stop - self._row)

    def _rewind(self, start: int, at_once: int) -> None:
        group = int(np.searchsorted(self._starts, start, "right")) - 1
        groups = range(group, self._file.num_row_groups)
        self._batches = self._file.iter_batches(at_once, groups, self._columns, use_threads=False)
        self._row, self._left = int(self._starts[group]), None
        while self._row < start:
            self._next(start - self._row)

    def _next(self, most: int) -> pa.RecordBatch:
        """At most so many of the following rows."""
        batch = self._left if self._left is not None else next(self._batches, None)
        if batch is None or not len(batch):
            names = ", ".join(self._columns)
            raise DataFileError(f"{self._path}: {names}: fewer rows than the file declares; it is truncated or damaged")
        self._left = batch.slice(most) if len(batch) > most else None
        self._row += min(len(batch), most)
        return batch.slice(0, most)
