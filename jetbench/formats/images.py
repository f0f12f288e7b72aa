"""Dense images of any origin, described by a card."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.image_card import ImageCard
from jetbench.formats.image_reader import ImageReader, Layout, unknown_columns
from jetbench.formats.tables import HDF5Table, NpzTable, Table
from jetbench.jets import Channel, Grid, Meta

__all__ = ["Images"]


class Images(ImageReader):
    """An HDF5, npz or parquet file of images, as the card says. It is never recognised: a file does not tell its own meaning."""

    def __init__(self, path: Path, card: ImageCard) -> None:
        super().__init__(path, _open(path, card), lambda table: layout_of(card, table, path))


def _open(path: Path, card: ImageCard) -> Table:
    if card.format == "parquet":
        from jetbench.formats.parquet_table import ParquetTable

        return ParquetTable(path)
    return (HDF5Table if card.format == "hdf5" else NpzTable)(path, [card.images, *card.places()])


def layout_of(card: ImageCard, table: Table, path: Path) -> Layout:
    """Return what the card says of the file's arrays, with the grid that the images have."""
    shape = table.shape(card.images)
    if len(shape) != len(card.layout):
        raise DataFileError(f"{path}: {card.images!r} has shape {shape}, which is not of the layout {card.layout}")
    sizes = dict(zip(card.layout, shape, strict=True))
    meta = Meta(
        channels=tuple(Channel(**channel.model_dump(exclude={"signed"})) for channel in card.channels),
        class_names=card.class_names,
        grid=Grid(rows=sizes["H"], columns=sizes["W"], eta_extent=card.eta_extent, phi_extent=card.phi_extent),
        extent=max(card.eta_extent, card.phi_extent),
        isotropic=card.isotropic,
        unknown=unknown_columns(card.columns),
        provenance=card.provenance(),
    )
    return Layout(
        images=card.images,
        axes=card.layout,
        stored=tuple(channel.name for channel in card.channels),
        meta=meta,
        label=card.label,
        targets=card.targets,
        columns=card.columns,
        signed=frozenset(channel.name for channel in card.channels if channel.signed),
        cast=card.cast,
    )
