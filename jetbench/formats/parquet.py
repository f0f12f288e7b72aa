"""The columns of a parquet file: numbers, lists of numbers nested to any depth, and fields of records in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jetbench.errors import DataFileError
from jetbench.formats.tables import BLOCK_BYTES, TEXT, Columns, first_few
from jetbench.jets.foreign import refuse_container
from jetbench.jets.guard import guarded

__all__ = ["ParquetTable"]

LOOK = 32  # rows that tell how large a row is in memory: encoded, a column of equal numbers takes next to nothing
BATCHES = 16  # in a block: so that rows much larger than the first are noticed before they fill the memory
TOLERATED = 4  # times BLOCK_BYTES, of a block whose rows are larger than the first


class ParquetTable:
    """Columns by key, of at least one row; whoever asks for the shape of one learns whether it is there, and of numbers. A field
    of records, or of lists of them, is `column/field`. Row groups are read one after another, in batches, so that memory grows
    neither with the file nor with a row group. Where rows may be `ragged`, lists of lists of different lengths, each length in
    the shape of such a one is 0."""

    def __init__(self, path: Path, ragged: bool = False) -> None:
        self._path, self._ragged = path, ragged
        with guarded(path):
            refuse_container(path, "parquet")
            self._file = pq.ParquetFile(path)
            self.rows = int(self._file.metadata.num_rows)
            self._fields = {key: kind for field in self._file.schema_arrow for key, kind in _fields(field.name, field.type)}
            self.names: Collection[str] = set(self._fields)
            if not self.rows:
                raise DataFileError(f"{path}: it has no rows")

    def shape(self, key: str) -> tuple[int, ...]:
        try:
            with guarded(self._path):
                self._check(key)
                first = _column(next(self._batches([key], 0, 1)), key)
            return (self.rows, *ak.to_numpy(first, allow_missing=False).shape[1:])
        except ValueError as error:
            if self._ragged:
                return (self.rows, *[0] * (first.ndim - 1))
            raise DataFileError(
                f"{self._path}: the first row of {key!r} is ragged or has missing values (empty cells)"
            ) from error

    def block(self, keys: Sequence[str]) -> int:
        """Return how many rows make `BLOCK_BYTES` if all are as large as the first ones, and no more than make it by their mean
        size in the file."""
        looked, size = 0, 0
        for batch in self._batches(keys, 0, 1):
            looked, size = looked + len(batch), size + batch.nbytes
            if looked == LOOK or size > BLOCK_BYTES:
                break
        encoded = sum(self._file.metadata.row_group(i).total_byte_size for i in range(self._file.num_row_groups))
        return min(BLOCK_BYTES * looked // size, BLOCK_BYTES * self.rows // max(encoded, 1))

    def blocks(self, keys: Sequence[str], start: int, step: int) -> Iterator[Columns]:
        waiting: pa.Table | None = None
        for batch in self._batches(keys, start, -(-step // BATCHES)):
            read = pa.Table.from_batches([batch])
            waiting = read if waiting is None else pa.concat_tables([waiting, read])
            if waiting.nbytes > TOLERATED * BLOCK_BYTES:
                raise DataFileError(
                    f"{self._path}: the rows from {start} on are much larger than the first ones, too large to read in bounded "
                    "memory; put them into a file of their own"
                )
            while len(waiting) >= step:
                yield {key: _column(waiting.slice(0, step), key) for key in keys}
                waiting, start = waiting.slice(step), start + step
        if waiting is not None and len(waiting):
            yield {key: _column(waiting, key) for key in keys}

    def close(self) -> None:
        self._file.close()

    def _check(self, key: str) -> None:
        if key not in self._fields or self._file.schema_arrow.names.count(key.partition("/")[0]) > 1:
            raise DataFileError(
                f"{self._path}: no column {key!r}, or several of that name; the file has {first_few(sorted(self.names))}"
            )
        kind = _inner(self._fields[key])
        if any(is_text(getattr(kind, "value_type", kind)) for is_text in (pa.types.is_string, pa.types.is_large_string)):
            raise DataFileError(f"{self._path}: {key!r} holds {TEXT}")
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise DataFileError(f"{self._path}: {key!r} holds {kind} where numbers belong")

    def _batches(self, keys: Sequence[str], start: int, size: int) -> Iterator[pa.RecordBatch]:
        """The rows from `start` on."""
        groups = np.cumsum([0, *(self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups))])
        first = int(np.searchsorted(groups, start, "right")) - 1
        skip = start - int(groups[first])
        leaves = [self._leaf(key) for key in keys]
        for batch in self._file.iter_batches(size, range(first, self._file.num_row_groups), leaves, use_threads=False):
            if len(batch) > skip:
                yield batch.slice(skip)
            skip = max(0, skip - len(batch))

    def _leaf(self, key: str) -> str:
        """The path by which pyarrow reads a column, or one field of it."""
        if key in self._file.schema_arrow.names:
            return key
        column, *fields = key.split("/")
        for i in range(len(self._file.schema)):
            # what stands between the names of fields, such as "list.element", depends on who wrote the file
            inside = iter(self._file.schema.column(i).path.removeprefix(f"{column}.").split("."))
            if self._file.schema.column(i).path.startswith(f"{column}.") and all(name in inside for name in fields):
                return str(self._file.schema.column(i).path)
        return column


def _fields(key: str, kind: pa.DataType) -> Iterator[tuple[str, pa.DataType]]:
    """A column and, of records in it, all their fields, with the type of each."""
    yield key, kind
    inner = _inner(kind)
    if pa.types.is_struct(inner):
        for field in inner:
            yield from _fields(f"{key}/{field.name}", field.type)


def _inner(kind: pa.DataType) -> pa.DataType:
    """What lists of lists hold in the end."""
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    return kind


def _column(table: pa.Table | pa.RecordBatch, key: str) -> ak.Array:
    """A column as awkward has it, or a field of records in it."""
    if key in table.column_names:
        return ak.from_arrow(table.column(key))
    name, *fields = key.split("/")
    column = ak.from_arrow(table.column(name))
    for field in fields:
        column = column[field]
    return column
