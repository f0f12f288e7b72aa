"""JetClass: ROOT files with a tree of jets and jagged branches of their constituents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import vector

from jetbench.errors import DataFileError
from jetbench.formats.agreement import Agreement
from jetbench.formats.columns import classes_of_flags, dense, lists
from jetbench.formats.fourvectors import Constituents
from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT
from jetbench.formats.reader import Block, TableReader
from jetbench.formats.root import RootTable
from jetbench.formats.tables import Columns
from jetbench.jets import Channel, Jets, Meta, Provenance

__all__ = ["JetClass"]

MOMENTUM = {"px": "part_px", "py": "part_py", "pz": "part_pz", "energy": "part_energy"}

# the order is that of jet-universe/particle_transformer, data/JetClass/JetClass_full.yaml
CLASSES = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
LABELS = tuple(f"label_{name}" for name in CLASSES)

# lengths are in mm, as everywhere in Delphes (JHEP 02 (2014) 057), which wrote them
DISPLACEMENTS = {
    branch: Channel(name=name, unit="mm", combine="mean", weight="pt")
    for branch, name in {"part_d0val": "d0", "part_d0err": "d0_error", "part_dzval": "dz", "part_dzerr": "dz_error"}.items()
}
FLAGS = ("part_isChargedHadron", "part_isNeutralHadron", "part_isPhoton", "part_isElectron", "part_isMuon")
OPTIONAL = {**DISPLACEMENTS, "part_charge": CHARGE, **dict(zip(FLAGS, KINDS, strict=True))}
TARGETS = {"jet_sdmass": "sdmass"}  # soft drop at detector level [GeV]
CHECKS = ("jet_pt", "jet_eta", "jet_nparticles")

# Qu, Li, Qian, ICML 2022, arXiv:2202.03772, sec. 3, and zenodo.org/records/6619768
PROVENANCE = Provenance(
    source="JetClass, zenodo 6619768",
    generator="MadGraph5_aMC@NLO, Pythia 8, 13 TeV",
    detector="Delphes, CMS card",
    licence="CC-BY-4.0",
    cuts=("anti-kT R=0.8", "500 < pT < 1000 GeV", "|eta| < 2", "resonances: all decay products within ΔR < 0.8 of the axis"),
)


class JetClass(TableReader):
    """The tree `tree`, TTree or RNTuple: `part_px, part_py, part_pz, part_energy` [GeV] jagged, ten exclusive flags `label_*`;
    displacements, charge and particle kinds where the file has them.

    Angles are computed from the momenta: the file's part_deta carries the sign of the jet's eta. `jet_pt, jet_eta,
    jet_nparticles` are compared with what was read (`remarks`); `jet_sdmass` becomes the target `sdmass`.
    """

    table: RootTable

    def __init__(self, path: Path) -> None:
        super().__init__(path, RootTable(path, "tree"))
        self._agreement = Agreement()

    def _open(self) -> list[str]:
        names = self.table.names
        if missing := [name for name in (*MOMENTUM.values(), *LABELS) if name not in names]:
            raise DataFileError(f"{self.path}: the tree has no branch {', '.join(missing[:5])}; is this JetClass?")
        self._optional = {branch: channel for branch, channel in OPTIONAL.items() if branch in names}
        self._flat = [*LABELS, *(branch for branch in (*TARGETS, *CHECKS) if branch in names)]
        channels = (PT, ENERGY, *self._optional.values())
        self.meta = Meta(channels=channels, class_names=CLASSES, extent=0.8, provenance=PROVENANCE)
        return [*MOMENTUM.values(), *self._optional, *self._flat]

    def _jets(self, columns: Columns, start: int) -> Block:
        flat = {name: dense(columns[name], (), name, start, self.path) for name in self._flat}
        jagged = lists(columns, [*MOMENTUM.values(), *self._optional], start, self.path)
        momentum = vector.zip({component: jagged[branch] for component, branch in MOMENTUM.items()})
        channels = {channel.name: jagged[branch] for branch, channel in self._optional.items()}
        flags = np.column_stack([flat[name] for name in LABELS])
        targets = {
            "label": classes_of_flags(flags, start, self.path),
            **{TARGETS[name]: flat[name] for name in TARGETS if name in flat},
        }
        jets, repairs = Constituents(momentum, channels, targets).jets(self.meta, start, self.path)
        self._compare(jets, flat)
        return jets, repairs

    def _compare(self, jets: Jets, flat: dict[str, np.ndarray]) -> None:
        mine = {"jet_pt": jets.jet_pt, "jet_eta": jets.jet_eta, "jet_nparticles": np.diff(jets.offsets)}
        for name in [name for name in CHECKS if name in flat]:
            tolerance = 0 if name == "jet_nparticles" else 1e-3
            self._agreement.compare(name, mine[name], flat[name], tolerance, relative=name == "jet_pt")
        self.remarks = self._agreement.remarks()
