"""Quark and gluon jets of EnergyFlow: npz files of particles as (pT, rapidity, azimuth, PDG number)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.fourvectors import Constituents, labels, padded, with_rapidity
from jetbench.formats.npz import Archive
from jetbench.formats.particles import CHARGE, ENERGY, KINDS, PT, identify
from jetbench.formats.reader import BLOCK_BYTES, Reader
from jetbench.jets import Jets, Meta, Provenance
from jetbench.jets.guard import guarded
from jetbench.jets.ragged import owner_of

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


class EnergyFlow(Reader):
    """`QG_jets*.npz` and `QG_jets_withbc_*.npz`: `X` (N, M, 4), zero-padded, and `y` (N,): quark 1, gluon 0.

    The second column is the rapidity; masses follow from the PDG numbers, and the pseudorapidity from both.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.meta = path, META
        self._archive = Archive(path)
        self._x, self._y = self._archive.member("X", ndim=3), self._archive.member("y", ndim=1)
        self.jets = self._x.shape[0]
        if self._x.shape[2] != FEATURES or self._y.shape[0] != self.jets:
            raise DataFileError(
                f"{path}: X and y have shapes {self._x.shape} and {self._y.shape}; (N, M, 4) and (N,) belong there"
            )
        self.block = max(1, BLOCK_BYTES // self._x.row_bytes)

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        with closing(cls(path)) as reader:
            first = reader._x.read(0, min(10, reader.jets))
        pid = first[..., 3][first.any(axis=2)]
        return (
            len(pid) > 0 and bool(np.isfinite(first).all()) and bool(identify(pid)[2].all()) and bool((first[..., 0] >= 0).all())
        )

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        with guarded(self.path):
            x = self._x.read(start, stop).astype(np.float64)
            label = labels(self._y.read(start, stop), len(self.meta.class_names), start, self.path)
            offsets, particles = padded(x, (x != 0).any(axis=2))
            self._check(offsets, particles, start)
            pt, rapidity, phi, pid = particles.T
            mass, channels, known = identify(pid)
            momentum = with_rapidity(pt, rapidity, phi, mass)
            jets, repairs = Constituents(offsets, momentum, channels, {"label": label}).jets(self.meta, start, self.path)
            strange = int(np.sum(np.add.reduceat(~known, offsets[:-1], dtype=np.int64) > 0))
            return jets, {**repairs, **({UNKNOWN: strange} if strange else {})}

    def close(self) -> None:
        self._archive.close()

    def _check(self, offsets: np.ndarray, particles: np.ndarray, start: int) -> None:
        fault = particles[:, 0] < 0
        if fault.any():
            row = start + int(owner_of(offsets, fault.argmax()))
            raise DataFileError(f"{self.path}: jet {row} has a particle of negative pT in X")
