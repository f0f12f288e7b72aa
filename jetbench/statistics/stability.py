"""How far a result hangs on what a training is set to: the share of a grid of settings that is nearly as good as its best."""

from __future__ import annotations

import numpy as np

from jetbench.errors import RunError

__all__ = ["near_best", "stable_share"]


def near_best(values: np.ndarray, tolerance: float, *, larger_is_better: bool = True) -> np.ndarray:
    """Return which values (…, n) lie within `tolerance` of the best of the n of their row, the best one among them.

    A setting without a value, NaN, as of a training that diverged, does not. Raises `RunError` where a row has no value at all.
    """
    given = np.asarray(values, np.float64)
    lost = -given if larger_is_better else given
    if not given.size or np.isnan(lost).all(axis=-1).any():
        raise RunError("a grid without one finished setting has no best")
    best = np.nanmin(lost, axis=-1, keepdims=True)
    return np.nan_to_num(lost, nan=np.inf) - best <= tolerance * (1 + 1e-12)  # rounding must not lose what lies at the edge


def stable_share(values: np.ndarray, tolerance: float, *, larger_is_better: bool = True) -> np.ndarray:
    """Return the share of settings within `tolerance` of the best, (…,) for values (…, n); arguments as for `near_best`."""
    share: np.ndarray = near_best(values, tolerance, larger_is_better=larger_is_better).mean(axis=-1)
    return share
