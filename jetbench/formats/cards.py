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
    from jetbench.formats.tables import Table

__all__ = ["open_table", "parse_card", "read_card"]

KINDS: dict[str, type[ConstituentCard | ImageCard]] = {"constituents": ConstituentCard, "images": ImageCard}


def read_card(path: str | Path) -> ConstituentCard | ImageCard:
    """Read the card in a YAML file strictly. Raises `DataFileError` naming file, key and the nearest valid key."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        byte, line = error.object[error.start], error.object.count(b"\n", 0, error.start) + 1
        raise DataFileError(f"{path}: its text is not UTF-8 (byte {byte:#x} on line {line}); save it as UTF-8") from error
    except OSError as error:
        raise DataFileError(f"{path}: no card can be read here ({error})") from error
    return parse_card(text, str(path))


def parse_card(text: str, where: str) -> ConstituentCard | ImageCard:
    """Read the text of a card, as `read_card` does, which is from `where`."""
    values = read_yaml(text, where, DataFileError)
    if not isinstance(values, dict) or not isinstance(values.get("kind"), str) or values["kind"] not in KINDS:
        kind = values.get("kind", "") if isinstance(values, dict) else ""
        raise DataFileError(f"{where}: a card says in the key 'kind' what it describes; {nearest(str(kind), KINDS)}")
    return parse(KINDS[values["kind"]], values, where, DataFileError)


def open_table(path: Path, card: ConstituentCard | ImageCard, keys: Sequence[str]) -> Table:
    """Open a file in the format of its card. Raises `DataFileError` where it is none, or has no such columns, but for those that
    are `optional` in the card."""
    needed, optional = [key for key in keys if key not in card.optional], card.optional
    if card.format == "hdf5":
        from jetbench.formats.hdf5 import HDF5Table

        return HDF5Table(path, needed, optional)
    if card.format == "npz":
        from jetbench.formats.npz import NpzTable

        return NpzTable(path, needed, optional)
    if card.format == "npy":
        from jetbench.formats.npz import NpyTable

        return NpyTable(path, needed)
    if card.format == "pandas":
        from jetbench.formats.pandas_table import PandasTable

        return PandasTable(path, needed, optional)
    if isinstance(card, ImageCard):
        from jetbench.formats.parquet import ParquetTable

        return ParquetTable(path, needed)
    return _lists(path, card, keys)


def _lists(path: Path, card: ConstituentCard, keys: Sequence[str]) -> Table:
    """Columns of lists, and expressions of them."""
    from jetbench.formats.expressions import ComputedTable
    from jetbench.jets.guard import guarded

    table: Table
    if card.tree is None:
        from jetbench.formats.parquet import ParquetTable

        table = ParquetTable(path, ragged=card.events is not None)
    else:
        from jetbench.formats.root import RootTable

        table = RootTable(path, card.tree)
    try:
        with guarded(path):
            return ComputedTable(table, keys, card.optional, path)
    except DataFileError:
        table.close()
        raise
