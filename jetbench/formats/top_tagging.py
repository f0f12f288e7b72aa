"""The Top Tagging reference dataset: a pandas table in HDF5 of the four-vectors of up to 200 constituents."""

from __future__ import annotations

from pathlib import Path

from jetbench.errors import DataFileError
from jetbench.formats.fourvectors import Constituents, labels, padded
from jetbench.formats.hdf5 import has
from jetbench.formats.pandas_table import PandasTable
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Reader
from jetbench.jets import Jets, Meta, Provenance
from jetbench.jets.guard import guarded

__all__ = ["TopTagging"]

LABEL = "is_signal_new"

# zenodo.org/records/2603256 and Kasieczka et al., SciPost Phys. 7 (2019) 014, arXiv:1902.09914, sec. 2
META = Meta(
    channels=(PT, ENERGY),
    class_names=("qcd", "top"),
    extent=0.8,
    provenance=Provenance(
        source="Top Quark Tagging Reference Dataset, zenodo 2603256",
        generator="Pythia 8, 14 TeV, no multi-parton interactions",
        detector="Delphes, ATLAS card",
        remarks=("constituents are particle-flow objects, the 200 of highest pT",),
        licence="CC-BY-4.0",
        cuts=(
            "anti-kT R=0.8",
            "550 < pT < 650 GeV",
            "|eta| < 2",
            "tops: the top quark and all decay partons within ΔR < 0.8 of the axis",
        ),
    ),
)


class TopTagging(Reader):
    """Columns `E_i, PX_i, PY_i, PZ_i` [GeV], i from 0 on, zero-padded, and `is_signal_new`: top 1, QCD 0.

    The top quark's own four-vector `truthE…` and the number `ttv` of the original file are not read: the first exists for one
    class only, and the other repeats which file it is.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.meta = path, META
        self._table = PandasTable(path)
        self._number = sum(name.startswith("E_") for name in self._table.columns)
        # px, py, pz, E of constituent 0, then of 1, …
        self._columns = [f"{axis}_{i}" for i in range(self._number) for axis in ("PX", "PY", "PZ", "E")]
        missing = [name for name in (*self._columns, LABEL) if name not in self._table.columns]
        if missing or not self._number:
            raise DataFileError(
                f"{path}: no columns {', '.join(missing[:5] or ['E_0'])}; E_i, PX_i, PY_i, PZ_i and {LABEL} belong there"
            )
        self.jets, self.block = self._table.rows, self._table.block

    @classmethod
    def looks_right(cls, path: Path) -> bool:
        if not has(path):
            return False
        cls(path).close()
        return True

    def read(self, start: int, stop: int) -> tuple[Jets, dict[str, int]]:
        with guarded(self.path):
            table = self._table.read([*self._columns, LABEL], start, stop)
            label = labels(table[:, -1], len(self.meta.class_names), start, self.path)
            x = table[:, :-1].reshape(len(table), self._number, 4)
            offsets, momentum = padded(x, (x != 0).any(axis=2))
            return Constituents(offsets, momentum, targets={"label": label}).jets(self.meta, start, self.path)

    def close(self) -> None:
        self._table.close()
