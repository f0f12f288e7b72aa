"""Lists in parquet files: rows are as large in memory as they are, however small the file makes them."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jetbench.errors import DataFileError
from jetbench.formats import parquet
from jetbench.formats.parquet import ParquetTable
from jetbench.formats.tables import Columns


def write(path: Path, counts: list[int]) -> Path:
    """Rows of equal numbers, which parquet encodes in next to nothing."""
    lists = pa.ListArray.from_arrays(pa.array(np.cumsum([0, *counts]), pa.int32()), pa.array(np.ones(sum(counts))))
    pq.write_table(pa.table({"pt": lists, "y": np.arange(len(counts))}), path, row_group_size=7)
    return path


def offsets(columns: Columns) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(ak.num(columns["pt"]).to_numpy())])


def test_a_block_is_as_large_as_its_rows_are_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BLOCK_BYTES", 1 << 20)
    path = write(tmp_path / "a.parquet", [10_000] * 100)
    assert path.stat().st_size < 1 << 17, "or the test shows nothing"
    table = ParquetTable(path)
    assert 10 <= table.block(["pt", "y"]) <= (1 << 20) / 80_000
    for start in (0, 30, 60, 10):  # also backwards, and on from where the first look ended
        columns = next(table.blocks(["pt", "y"], start, 10))
        assert np.array_equal(np.diff(offsets(columns)), np.full(10, 10_000))
        assert np.array_equal(columns["y"].to_numpy(), np.arange(start, start + 10))
    table.close()


def test_rows_that_grow_are_an_error_before_they_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BLOCK_BYTES", 1 << 20)
    table = ParquetTable(write(tmp_path / "a.parquet", [10] * 40 + [50_000] * 40))
    assert min(table.rows, table.block(["pt", "y"])) == 80
    with pytest.raises(DataFileError, match="much larger than the first ones"):
        next(table.blocks(["pt", "y"], 0, 80))
    assert offsets(next(table.blocks(["pt", "y"], 0, 40)))[-1] == 400
    table.close()
