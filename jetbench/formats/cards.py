"""Cards of every kind, read from YAML, and the tables that they describe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.errors import DataFileError
from jetbench.formats.card import ConstituentCard
from jetbench.formats.image_card import ImageCard
from jetbench.registry import nearest
from jetbench.strict import parse, read_yaml

if TYPE_CHECKING:
    from jetbench.formats.expressions import NamedTable
    from jetbench.formats.tables import Table

__all__ = ["open_table", "read_card"]

KINDS: dict[str, type[ConstituentCard | ImageCard]] = {"constituents": ConstituentCard, "images": ImageCard}


def read_card(path: str | Path) -> ConstituentCard | ImageCard:
    """Read the card in a YAML file strictly. Raises `DataFileError` naming file, key and the nearest valid key."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(f"{path}: no card can be read here ({error})") from error
    values = read_yaml(text, str(path), DataFileError)
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str) or values["kind"] not in KINDS:
        kind = values.get("kind", "") if isinstance(values, dict) else ""
        raise DataFileError(f"{path}: a card says in the key 'kind' what it describes; {nearest(str(kind), KINDS)}")
    return parse(KINDS[values["kind"]], values, str(path), DataFileError)


def open_table(path: Path, card: ConstituentCard | ImageCard, keys: Sequence[str]) -> Table:
    """Open a file in the format of its card. Raises `DataFileError` where it is none, or has no such columns."""
    if card.format == "hdf5":
        from jetbench.formats.hdf5 import HDF5Table

        return HDF5Table(path, keys)
    if card.format in ("npz", "npy"):
        from jetbench.formats.npz import NpyTable, NpzTable

        return (NpzTable if card.format == "npz" else NpyTable)(path, keys)
    if isinstance(card, ImageCard):
        from jetbench.formats.parquet import ParquetTable

        return ParquetTable(path, keys)
    return _lists(path, card, keys)


def _lists(path: Path, card: ConstituentCard, keys: Sequence[str]) -> Table:
    """Columns of lists, and expressions of them."""
    from jetbench.formats.expressions import ComputedTable
    from jetbench.jets.guard import guarded

    table: NamedTable
    if card.tree is None:
        from jetbench.formats.parquet import ParquetTable

        table = ParquetTable(path)
    else:
        from jetbench.formats.root import RootTable

        table = RootTable(path, card.tree)
    try:
        with guarded(path):
            return ComputedTable(table, keys, path)
    except DataFileError:
        table.close()
        raise
