"""The label view: the true class of each jet, for a floor that stands for all that the class alone tells."""

from __future__ import annotations

import numpy as np

from jetbench.jets import Jets
from jetbench.spec import Options
from jetbench.views.table import Table

__all__ = ["Label"]


class Label(Table):
    """The class of each jet as a number; jets without classes are all of one."""

    columns = ("label",)

    @classmethod
    def rows(cls, jets: Jets, options: Options = ()) -> np.ndarray:
        classes = jets.targets["label"][:] if "label" in jets.targets else np.zeros(len(jets))
        return np.asarray(classes, np.float32)[:, None]
