"""JetNet: one HDF5 file per class, of particles relative to the axis of their jet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.columns import labels, refuse
from jetbench.formats.fourvectors import Constituents, massless, padded
from jetbench.formats.hdf5 import HDF5Table, has
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Agreement, Block, TableReader
from jetbench.formats.tables import Columns
from jetbench.jets import Meta, Provenance

__all__ = ["JetNet"]

KEYS = ("particle_features", "jet_features")
LETTERS = "gqtwz"  # in the order of the class index in jet-net/JetNet, jetnet/datasets/jetnet.py
NAME = re.compile(rf"^([{LETTERS}])(?:30|150)?(?:[_.-].*)?$")  # g.hdf5, g150.hdf5
DROPPED = "particles without momentum dropped"
NO_MASK = "a mask that is neither 0 nor 1"
NORMALISED = " but ±0.5, as of features that were normalised for a training; convert the file as it was published"

# Kansal et al., NeurIPS 2021, arXiv:2106.11535, sec. 2 and zenodo.org/records/6975118 (30 particles), 6975117 (150)
META = Meta(
    channels=(PT, ENERGY),
    class_names=("gluon", "light-quark", "top", "W", "Z"),
    extent=0.8,
    unknown=("jet_phi",),
    provenance=Provenance(
        source="JetNet, zenodo 6975118 (30 particles) or 6975117 (150 particles)",
        generator="MadGraph5_aMC@NLO 2.3.1, Pythia 8.212, 13 TeV (Coleman et al., JINST 13 (2018) T01003)",
        detector="simplified (arXiv:2106.11535, sec. 2)",
        remarks=("only the hardest 30 or 150 particles of a jet are stored",),
        licence="CC-BY-4.0",
        cuts=("anti-kT R=0.8", "pT of about 1 TeV"),
    ),
)


class JetNet(TableReader):
    """`particle_features` (N, M, 4): etarel, phirel, ptrel, mask; `jet_features` (N, 4 or 5): (type,) pt, eta, mass, number of
    particles.

    The class comes from the type column, an index into g, q, t, w, z, else from the name of the file where that begins with one
    of these letters. The axis is the file's own. The target `mass` is that of the stored particles, `jet_mass` the file's, of
    all particles.
    """

    meta = META

    def __init__(self, path: Path) -> None:
        super().__init__(path, HDF5Table(path, KEYS))
        self._agreement = Agreement()

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return has(path, *KEYS)

    def _open(self) -> Sequence[str]:
        particles, features = (self.table.shape(key) for key in KEYS)
        if len(particles) != 3 or particles[2] != 4 or features not in ((particles[0], 4), (particles[0], 5)):
            raise DataFileError(
                f"{self.path}: {' and '.join(KEYS)} have shapes {particles} and {features}; (N, M, 4) and (N, 4 or 5) belong"
            )
        self._typed = features[1] == 5
        letter = found[1] if (found := NAME.match(self.path.name)) else None
        self._class = LETTERS.index(letter) if letter else None
        if not self._typed:
            told = dict(zip(LETTERS, META.class_names, strict=True))
            says = f"the letter {letter} of its name says {told[letter]}" if letter else "its name tells no class"
            self.guess = f"{says}, and no column does"
        return KEYS

    def _jets(self, columns: Columns, start: int) -> Block:
        x, features = (columns[key].astype(np.float64) for key in KEYS)
        jet_pt, jet_eta, jet_mass, number = features[:, -4:].T
        self._check(x, features, start)
        real = x[..., 3] != 0
        eta, phi, pt = (padded(x[..., i], real & (x[..., 2] > 0)) for i in range(3))
        momentum = massless(pt * jet_pt, eta + jet_eta, phi)
        targets = {"jet_mass": jet_mass}
        if self._typed:
            targets["label"] = labels(features[:, 0], len(LETTERS), start, self.path)
        elif self._class is not None:
            targets["label"] = np.full(len(x), self._class)
        read = Constituents(momentum, {}, targets, (jet_eta, np.zeros(len(x))))
        jets, repairs = read.jets(self.meta, start, self.path)
        # the stored number of particles counts at most as many as are stored
        self._agreement.compare("jet_features pt", jets.jet_pt, jet_pt, 0.01, relative=True)
        self._agreement.compare("jet_features number of particles", real.sum(axis=1), np.minimum(number, x.shape[1]), 0)
        self.remarks = self._agreement.remarks()
        dropped = int((real & (x[..., 2] == 0)).any(axis=1).sum())
        return jets, {**repairs, **({DROPPED: dropped} if dropped else {})}

    def _check(self, x: np.ndarray, features: np.ndarray, start: int) -> None:
        for fault, cause in (
            (~np.isfinite(x).all(axis=(1, 2)) | ~np.isfinite(features).all(axis=1), "a feature that is NaN or infinite"),
            (((x[..., 3] != 0) & (x[..., 3] != 1)).any(axis=1), NO_MASK),
            ((x[..., 2] < 0).any(axis=1), "a particle of negative ptrel"),
            (features[:, -4] <= 0, "a pt that is not positive"),
        ):
            hint = NORMALISED if cause == NO_MASK and (np.abs(x[..., 3]) == 0.5).all() else ""
            refuse(fault, start, self.path, f"has {cause}", f"has {cause}{hint}")
