"""Columns of numbers and of lists of numbers in parquet files: constituents of any number per jet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jetbench.errors import DataFileError
from jetbench.formats.parquet_rows import ParquetRows, column_type, open_parquet
from jetbench.formats.reader import BLOCK_BYTES
from jetbench.jets.guard import guarded

__all__ = ["ParquetLists"]

LOOK = 32  # rows that tell how large a row is in memory: encoded, a column of equal numbers takes next to nothing
BATCHES = 16  # in a block: so that rows much larger than the first are noticed before they fill the memory
TOLERATED = 4  # times BLOCK_BYTES, of a block whose rows are larger than the first


class ParquetLists:
    """The columns `lists`, one list per jet, all of the same lengths, and `plain`, one number per jet."""

    def __init__(self, path: Path, lists: Sequence[str], plain: Sequence[str]) -> None:
        self._path, self._lists, self._plain = path, list(dict.fromkeys(lists)), list(dict.fromkeys(plain))
        self._file = open_parquet(path)
        with guarded(path):
            for name in (*self._lists, *self._plain):
                if column_type(self._file, name, path)[0] != (name in self._lists):
                    raise DataFileError(f"{path}: the column {name!r} is of the type {self._file.schema_arrow.field(name).type}")
            self.rows = int(self._file.metadata.num_rows)
            self.block = self._rows_per_block()
        self._stream = self._rows()

    def read(self, start: int, stop: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Read the offsets of the lists and, by column, their content or the values of a plain column."""
        with guarded(self._path):
            table = self._table(start, stop)
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

    def _rows(self) -> ParquetRows:
        return ParquetRows(self._file, [*self._lists, *self._plain], self._path)

    def _rows_per_block(self) -> int:
        """As many rows as fill `BLOCK_BYTES` if all are as large as the first ones, and no more than fill it by their mean size
        in the file."""
        looked, size = 0, 0
        for batch in self._rows().read(0, min(LOOK, self.rows), at_once=1):
            looked, size = looked + len(batch), size + batch.nbytes
            if size >= BLOCK_BYTES:
                break
        # of all columns together: pyarrow ends the process where the metadata of a single one are damaged
        encoded = sum(self._file.metadata.row_group(i).total_byte_size for i in range(self._file.num_row_groups))
        return max(1, min(self.rows, BLOCK_BYTES * looked // max(size, 1), BLOCK_BYTES * self.rows // max(encoded, 1)))

    def _table(self, start: int, stop: int) -> pa.Table:
        batches, size = [], 0
        for batch in self._stream.read(start, stop, at_once=-(-self.block // BATCHES)):
            batches.append(batch)
            size += batch.nbytes
            if size > TOLERATED * BLOCK_BYTES:
                raise DataFileError(
                    f"{self._path}: the rows {start} to {stop} are much larger than the first ones, too large to read in bounded "
                    "memory; put them into a file of their own"
                )
        return pa.Table.from_batches(batches)

    def _unpack(self, column: pa.ChunkedArray, name: str) -> tuple[np.ndarray, np.ndarray]:
        counts, content = pc.list_value_length(column), pc.list_flatten(column)
        if column.null_count or content.null_count:
            raise DataFileError(f"{self._path}: the column {name!r} has empty cells")
        return np.concatenate([[0], np.cumsum(counts.to_numpy())]), content.to_numpy()
