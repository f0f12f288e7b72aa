"""JetNet: one HDF5 file per class, of particles relative to the axis of their jet."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.agreement import Agreement
from jetbench.formats.fourvectors import Constituents, labels, massless, padded
from jetbench.formats.hdf5 import array, has, open_hdf5, rows_per_block
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Reader
from jetbench.jets import Jets, Meta, Provenance
from jetbench.jets.guard import guarded
from jetbench.jets.ragged import owners

__all__ = ["JetNet"]

LETTERS = "gqtwz"  # in the order of the class index in jet-net/JetNet, jetnet/datasets/jetnet.py
NAME = re.compile(rf"^([{LETTERS}])(?:30|150)?(?:[_.-].*)?$")  # g.hdf5, g150.hdf5
DROPPED = "particles without momentum dropped"

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


class JetNet(Reader):
    """`particle_features` (N, M, 4): etarel, phirel, ptrel, mask; `jet_features` (N, 4 or 5): (type,) pt, eta, mass, number of
    particles.

    The class comes from the type column, an index into g, q, t, w, z, else from the name of the file. The axis is the file's
    own. The target `mass` is that of the stored particles, `jet_mass` the file's, of all particles.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.meta = path, META
        self._file = open_hdf5(path)
        self._particles = array(self._file, "particle_features", path, ndim=3)
        self._features = array(self._file, "jet_features", path, ndim=2)
        shapes = self._particles.shape, self._features.shape
        if shapes[0][2] != 4 or shapes[1][1] not in (4, 5) or shapes[0][0] != shapes[1][0]:
            raise DataFileError(
                f"{path}: particle_features and jet_features have shapes {shapes}; (N, M, 4) and (N, 4 or 5) belong"
            )
        self._class = _class_of(path) if shapes[1][1] == 4 else None
        self.jets, self.block = shapes[0][0], rows_per_block([self._particles, self._features])
        self._agreement = Agreement()

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        return has(path, "particle_features", "jet_features")

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        with guarded(self.path):
            x = self._particles[start:stop].astype(np.float64)
            features = self._features[start:stop].astype(np.float64)
            jet_pt, jet_eta, jet_mass, number = features[:, -4:].T
            self._check(x, features, start)
            real = x[..., 3] != 0
            offsets, particles = padded(x, real & (x[..., 2] > 0))
            owner = owners(offsets)
            momentum = massless(particles[:, 2] * jet_pt[owner], particles[:, 0] + jet_eta[owner], particles[:, 1])
            kind = np.full(len(x), self._class) if self._class is not None else features[:, 0]
            targets = {"label": labels(kind, len(LETTERS), start, self.path), "jet_mass": jet_mass}
            read = Constituents(offsets, momentum, {}, targets, (jet_eta, np.zeros(len(x))))
            jets, repairs = read.jets(self.meta, start, self.path)
            # the stored number of particles counts at most as many as are stored
            self._agreement.compare("jet_features pt", jets.jet_pt, jet_pt, 0.01, relative=True)
            self._agreement.compare("jet_features number of particles", real.sum(axis=1), np.minimum(number, x.shape[1]), 0)
            self.remarks = self._agreement.remarks()
            dropped = int((real & (x[..., 2] == 0)).any(axis=1).sum())
            return jets, {**repairs, **({DROPPED: dropped} if dropped else {})}

    def close(self) -> None:
        self._file.close()

    def _check(self, x: np.ndarray, features: np.ndarray, start: int) -> None:
        for fault, cause in (
            (~np.isfinite(x).all(axis=(1, 2)) | ~np.isfinite(features).all(axis=1), "a feature that is NaN or infinite"),
            (((x[..., 3] != 0) & (x[..., 3] != 1)).any(axis=1), "a mask that is neither 0 nor 1"),
            ((x[..., 2] < 0).any(axis=1), "a particle of negative ptrel"),
            (features[:, -4] <= 0, "a pt that is not positive"),
        ):
            if fault.any():
                raise DataFileError(f"{self.path}: jet {start + int(fault.argmax())} has {cause}")


def _class_of(path: Path) -> int:
    found = NAME.match(path.name)
    if found is None:
        raise DataFileError(
            f"{path}: jet_features has no type, so that the name tells the class; call the file g, q, t, w or z .hdf5"
        )
    return LETTERS.index(found[1])
