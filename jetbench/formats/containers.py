"""Files of every container that a card may name, opened as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from jetbench.formats.card import ConstituentCard
from jetbench.formats.expressions import ComputedTable
from jetbench.formats.hdf5 import HDF5Table
from jetbench.formats.image_card import ImageCard
from jetbench.formats.npz import NpyTable, NpzTable
from jetbench.formats.pandas_table import PandasTable
from jetbench.formats.parquet import ParquetTable
from jetbench.formats.root import RootTable
from jetbench.formats.tables import Table, closed_on_error
from jetbench.jets.guard import guarded

__all__ = ["open_table"]

AnyCard = TypeVar("AnyCard", ConstituentCard, ImageCard)
ARRAYS: dict[str, Any] = {"hdf5": HDF5Table, "npz": NpzTable, "npy": NpyTable, "pandas": PandasTable}


def open_table(path: Path, card: AnyCard, keys: Sequence[str]) -> tuple[Table, AnyCard]:
    """Open a file in the format of its card; return with it the card without those `optional` keys that the file lacks.

    Raises `DataFileError` where it is of another format, or has no column for a key that is needed.
    """
    table: Table
    needed = [key for key in keys if key not in card.optional]
    if card.format in ARRAYS:
        table = ARRAYS[card.format](path, needed, card.optional)
    elif isinstance(card, ImageCard):
        table = ParquetTable(path)
    else:
        lists = RootTable(path, card.tree) if card.tree else ParquetTable(path, ragged=card.events is not None)
        with guarded(path), closed_on_error(lists):
            table = ComputedTable(lists, keys, card.optional, path)
    return table, card.without(set(card.optional).difference(table.names))
