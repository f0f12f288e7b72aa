"""The Top Tagging reference dataset: a pandas table in HDF5 of the four-vectors of up to 200 constituents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import vector

from jetbench.errors import DataFileError
from jetbench.formats.columns import labels
from jetbench.formats.fourvectors import Constituents, padded
from jetbench.formats.pandas_table import PandasTable
from jetbench.formats.particles import ENERGY, PT
from jetbench.formats.reader import Block, TableReader
from jetbench.formats.tables import Columns
from jetbench.jets import Meta, Provenance

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


class TopTagging(TableReader):
    """Columns `E_i, PX_i, PY_i, PZ_i` [GeV], i from 0 on, zero-padded, and `is_signal_new`: top 1, QCD 0.

    The top quark's own four-vector `truthE…` and the number `ttv` of the original file are not read: the first exists for one
    class only, and the other repeats which file it is.
    """

    table: PandasTable
    meta = META

    def __init__(self, path: Path) -> None:
        super().__init__(path, PandasTable(path))

    def _open(self) -> list[str]:
        number = sum(name.startswith("E_") for name in self.table.names)
        self._columns = [f"{axis}_{i}" for axis in ("PX", "PY", "PZ", "E") for i in range(number)]
        missing = [name for name in (*self._columns, LABEL) if name not in self.table.names]
        if missing or not number:
            raise DataFileError(
                f"{self.path}: no columns {', '.join(missing[:5] or ['E_0'])}; E_i, PX_i, PY_i, PZ_i and {LABEL} belong there"
            )
        return [*self._columns, LABEL]

    def _jets(self, columns: Columns, start: int) -> Block:
        label = labels(np.asarray(columns[LABEL], np.float64), len(self.meta.class_names), start, self.path)
        x = np.stack([columns[name] for name in self._columns], axis=1, dtype=np.float64).reshape(
            len(label), 4, len(self._columns) // 4
        )
        present = (x != 0).any(axis=1)
        momentum = vector.zip({name: padded(x[:, i], present) for i, name in enumerate(("px", "py", "pz", "energy"))})
        return Constituents(momentum, targets={"label": label}).jets(self.meta, start, self.path)
