"""Jet images of ML4SCI in HDF5: electron/photon, quark/gluon, and the sets for self-supervised learning.

Pixels are crystals of the CMS electromagnetic barrel calorimeter. None of the files tells the units of its pixels, the
position of a jet or a licence. Masses and transverse momenta become the target `mass` and the column `jet_pt`, in GeV.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jetbench.formats.hdf5 import array, has, open_hdf5
from jetbench.formats.image_reader import Axes, Column, ImageReader, Layout, unknown_columns
from jetbench.formats.tables import HDF5Table
from jetbench.jets import Channel, Grid, Meta, Provenance

__all__ = ["JET_GRID", "ElectronPhoton", "QuarkGluon", "SelfSupervised", "quark_gluon"]

# Δη × Δφ = 0.0174 × 0.0174 (CMS Collaboration, JINST 3 (2008) S08004, sec. 4.1); jet images have the same granularity
# (Andrews et al., NIM A 977 (2020) 164304, arXiv:1902.08276, sec. 3)
CRYSTAL = 0.0174


def crystals(pixels: int) -> Grid:
    """Return the grid of pixels × pixels crystals around the axis."""
    return Grid(rows=pixels, columns=pixels, eta_extent=pixels * CRYSTAL / 2, phi_extent=pixels * CRYSTAL / 2)


JET_GRID = crystals(125)

# Both calorimeters measure the jet's momentum, each another part of it; the tracks would count charged particles again.
ECAL = Channel(name="ecal", unit="", role="pt")
HCAL = Channel(name="hcal", unit="", role="pt")


class ElectronPhoton(ImageReader):
    """`Single{Photon,Electron}Pt50_IMGCROPS_n249k_RHv1.hdf5`: `X` (N, 32, 32, 2) float32, energy and time; `y` (N,).

    The energy of a crystal is not transverse: at a fixed pT of 50 GeV the sum grows with cosh(eta), which the file does not
    tell, so its role is "energy". The magnetic field makes phi special. A file holds one class.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, HDF5Table(path, ELECTRON_PHOTON.arrays()), lambda _: ELECTRON_PHOTON)

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return _row_shape(path, "X") == (32, 32, 2) and has(path, "y")


ELECTRON_PHOTON = Layout(
    images="X",
    axes="NHWC",
    stored=("energy", "time"),
    meta=Meta(
        channels=(
            Channel(name="energy", unit="", role="energy"),
            Channel(name="time", unit="", combine="mean", weight="energy"),
        ),
        class_names=("photon", "electron"),
        grid=crystals(32),
        extent=crystals(32).eta_extent,
        isotropic=False,
        unknown=("jet_eta", "jet_phi", "jet_pt"),
        provenance=Provenance(
            source="ML4SCI electron/photon images", detector="CMS electromagnetic calorimeter, simulated", cuts=("pT = 50 GeV",)
        ),
    ),
    label="y",
)


class QuarkGluon(ImageReader):
    """`quark-gluon_data-set_n139306.hdf5`: `X_jets` (N, 125, 125, 3), in the order ECAL, HCAL, tracks; `m0`, `pt`, `y` (N,).

    The jets have their channels in the order of the parquet files. What 0 and 1 mean the file does not tell.
    """

    def __init__(self, path: Path) -> None:
        layout = quark_gluon(_present(path, "m0", "pt", "y"), "NHWC", ("ecal", "hcal", "tracks"))
        super().__init__(path, HDF5Table(path, layout.arrays()), lambda _: layout)

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return _row_shape(path, "X_jets") == (125, 125, 3)


def quark_gluon(names: set[str], axes: Axes, stored: tuple[str, ...]) -> Layout:
    """Return the layout of quark/gluon images. HDF5 and parquet files differ in the axes and in the order of the channels.
    Neither states the type of its numbers: parquet files made from lists hold float64."""
    columns: dict[Column, str] = {"jet_pt": "pt"} if "pt" in names else {}
    return Layout(
        images="X_jets",
        axes=axes,
        stored=stored,
        meta=jet_meta("ML4SCI quark/gluon images", (Channel(name="tracks", unit=""), ECAL, HCAL), columns),
        label="y" if "y" in names else None,
        targets={"mass": "m0"} if "m0" in names else {},
        columns=columns,
        cast=True,
    )


class SelfSupervised(ImageReader):
    """`Dataset_Specific_Unlabelled.h5`: `jet` (N, 125, 125, 8) float32; `Dataset_Specific_labelled*.h5`: with `Y` (N, 1), and
    some with `m` and `pT` (N, 1).

    Impact parameters are means weighted with the tracks' momenta; the pixel layers count hits. Those who use the
    files contradict each other on what 0 and 1 mean, so that the classes have no names here.
    """

    def __init__(self, path: Path) -> None:
        layout = self_supervised(_present(path, "Y", "m", "pT"))
        super().__init__(path, HDF5Table(path, layout.arrays()), lambda _: layout)

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return _row_shape(path, "jet") == (125, 125, 8)


SELF_SUPERVISED = (
    Channel(name="track_pt", unit=""),
    Channel(name="dz", unit="", combine="mean", weight="track_pt"),
    Channel(name="d0", unit="", combine="mean", weight="track_pt"),
    ECAL,
    HCAL,
    *(Channel(name=f"bpix{layer}", unit="") for layer in (1, 2, 3)),
)


def self_supervised(names: set[str]) -> Layout:
    columns: dict[Column, str] = {"jet_pt": "pT"} if "pT" in names else {}
    return Layout(
        images="jet",
        axes="NHWC",
        stored=tuple(channel.name for channel in SELF_SUPERVISED),
        meta=jet_meta("ML4SCI self-supervised learning images", SELF_SUPERVISED, columns),
        label="Y" if "Y" in names else None,
        targets={"mass": "m"} if "m" in names else {},
        columns=columns,
    )


def jet_meta(source: str, channels: tuple[Channel, ...], columns: Mapping[Column, str]) -> Meta:
    """Return the metadata of images of 125 × 125 crystals."""
    return Meta(
        channels=channels,
        grid=JET_GRID,
        extent=JET_GRID.eta_extent,
        unknown=unknown_columns(columns),
        provenance=Provenance(source=source, detector="CMS, simulated"),
    )


def _present(path: Path, *keys: str) -> set[str]:
    return {key for key in keys if has(path, key)}


def _row_shape(path: Path, key: str) -> tuple[int, ...] | None:
    """The shape of a row of a dataset in an HDF5 file; None where the file is none or has nothing there."""
    if not has(path, key):
        return None
    with open_hdf5(path) as file:
        return tuple(array(file, key, path).shape[1:])
