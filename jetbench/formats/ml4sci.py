"""Mass regression of ML4SCI, whose channels no card can name. The other sets of ML4SCI are shipped cards."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.image_card import ImageCard, ImageChannel
from jetbench.formats.image_reader import ImageReader
from jetbench.formats.parquet import ParquetTable

__all__ = ["MassRegression"]

# jet images have the granularity of the crystals of the CMS electromagnetic barrel calorimeter, Δη × Δφ = 0.0174 × 0.0174
# (Andrews et al., NIM A 977 (2020) 164304, arXiv:1902.08276, sec. 3)
CRYSTAL = 0.0174
PIXELS = 125  # in rows and in columns


class MassRegression(ImageReader):
    """`X_jet` (channels × 125 × 125), `m`, `am` or `mass` (the target `mass`), `pt` (the column `jet_pt`); `iphi` and
    `ieta` become targets.

    How many channels there are differs between files, and none names them: they are extensive and of no role, which a remark
    says. A card of the kind `images` can say more.
    """

    def __init__(self, path: Path) -> None:
        with closing(ParquetTable(path)) as table:
            shape, mass = table.shape("X_jet"), next((key for key in ("m", "am") if key in table.names), "mass")
        if len(shape) != 4 or shape[2:] != (PIXELS, PIXELS):
            raise DataFileError(f"{path}: one row of 'X_jet' has shape {shape[1:]} where (channels, 125, 125) belongs")
        card = ImageCard(
            kind="images",
            source="ML4SCI mass regression images",
            detector="CMS, simulated",
            format="parquet",
            images="X_jet",
            layout="NCHW",
            pixels=PIXELS,
            channels=tuple(ImageChannel(name=f"channel-{i}", unit="", signed=True) for i in range(shape[1])),
            eta_extent=PIXELS * CRYSTAL / 2,
            phi_extent=PIXELS * CRYSTAL / 2,
            targets={"mass": mass, "ieta": "ieta", "iphi": "iphi"},
            columns={"jet_pt": "pt"},
            optional=(mass, "ieta", "iphi", "pt"),
            cast=True,
        )
        super().__init__(path, card)
        self.remarks = (
            f"the file does not name its {shape[1]} channels: all are summed where pixels meet, and none counts as momentum; "
            "describe them in a card of the kind `images` where that is wrong",
        )
