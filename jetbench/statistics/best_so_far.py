"""How good the best trial of a search was, against what had been spent until then."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["best_so_far"]


def best_so_far(costs: ArrayLike, scores: ArrayLike, *, larger_is_better: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative costs (n,) of trials in the order of their numbers, and the best score (n,) among those so far.

    A trial without a score, NaN, costs what it costs; before the first score the best one is NaN.
    """
    values = np.asarray(scores, float)
    best = np.fmax if larger_is_better else np.fmin  # they pass over NaN
    return np.cumsum(np.asarray(costs, float)), best.accumulate(values)
