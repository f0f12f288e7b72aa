"""Quark and gluon jets of EnergyFlow: npz files of particles as (pT, rapidity, azimuth, PDG number)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.columns import labels, refuse
from jetbench.formats.fourvectors import Constituents, padded, with_rapidity
from jetbench.formats.npz import NpzTable
from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT, identify
from jetbench.formats.reader import Block, TableReader
from jetbench.formats.tables import Columns
from jetbench.jets import Meta, Provenance

__all__ = ["EnergyFlow"]

FEATURES = 4  # pt, y, phi, pid
UNKNOWN = "particles of an unknown PDG number taken as massless and neutral"

# energyflow.network/docs/datasets, section "Quark and Gluon Jets"; licence: CC-BY-4.0 (zenodo.org/records/3164691)
META = Meta(
    channels=(PT, ENERGY, CHARGE, *KINDS),
    class_names=("gluon", "quark"),
    extent=0.4,
    provenance=Provenance(
        source="EnergyFlow quark and gluon jets, zenodo 3164691 (Pythia) or 3066475 (Herwig)",
        generator="Pythia 8.226 (8.235 with b and c quarks) or Herwig 7.1.4: q qbar → Z g and q g → Z q, Z → ν ν, 14 TeV, MPI on",
        detector="none",
        licence="CC-BY-4.0",
        cuts=("anti-kT R=0.4", "500 < pT < 550 GeV", "|y| < 1.7"),
    ),
)


class EnergyFlow(TableReader):
    """`QG_jets*.npz` and `QG_jets_withbc_*.npz`: `X` (N, M, 4), zero-padded, and `y` (N,): quark 1, gluon 0.

    The second column is the rapidity; masses follow from the PDG numbers, and the pseudorapidity from both.
    """

    meta = META

    def __init__(self, path: Path) -> None:
        super().__init__(path, NpzTable(path, ["X", "y"]))

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        with closing(cls(path)) as reader:
            first = next(reader.table.blocks(["X"], 0, 10))["X"]
        pid = first[..., 3][first.any(axis=2)]
        return (
            len(pid) > 0 and bool(np.isfinite(first).all()) and bool(identify(pid)[2].all()) and bool((first[..., 0] >= 0).all())
        )

    def _open(self) -> list[str]:
        x, y = self.table.shape("X"), self.table.shape("y")
        if len(x) != 3 or x[2] != FEATURES or y != x[:1]:
            raise DataFileError(f"{self.path}: X and y have shapes {x} and {y}; (N, M, 4) and (N,) belong there")
        return ["X", "y"]

    def _jets(self, columns: Columns, start: int) -> Block:
        x = columns["X"].astype(np.float64)
        label = labels(columns["y"], len(self.meta.class_names), start, self.path)
        particles = padded(x, (x != 0).any(axis=2))
        pt, rapidity, phi, pid = (particles[..., i] for i in range(FEATURES))
        refuse(ak.any(pt < 0, axis=1), start, self.path, "has a particle of negative pT in X")
        mass, channels, known = identify(pid)
        read = Constituents(with_rapidity(pt, rapidity, phi, mass), channels, {"label": label})
        jets, repairs = read.jets(self.meta, start, self.path)
        strange = int(ak.sum(ak.any(~known, axis=1)))
        return jets, {**repairs, **({UNKNOWN: strange} if strange else {})}
