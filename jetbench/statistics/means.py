"""The mean of a metric over seeds with both of its errors."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.resolution import Spread
from jetbench.values import Value

__all__ = ["Mean", "mean_of"]


class Mean(Value):
    """A mean over n seeds, or over encoders that seeds share. `seed_error` is its error between seeds, None for one;
    `test_error` that of the test sample, which is one for all seeds; `low` and `high` are the ends of its interval from both."""

    mean: float
    seed_error: float | None
    test_error: float
    low: float | None
    high: float | None
    n: int


def mean_of(values: ArrayLike, test_variance: float, shared: float = 0.0, level: float = LEVEL) -> Mean:
    """Return the mean of values (n,) whose variance over the test sample is given; `shared` as for `statistics.resolution`.

    Student's interval, with Welch and Satterthwaite's degrees of freedom: the same that a mean difference has.
    """
    given = np.asarray(values, np.float64)
    n, mean, test = len(given), float(given.mean()), math.sqrt(test_variance)
    if n == 1:
        return Mean(mean=mean, seed_error=None, test_error=test, low=None, high=None, n=1)
    spread = Spread(float(given.std(ddof=1)), test, n, shared)
    half = spread.half_width(alpha_of(level))
    return Mean(mean=mean, seed_error=spread.seed, test_error=test, low=mean - half, high=mean + half, n=n)
