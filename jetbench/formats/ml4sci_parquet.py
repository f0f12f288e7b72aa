"""Jet images of ML4SCI in parquet files: nested lists, one jet per row group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jetbench.errors import DataFileError
from jetbench.formats.image_reader import Column, ImageReader, Layout
from jetbench.formats.ml4sci import JET_GRID, jet_meta, quark_gluon
from jetbench.jets import Channel

if TYPE_CHECKING:
    from jetbench.formats.parquet_table import ParquetTable

__all__ = ["MassRegression", "QuarkGluonParquet"]


def _open(path: Path) -> ParquetTable:
    from jetbench.formats.parquet_table import ParquetTable

    return ParquetTable(path)


class QuarkGluonParquet(ImageReader):
    """`QCDToGGQQ_IMGjet_RH1all_jet0_run*.parquet`: `X_jets` (3 × 125 × 125), in the order tracks, ECAL, HCAL; `m0`, `pt`, `y`.

    What 0 and 1 mean the file does not tell.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _open(path), lambda table: quark_gluon(table.names, "NCHW", ("tracks", "ecal", "hcal")))

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return _nested(path, "X_jets") and not _nested(path, "X_jet")


class MassRegression(ImageReader):
    """`X_jet` (channels × 125 × 125), `m`, `am` or `mass` (the target `mass`), `pt` (the column `jet_pt`); `iphi` and
    `ieta` become targets.

    How many channels there are differs between files, and none names them: they are extensive and of no role, which a remark
    says. A card of the kind `images` can say more.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _open(path), lambda table: mass_regression(table, path))

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return _nested(path, "X_jet") and not _nested(path, "X_jets")


def mass_regression(table: ParquetTable, path: Path) -> Layout:
    shape = table.shape("X_jet")
    if len(shape) != 4 or shape[2:] != (JET_GRID.rows, JET_GRID.columns):
        raise DataFileError(f"{path}: one row of 'X_jet' has shape {shape[1:]} where (channels, 125, 125) belongs")
    columns: dict[Column, str] = {"jet_pt": "pt"} if "pt" in table.names else {}
    mass = next((key for key in ("m", "am", "mass") if key in table.names), None)
    positions = {key: key for key in ("ieta", "iphi") if key in table.names}
    channels = tuple(Channel(name=f"channel-{i}", unit="") for i in range(shape[1]))
    names = tuple(channel.name for channel in channels)
    return Layout(
        images="X_jet",
        axes="NCHW",
        stored=names,
        meta=jet_meta("ML4SCI mass regression images", channels, columns),
        targets=positions if mass is None else {"mass": mass, **positions},
        columns=columns,
        signed=frozenset(names),
        cast=True,
        remarks=(
            f"the file does not name its {len(names)} channels: all are summed where pixels meet, and none counts as momentum; "
            "describe them in a card of the kind `images` where that is wrong",
        ),
    )


def _nested(path: Path, key: str) -> bool:
    """Whether this is a parquet file with images (channels × rows × columns) as nested lists in the column `key`."""
    with open(path, "rb") as stream:
        if stream.read(4) != b"PAR1":
            return False
    import pyarrow.parquet as pq

    from jetbench.formats.parquet_rows import list_depth

    schema = pq.read_schema(path)
    return key in schema.names and bool(list_depth(schema.field(key).type)[0] == 3)
