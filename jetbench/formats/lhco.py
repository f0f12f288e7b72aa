"""The LHC Olympics 2020: pandas frames of the particles of whole events, of which the two hardest jets are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import awkward as ak
import numpy as np

from jetbench.errors import DataFileError
from jetbench.formats.columns import refuse
from jetbench.formats.fourvectors import Constituents, massless, padded
from jetbench.formats.hdf5 import HDF5Table, dataset, groups, open_hdf5
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Block, TableReader
from jetbench.formats.tables import Columns
from jetbench.jets import Meta, Provenance
from jetbench.jets.guard import guarded
from jetbench.simulation.clustering import cluster

__all__ = ["LHCOlympics"]

RADIUS = 1.0  # of the trigger's jets
COLUMNS = 2100  # pT, eta and phi of 700 particles; a label may follow
LARGEST = 1e30  # GeV: float32 holds it
FEATURES = (b"pxj1", b"pyj1", b"pzj1")  # columns of the file of features

# Kasieczka et al., Rept. Prog. Phys. 84 (2021) 124201, arXiv:2101.08320, sec. 2, and zenodo.org/records/4536377
META = Meta(
    channels=(PT, ENERGY),
    class_names=("background", "signal"),
    extent=RADIUS,
    provenance=Provenance(
        source="LHC Olympics 2020, zenodo 4536377 (R&D) and the black boxes",
        generator="Pythia 8, 13 TeV; others in the black boxes",
        detector="Delphes",
        remarks=(
            "the two hardest jets of each event, clustered from its particles when it was converted; both have the number of "
            "their event",
            "a label is that of the event, and belongs to both of its jets",
        ),
        licence="CC-BY-4.0",
        cuts=("anti-kT R=1.0", "events with a jet of pT above 1.2 TeV"),
    ),
)


class LHCOlympics(TableReader):
    """A frame in the layout "fixed", `df/block0_values` (N, 2100) or with labels (N, 2101): pT [GeV], eta and phi of 700 massless
    particles, zero-padded. Each event gives two jets, one after the other."""

    table: HDF5Table
    jets_per_row = 2

    def __init__(self, path: Path) -> None:
        self._key = _values(path)
        super().__init__(path, HDF5Table(path, [self._key]))
        self.jets, self.block = 2 * self.jets, 2 * self.block

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        with open_hdf5(path) as file:
            key = _values(path)
            return dataset(file, key, path).shape[1:] in ((COLUMNS,), (COLUMNS + 1,)) or _features(path, key)

    def blocks(self, start: int = 0) -> Iterator[Block]:
        with guarded(self.path):
            for first in range(start, self.jets, self.block):
                stop, event = min(first + self.block, self.jets), first // 2
                jets, repairs = self._block({self._key: self.table.read(self._key, event, -(-stop // 2))}, event)
                number = 2 * np.asarray(jets.event) + np.arange(len(jets)) % 2  # in the file, if no event was left out
                ends = np.searchsorted(number, [first, stop])
                yield jets[ends[0] : ends[1]], repairs

    def _open(self) -> Sequence[str]:
        if _features(self.path, self._key):
            raise DataFileError(
                f"{self.path}: features of the jets of the LHC Olympics, without their constituents; convert the raw events, "
                "events_anomalydetection.h5"
            )
        if (shape := self.table.shape(self._key))[1:] not in ((COLUMNS,), (COLUMNS + 1,)):
            raise DataFileError(f"{self.path}: {self._key!r} has shape {shape} where (N, {COLUMNS} or {COLUMNS + 1}) belongs")
        self._labelled = shape[1] > COLUMNS
        self.meta = META if self._labelled else META.replace(class_names=())
        return [self._key]

    def _jets(self, columns: Columns, start: int) -> Block:
        rows = columns[self._key].astype(np.float64)
        particles, targets = rows[:, :COLUMNS].reshape(len(rows), -1, 3), {}
        if self._labelled:
            self._refuse(~np.isin(rows[:, COLUMNS], (0, 1)), start, "has a label that is neither 0 nor 1")
            targets["label"] = np.repeat(rows[:, COLUMNS], 2).astype(np.int32)
        with np.errstate(all="ignore"):
            energy = particles[..., 0] * np.cosh(particles[..., 1])
            possible = np.isfinite(particles).all(axis=2) & (energy < LARGEST)
        self._refuse(~possible.all(axis=1), start, "has a particle with a value that is NaN, infinite or too large")
        self._refuse((particles[..., 0] < 0).any(axis=1), start, "has a particle of negative pT")
        found = padded(particles, particles[..., 0] > 0)
        four = ak.flatten(massless(found[..., 0], found[..., 1], found[..., 2]))
        event = np.repeat(np.arange(len(rows)), ak.num(found).to_numpy())
        jets = cluster(event, tuple(np.asarray(one) for one in (four.px, four.py, four.pz, four.energy)), len(rows), 0.0, RADIUS)
        number = np.bincount(jets.event, minlength=len(rows))
        self._refuse(number < 2, start, "has fewer than two jets")
        hardest = np.lexsort((-jets.pt, jets.event))[(np.cumsum(number) - number)[:, None] + [0, 1]]
        two = jets.take(hardest.ravel())
        momentum = ak.unflatten(four[two.members], np.diff(two.offsets))
        return Constituents(momentum, targets=targets).jets(self.meta, 2 * start, self.path)

    def _refuse(self, faulty: np.ndarray, start: int, cause: str) -> None:
        refuse(faulty, start, self.path, cause, row="event")


def _values(path: Path) -> str:
    """The key of the numbers of the one frame in the file."""
    with open_hdf5(path) as file, guarded(path):
        found = [key for key in groups(file) if "block0_values" in file[key]]
        if len(found) != 1:
            raise DataFileError(f"{path}: {len(found)} pandas frames of the layout fixed where one belongs")
        return f"{found[0]}/block0_values"


def _features(path: Path, key: str) -> bool:
    """Whether the columns of the frame have the names of the features of two jets."""
    with open_hdf5(path) as file, guarded(path):
        names = dataset(file, key.replace("block0_values", "axis0"), path)
        return names.dtype.kind == "S" and set(FEATURES) <= set(names[:COLUMNS].tolist())
