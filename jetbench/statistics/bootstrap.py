"""Statistics over resampled jets, for errors of metrics that have none in closed form (Efron 1979)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng

__all__ = ["RESAMPLES", "resampled", "resampled_means"]

RESAMPLES = 1000  # an error is known to 1/√(2·1000) of itself, 2 %
SORTED = 200  # of a statistic that sorts, which costs more: 5 %
DRAWN = 1 << 20  # jets that are drawn at a time


def resampled_means(values: ArrayLike, resamples: int = RESAMPLES) -> np.ndarray:
    """Return the means (resamples, k) of columns values (k, n) over n jets drawn with replacement, the same jets for all columns.

    The draws depend on n and `resamples` alone, so that columns of two calls are paired as well. Raises `RunError` for fewer than
    two jets.
    """
    columns = np.asarray(values, np.float64)
    n = columns.shape[1]
    if n < 2:
        raise RunError(f"{n} jets cannot be resampled: an error needs two of them at the least")
    rng, means = numpy_rng("bootstrap", n), np.empty((resamples, len(columns)))
    for part in np.array_split(means, -(-resamples * n // max(DRAWN, n))):
        draws = rng.integers(0, n, (len(part), n)) + n * np.arange(len(part))[:, None]
        counts = np.bincount(draws.ravel(), minlength=draws.size).reshape(draws.shape)
        part[:] = counts @ columns.T / n
    return means


def resampled(values: ArrayLike, statistic: Callable[[np.ndarray], np.ndarray], resamples: int = SORTED) -> np.ndarray:
    """Return a statistic of values (n,) of n jets drawn with replacement, (resamples, …).

    `statistic` maps values (k, n) to (k, …). The draws depend on n and `resamples` alone. Raises `RunError` for fewer than two
    jets.
    """
    column = np.asarray(values, np.float64)
    n = len(column)
    if n < 2:
        raise RunError(f"{n} jets cannot be resampled: an error needs two of them at the least")
    rng = numpy_rng("bootstrap-sorted", n)
    parts = np.array_split(np.arange(resamples), -(-resamples * n // max(DRAWN, n)))
    return np.concatenate([statistic(column[rng.integers(0, n, (len(part), n))]) for part in parts])
