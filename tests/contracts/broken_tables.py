"""A table that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

import numpy as np

from jetbench.jets import Jets
from jetbench.spec import Options
from jetbench.views.table import Table


class Good(Table):
    """The pT of each jet, and how many deposits it has."""

    columns = ("pt", "multiplicity")

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        counts = np.diff(jets.offsets)
        jet = np.repeat(np.arange(len(jets)), counts)
        return np.stack([np.bincount(jet, jets.pt(), minlength=len(jets)), counts], axis=1).astype(np.float32)


class Twice(Good):
    columns = ("pt", "pt")


class Double(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return super().rows(jets).astype(float)


class OfTheBatch(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return super().rows(jets) / np.float32(len(jets))


class First(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return super().rows(jets) * jets.eta[jets.offsets[:-1]][:, None]


class Divided(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        rows = super().rows(jets)
        with np.errstate(all="ignore"):
            return rows / rows[:, 1:]


class Labelled(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        return super().rows(jets) + jets.targets["label"][:, None].astype(np.float32)


class InPlace(Good):
    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        jets.values[:] *= 2
        return super().rows(jets)


class Miscounted(Good):
    @classmethod
    def counted_rows(cls, jets: Jets) -> tuple[np.ndarray, dict[str, int]]:
        return 2 * cls.rows(jets), {}
