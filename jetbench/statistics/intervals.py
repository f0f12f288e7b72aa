"""Intervals of a mean over seeds and of a share of jets, and the Student distribution with real degrees of freedom."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtr, ndtri, stdtr, stdtrit

from jetbench.errors import RunError
from jetbench.values import Value

__all__ = ["LEVEL", "Interval", "alpha_of", "clopper_pearson", "t_interval", "t_quantile", "t_tail"]

LEVEL = 0.95  # of every interval that a file or a report shows (protocol, section 5)
NORMAL_FROM = 1e6  # degrees of freedom: beyond, Student's quantiles differ from the normal ones by less than 1e-6


class Interval(Value):
    """A mean (or share) with the two ends of its interval; None where the data set no end. `n` counts what was averaged."""

    mean: float
    low: float | None
    high: float | None
    n: int


def t_interval(values: ArrayLike, level: float = LEVEL) -> Interval:
    """Return Student's interval of the mean of values (n,); a single value has no interval, its ends are None.

    Raises `RunError` where there is no value or one that is not finite.
    """
    alpha = alpha_of(level)
    given = np.asarray(values, np.float64)
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all():
        raise RunError(f"a mean needs one or more finite values, not {given.tolist()}")
    n, mean = len(given), float(given.mean())
    if n == 1:
        return Interval(mean=mean, low=None, high=None, n=1)
    half = t_quantile(1 - alpha / 2, n - 1) * float(given.std(ddof=1)) / math.sqrt(n)
    return Interval(mean=mean, low=mean - half, high=mean + half, n=n)


def clopper_pearson(k: int, n: int, level: float = LEVEL) -> Interval:
    """Return the exact binomial interval of k successes out of n (Clopper & Pearson 1934), which covers at least `level`."""
    alpha = alpha_of(level)
    if not 0 <= k <= n or n < 1:
        raise RunError(f"{k} of {n} is no share")
    low = float(betaincinv(k, n - k + 1, alpha / 2)) if k else 0.0
    high = float(betaincinv(k + 1, n - k, 1 - alpha / 2)) if k < n else 1.0
    return Interval(mean=k / n, low=low, high=high, n=n)


def alpha_of(level: float) -> float:
    """Return 1 − level; raises `RunError` unless 0 < level < 1."""
    if not 0 < level < 1:
        raise RunError(f"a confidence level lies between 0 and 1, not at {level}")
    return 1 - level


def t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t; `degrees` may be any positive number or infinite."""
    return float(ndtri(probability) if degrees > NORMAL_FROM else stdtrit(degrees, probability))


def t_tail(t: float, degrees: float) -> float:
    """Return P(T ≥ t) of Student's t; `degrees` may be any positive number or infinite."""
    return float(ndtr(-t) if degrees > NORMAL_FROM else stdtr(degrees, -t))
