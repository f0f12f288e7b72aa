"""Arrays by key, in rows, from HDF5, npz and parquet alike: what a card's places are read from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.hdf5 import array, open_hdf5
from jetbench.formats.npz import Archive, Member
from jetbench.formats.reader import BLOCK_BYTES, guarded

__all__ = ["HDF5Table", "NpzTable", "ParquetLists", "Table"]


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


class ParquetLists:
    """Columns of numbers and of lists of numbers of a parquet file. Rising reads go on where the last one ended."""

    def __init__(self, path: Path, lists: Sequence[str], plain: Sequence[str]) -> None:
        import pyarrow.parquet as pq

        if not path.is_file():
            raise DataFileError(f"{path}: no such file")
        self._path, self._lists, self._plain = path, list(dict.fromkeys(lists)), list(dict.fromkeys(plain))
        with guarded(path):
            self._file = pq.ParquetFile(path)
            self._check_columns()
            self._starts = np.cumsum([0, *(self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups))])
        self.rows = int(self._starts[-1])
        if self.rows < 1 or self.rows != self._file.metadata.num_rows:
            raise DataFileError(f"{path}: {self._file.metadata.num_rows} rows are declared and {self.rows} are in row groups")
        self.block = self._rows_per_block()
        self._position, self._left = -1, None

    def read(self, start: int, stop: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Offsets of the lists, and by column their content or, of a plain column, its values."""
        with guarded(self._path):
            table = self._rows(start, stop)
            columns: dict[str, np.ndarray] = {}
            offsets: np.ndarray | None = None
            for name in self._lists:
                its, columns[name] = self._unpack(table.column(name), name)
                if offsets is not None and not np.array_equal(its, offsets):
                    raise DataFileError(f"{self._path}: {name} and {self._lists[0]} have different numbers of constituents")
                offsets = its
            for name in self._plain:
                column = table.column(name)
                if column.null_count:
                    raise DataFileError(f"{self._path}: the column {name!r} has empty cells")
                columns[name] = column.to_numpy()
            assert offsets is not None
            return offsets, columns

    def close(self) -> None:
        self._file.close()

    def _check_columns(self) -> None:
        import pyarrow.types as types

        schema = self._file.schema_arrow
        for name in (*self._lists, *self._plain):
            if schema.get_field_index(name) < 0:
                raise DataFileError(f"{self._path}: no column {name!r}; the file has {', '.join(schema.names[:20])}")
            kind = schema.field(name).type
            is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
            content = kind.value_type if is_list else kind
            numbers = types.is_integer(content) or types.is_floating(content) or types.is_boolean(content)
            if is_list != (name in self._lists) or not numbers:
                raise DataFileError(f"{self._path}: the column {name!r} is of the type {kind}")

    def _rows_per_block(self) -> int:
        metadata, wanted = self._file.metadata, {*self._lists, *self._plain}
        size = 0
        for group in range(metadata.num_row_groups):
            chunks = (metadata.row_group(group).column(i) for i in range(metadata.num_columns))
            size += sum(c.total_uncompressed_size for c in chunks if c.path_in_schema.split(".")[0] in wanted)
        return max(1, min(self.rows, BLOCK_BYTES * self.rows // max(size, 1)))

    def _rows(self, start: int, stop: int) -> Any:
        import pyarrow as pa

        if start != self._position:
            group = int(np.searchsorted(self._starts, start, side="right")) - 1
            self._batches: Iterator[Any] = self._file.iter_batches(
                self.block, range(group, len(self._starts) - 1), [*self._lists, *self._plain], use_threads=False
            )
            self._position, self._left = int(self._starts[group]), None
            while self._position < start:
                self._next(min(start - self._position, self.block))
        parts = []
        while self._position < stop:
            parts.append(self._next(stop - self._position))
        return pa.Table.from_batches(parts)

    def _next(self, most: int) -> Any:
        """At most so many of the following rows."""
        batch = self._left if self._left is not None else next(self._batches, None)
        if batch is None:
            raise DataFileError(f"{self._path}: ends before its last row")
        self._left = batch.slice(most) if len(batch) > most else None
        self._position += min(len(batch), most)
        return batch.slice(0, most)

    def _unpack(self, column: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
        import pyarrow.compute as pc

        counts, content = pc.list_value_length(column), pc.list_flatten(column)
        if column.null_count or content.null_count:
            raise DataFileError(f"{self._path}: the column {name!r} has empty cells")
        return np.concatenate([[0], np.cumsum(counts.to_numpy())]), content.to_numpy()
