"""Readers of the field's files. The table is light; the code behind a name is imported when a file is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from jetbench.plugins import OpenRegistry
from jetbench.registry import Entry

__all__ = ["FormatEntry", "formats"]


@dataclass(frozen=True)
class FormatEntry(Entry):
    """`target` names a `Reader`, or is empty for a format that is a shipped card and no code. `carded`: it needs a card of the
    user, a YAML file that says what the file's keys mean."""

    table: ClassVar[str] = "formats"

    carded: bool = False

    @property
    def shipped(self) -> bool:
        """Whether a card that is shipped says all of it."""
        return not self.target and self.plugin is None

    def load(self) -> Any:
        """Return its reader. Raises `PluginError` where that of a plug-in cannot be imported."""
        if not self.shipped:
            return super().load()
        from jetbench.formats.shipped_cards import shipped_reader

        return shipped_reader(self.name)


def _shipped(name: str, summary: str, source: str) -> FormatEntry:
    return FormatEntry(name, "", summary, source)


formats: OpenRegistry[FormatEntry] = OpenRegistry(
    "format",
    [
        _shipped("jetclass", "ROOT trees of constituents, ten classes", "zenodo 6619768; arXiv:2202.03772"),
        _shipped("top-tagging", "pandas HDF5 tables of four-vectors, top against QCD", "zenodo 2603256; arXiv:1902.09914"),
        _shipped("energyflow", "npz files of particles, quark against gluon", "zenodo 3164691; arXiv:1810.05165"),
        FormatEntry(
            "jetnet",
            "jetbench.formats.jetnet:JetNet",
            "HDF5 files of relative particles, one class each",
            "zenodo 6975118; arXiv:2106.11535",
        ),
        _shipped(
            "hls4ml",
            "HDF5 files of constituents with features of jets: gluon, light quark, W, Z, top",
            "zenodo 3602254, 3602260; arXiv:1804.06913",
        ),
        _shipped(
            "atlas-top-tagging",
            "HDF5 files of four-vectors in MeV, top against QCD, with training weights",
            "CERN Open Data 80030; arXiv:2407.20127",
        ),
        _shipped(
            "aspen-open-jets",
            "HDF5 files of the particle-flow candidates of CMS jets, without labels",
            "fdr.uni-hamburg.de/record/16505; arXiv:2412.10504",
        ),
        FormatEntry(
            "lhco",
            "jetbench.formats.lhco:LHCOlympics",
            "events of the LHC Olympics 2020, pandas HDF5 frames of particles; the two hardest jets of each",
            "zenodo 4536377; arXiv:2101.08320",
        ),
        FormatEntry(
            "constituents",
            "jetbench.formats.constituents:ConstituentTable",
            "tables of constituents in HDF5, npz, npy, parquet or ROOT, described by a card",
            carded=True,
        ),
        _shipped(
            "ml4sci-electron-photon",
            "electron and photon showers, 32 × 32 crystals, energy and time, HDF5",
            "ML4SCI, Single{Photon,Electron}Pt50_IMGCROPS_n249k_RHv1.hdf5; arXiv:1807.11916",
        ),
        _shipped(
            "ml4sci-quark-gluon",
            "quark and gluon jets, 125 × 125 pixels of tracks, ECAL and HCAL, HDF5",
            "ML4SCI, quark-gluon_data-set_n139306.hdf5; arXiv:1902.08276",
        ),
        _shipped(
            "ml4sci-quark-gluon-parquet",
            "quark and gluon jets, 125 × 125 pixels of tracks, ECAL and HCAL, parquet",
            "ML4SCI, QCDToGGQQ_IMGjet_RH1all_jet0_run*.test.snappy.parquet; arXiv:1902.08276",
        ),
        _shipped(
            "ml4sci-ssl",
            "jets for self-supervised learning, 125 × 125 pixels in 8 channels, with or without labels and masses, HDF5",
            "ML4SCI, Dataset_Specific_Unlabelled.h5, Dataset_Specific_labelled*.h5",
        ),
        FormatEntry(
            "ml4sci-mass-regression",
            "jetbench.formats.ml4sci:MassRegression",
            "jets for mass regression, 125 × 125 pixels, with mass, pt, ieta and iphi, parquet",
            "ML4SCI, end-to-end deep learning, mass regression",
        ),
        FormatEntry(
            "images",
            "jetbench.formats.image_reader:Images",
            "dense images of any origin in HDF5, npz, npy or parquet, described by a card",
            carded=True,
        ),
    ],
)
