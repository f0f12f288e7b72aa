"""Jet images of ML4SCI: electron/photon, quark/gluon, the sets for self-supervised learning, and mass regression.

Pixels are crystals of the CMS electromagnetic barrel calorimeter. None of the files tells the units of its pixels, the
position of a jet or a licence. Masses and transverse momenta become the target `mass` and the column `jet_pt`, in GeV. Parquet
files have images as nested lists, one jet per row group.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from jetbench.errors import DataFileError
from jetbench.formats.hdf5 import HDF5Table
from jetbench.formats.image_card import ImageCard, ImageChannel
from jetbench.formats.image_reader import ImageReader
from jetbench.formats.parquet import ParquetTable

__all__ = ["ELECTRON_PHOTON", "ElectronPhoton", "MassRegression", "QuarkGluon", "QuarkGluonParquet", "SelfSupervised"]

# Δη × Δφ = 0.0174 × 0.0174 (CMS Collaboration, JINST 3 (2008) S08004, sec. 4.1); jet images have the same granularity
# (Andrews et al., NIM A 977 (2020) 164304, arXiv:1902.08276, sec. 3)
CRYSTAL = 0.0174
PIXELS = 125  # of a jet image, in rows and in columns

# Both calorimeters measure the jet's momentum, each another part of it; the tracks would count charged particles again.
ECAL = ImageChannel(name="ecal", unit="", role="pt")
HCAL = ImageChannel(name="hcal", unit="", role="pt")
TRACKS = ImageChannel(name="tracks", unit="")


def crystals(names: Collection[str], pixels: int = PIXELS, **said: Any) -> ImageCard:
    """Return a card of images of pixels × pixels crystals around the axis, which says what is `said` but for labels, targets and
    columns that are not among the names in the file."""
    extent = pixels * CRYSTAL / 2
    for kind in ("targets", "columns"):
        said[kind] = {to: key for to, key in said.get(kind, {}).items() if key in names}
    if said.get("label") not in names:
        said["label"] = None
    return ImageCard(kind="images", eta_extent=extent, phi_extent=extent, **{"detector": "CMS, simulated", **said})


class ElectronPhoton(ImageReader):
    """`Single{Photon,Electron}Pt50_IMGCROPS_n249k_RHv1.hdf5`: `X` (N, 32, 32, 2) float32, energy and time; `y` (N,).

    The energy of a crystal is not transverse: at a fixed pT of 50 GeV the sum grows with cosh(eta), which the file does not
    tell, so its role is "energy". The magnetic field makes phi special. A file holds one class.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, HDF5Table(path, ["X", "y"]), ELECTRON_PHOTON, 32)


ELECTRON_PHOTON = crystals(
    ["y"],
    32,
    source="ML4SCI electron/photon images",
    detector="CMS electromagnetic calorimeter, simulated",
    cuts=("pT = 50 GeV",),
    format="hdf5",
    images="X",
    layout="NHWC",
    channels=(
        ImageChannel(name="energy", unit="", role="energy"),
        ImageChannel(name="time", unit="", combine="mean", weight="energy"),
    ),
    label="y",
    class_names=("photon", "electron"),
    isotropic=False,
)


class QuarkGluon(ImageReader):
    """`quark-gluon_data-set_n139306.hdf5`: `X_jets` (N, 125, 125, 3), in the order ECAL, HCAL, tracks; `m0`, `pt`, `y` (N,).

    The jets have their channels in the order of the parquet files. What 0 and 1 mean the file does not tell.
    """

    def __init__(self, path: Path) -> None:
        table = HDF5Table(path, ["X_jets"], ["m0", "pt", "y"])
        card = quark_gluon(table.names, format="hdf5", layout="NHWC", channels=(ECAL, HCAL, TRACKS))
        super().__init__(path, table, card, PIXELS, ("tracks", "ecal", "hcal"))


class QuarkGluonParquet(ImageReader):
    """`QCDToGGQQ_IMGjet_RH1all_jet0_run*.parquet`: `X_jets` (3 × 125 × 125), in the order tracks, ECAL, HCAL; `m0`, `pt`, `y`.

    What 0 and 1 mean the file does not tell.
    """

    def __init__(self, path: Path) -> None:
        table = ParquetTable(path)
        card = quark_gluon(table.names, format="parquet", layout="NCHW", channels=(TRACKS, ECAL, HCAL))
        super().__init__(path, table, card, PIXELS)


def quark_gluon(names: Collection[str], **said: Any) -> ImageCard:
    """Return the card of quark/gluon images. HDF5 and parquet files differ in the axes and in the order of the channels.
    Neither states the type of its numbers: parquet files made from lists hold float64."""
    return crystals(
        names,
        source="ML4SCI quark/gluon images",
        images="X_jets",
        label="y",
        targets={"mass": "m0"},
        columns={"jet_pt": "pt"},
        cast=True,
        **said,
    )


class SelfSupervised(ImageReader):
    """`Dataset_Specific_Unlabelled.h5`: `jet` (N, 125, 125, 8) float32; `Dataset_Specific_labelled*.h5`: with `Y` (N, 1), and
    some with `m` and `pT` (N, 1).

    Impact parameters are means weighted with the tracks' momenta; the pixel layers count hits. Those who use the
    files contradict each other on what 0 and 1 mean, so that the classes have no names here.
    """

    def __init__(self, path: Path) -> None:
        table = HDF5Table(path, ["jet"], ["Y", "m", "pT"])
        card = crystals(
            table.names,
            source="ML4SCI self-supervised learning images",
            format="hdf5",
            images="jet",
            layout="NHWC",
            channels=SELF_SUPERVISED,
            label="Y",
            targets={"mass": "m"},
            columns={"jet_pt": "pT"},
        )
        super().__init__(path, table, card, PIXELS)


SELF_SUPERVISED = (
    ImageChannel(name="track_pt", unit=""),
    ImageChannel(name="dz", unit="", combine="mean", weight="track_pt"),
    ImageChannel(name="d0", unit="", combine="mean", weight="track_pt"),
    ECAL,
    HCAL,
    *(ImageChannel(name=f"bpix{layer}", unit="") for layer in (1, 2, 3)),
)


class MassRegression(ImageReader):
    """`X_jet` (channels × 125 × 125), `m`, `am` or `mass` (the target `mass`), `pt` (the column `jet_pt`); `iphi` and
    `ieta` become targets.

    How many channels there are differs between files, and none names them: they are extensive and of no role, which a remark
    says. A card of the kind `images` can say more.
    """

    def __init__(self, path: Path) -> None:
        table = ParquetTable(path)
        shape = table.shape("X_jet")
        if len(shape) != 4 or shape[2:] != (PIXELS, PIXELS):
            raise DataFileError(f"{path}: one row of 'X_jet' has shape {shape[1:]} where (channels, 125, 125) belongs")
        mass = next((key for key in ("m", "am") if key in table.names), "mass")
        card = crystals(
            table.names,
            source="ML4SCI mass regression images",
            format="parquet",
            images="X_jet",
            layout="NCHW",
            channels=tuple(ImageChannel(name=f"channel-{i}", unit="", signed=True) for i in range(shape[1])),
            targets={"mass": mass, "ieta": "ieta", "iphi": "iphi"},
            columns={"jet_pt": "pt"},
            cast=True,
        )
        super().__init__(path, table, card, PIXELS)
        self.remarks = (
            f"the file does not name its {shape[1]} channels: all are summed where pixels meet, and none counts as momentum; "
            "describe them in a card of the kind `images` where that is wrong",
        )
