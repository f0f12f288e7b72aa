"""How alike two encoders describe the same jets, whatever the order, the rotation and the scale of their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError

__all__ = ["linear_cka"]


def linear_cka(one: ArrayLike, other: ArrayLike) -> float:
    """Return the linear centred kernel alignment of features (n, a) and (n, b) of the same n jets (Kornblith et al.,
    arXiv:1905.00414): 1 where a rotation and a scale turn one into the other, 0 where nothing in them correlates.

    Raises `RunError` for other shapes and for features that are the same for every jet.
    """
    mine, theirs = (np.asarray(features, np.float64) for features in (one, other))
    if mine.ndim != 2 or theirs.ndim != 2 or len(mine) != len(theirs):
        raise RunError(f"features of shapes {mine.shape} and {theirs.shape}: a row for each of the same jets is needed")
    mine, theirs = mine - mine.mean(axis=0), theirs - theirs.mean(axis=0)
    size = np.linalg.norm(mine.T @ mine) * np.linalg.norm(theirs.T @ theirs)
    if not size > 0:
        raise RunError("an encoder gives all of these jets the same features")
    return float(np.linalg.norm(mine.T @ theirs) ** 2 / size)
