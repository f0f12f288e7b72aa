"""JetClass: ROOT files with a tree of jets and jagged branches of their constituents."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from uproot.interpretation.jagged import AsJagged
from uproot.interpretation.numerical import AsDtype

from jetbench.errors import DataFileError
from jetbench.formats.agreement import Agreement
from jetbench.formats.fourvectors import Constituents
from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT
from jetbench.formats.reader import BLOCK_BYTES, Reader
from jetbench.jets import Channel, Jets, Meta, Provenance
from jetbench.jets.guard import guarded

__all__ = ["JetClass"]

MAGIC = b"root"
MOMENTUM = ("part_px", "part_py", "part_pz", "part_energy")

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


class PlainFile(uproot.ReadOnlyFile):
    """A ROOT file whose own description of its classes is not used: uproot would generate code from it and run it."""

    @property
    def streamers(self) -> Any:
        raise ValueError("the file's classes are not those of a plain tree of numbers")


class JetClass(Reader):
    """The tree `tree`: `part_px, part_py, part_pz, part_energy` [GeV] jagged, ten exclusive flags `label_*`; displacements,
    charge and particle kinds where the file has them.

    Angles are computed from the momenta: the file's part_deta carries the sign of the jet's eta. `jet_pt, jet_eta,
    jet_nparticles` are compared with what was read (`remarks`); `jet_sdmass` becomes the target `sdmass`.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DataFileError(f"{path}: no such file")
        self.path = path
        with guarded(path), contextlib.ExitStack() as closing:
            # an open file, because uproot takes a name for an address: "x.root:tree", "http:…"
            self._stream = closing.enter_context(open(path, "rb"))
            self._tree = _open_tree(self._stream)
            names = {name.split("/")[-1] for name in self._tree.keys(recursive=False)}
            missing = [name for name in (*MOMENTUM, *LABELS) if name not in names]
            if missing:
                raise DataFileError(f"{path}: the tree has no branch {', '.join(missing[:5])}; is this JetClass?")
            self._optional = {branch: channel for branch, channel in OPTIONAL.items() if branch in names}
            self._targets = [branch for branch in TARGETS if branch in names]
            self._checks = [branch for branch in CHECKS if branch in names]
            self._jagged = [*MOMENTUM, *self._optional]
            self._flat = [*LABELS, *self._targets, *self._checks]
            self._check_branches()
            self.jets = int(self._tree.num_entries)
            size = sum(self._tree[name].uncompressed_bytes for name in (*self._jagged, *self._flat))
            self.block = max(1, min(self.jets, BLOCK_BYTES * self.jets // max(size, 1)))
            closing.pop_all()  # all is well: close() will do it
        channels = (PT, ENERGY, *self._optional.values())
        self.meta = Meta(channels=channels, class_names=CLASSES, extent=0.8, provenance=PROVENANCE)
        self._agreement = Agreement()

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        with open(path, "rb") as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                return False
        cls(path).close()
        return True

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        with guarded(self.path):
            flat = {name: self._column(name, start, stop) for name in self._flat}
            offsets, first = self._ragged(MOMENTUM[0], start, stop)
            jagged = {MOMENTUM[0]: first}
            for name in self._jagged[1:]:
                its, jagged[name] = self._ragged(name, start, stop)
                if not np.array_equal(its, offsets):
                    raise DataFileError(f"{self.path}: {name} and {MOMENTUM[0]} have different numbers of constituents")
            momentum = np.column_stack([jagged[name] for name in MOMENTUM]).astype(np.float64)
            channels = {channel.name: jagged[branch] for branch, channel in self._optional.items()}
            targets = {"label": self._labels(flat, start), **{TARGETS[name]: flat[name] for name in self._targets}}
            jets, repairs = Constituents(offsets, momentum, channels, targets).jets(self.meta, start, self.path)
            self._compare(jets, flat)
            return jets, repairs

    def close(self) -> None:
        self._stream.close()

    def _check_branches(self) -> None:
        # momenta hardly compress: a jet takes many bytes
        if self._tree.num_entries > (size := self.path.stat().st_size):
            raise DataFileError(f"{self.path}: {self._tree.num_entries} jets are declared in {size} bytes; the file is damaged")
        for name in (*self._jagged, *self._flat):
            branch = self._tree[name]
            jagged = isinstance(branch.interpretation, AsJagged)
            content = branch.interpretation.content if jagged else branch.interpretation
            plain = isinstance(content, AsDtype) and content.to_dtype.kind in "iufb" and not content.to_dtype.shape
            if not plain or jagged != (name in self._jagged):
                raise DataFileError(f"{self.path}: the branch {name} is of the type {branch.typename}")
            if branch.num_entries != self._tree.num_entries or not branch.num_entries:
                raise DataFileError(
                    f"{self.path}: the branch {name} has {branch.num_entries} jets, the tree {self._tree.num_entries}"
                )

    def _column(self, name: str, start: int, stop: int) -> np.ndarray:
        column: np.ndarray = self._tree[name].array(entry_start=start, entry_stop=stop, library="np")
        if len(column) != stop - start:
            raise DataFileError(f"{self.path}: the branch {name} ends before jet {stop}")
        return column

    def _ragged(self, name: str, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        layout = self._tree[name].array(entry_start=start, entry_stop=stop).layout
        offsets, content = np.asarray(layout.offsets), np.asarray(layout.content.data)
        if len(offsets) != stop - start + 1 or (np.diff(offsets) < 0).any() or offsets[-1] > len(content):
            raise DataFileError(f"{self.path}: the branch {name} ends before jet {stop}, or its offsets are damaged")
        return offsets - offsets[0], content[offsets[0] : offsets[-1]]

    def _labels(self, flat: dict[str, np.ndarray], start: int) -> np.ndarray:
        flags = np.column_stack([flat[name] for name in LABELS]).astype(np.float64)
        exclusive = ((flags == 0) | (flags == 1)).all(axis=1) & (flags.sum(axis=1) == 1)
        if not exclusive.all():
            raise DataFileError(f"{self.path}: of the labels of jet {start + int((~exclusive).argmax())} not exactly one is set")
        return flags.argmax(axis=1).astype(np.int32)

    def _compare(self, jets: Jets, flat: dict[str, np.ndarray]) -> None:
        mine = {"jet_pt": jets.jet_pt, "jet_eta": jets.jet_eta, "jet_nparticles": np.diff(jets.offsets)}
        for name in self._checks:
            tolerance = 0 if name == "jet_nparticles" else 1e-3
            self._agreement.compare(name, mine[name], flat[name], tolerance, relative=name == "jet_pt")
        self.remarks = self._agreement.remarks()


def _open_tree(stream: Any) -> Any:
    file = PlainFile(stream, object_cache=None, array_cache=None, use_threads=False)
    if file.fEND > (size := stream.seek(0, os.SEEK_END)):
        raise ValueError(f"{file.fEND} bytes are declared, {size} are there")
    trees = file.root_directory.classnames(recursive=False, cycle=False)
    if trees.get("tree") != "TTree":
        raise ValueError(f"no tree named 'tree' among {', '.join(trees) or 'nothing'}")
    return file.root_directory["tree"]
