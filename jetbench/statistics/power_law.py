"""A power law in the size of something: what a metric leaves to perfection ∝ size^−α, fitted to seeds trained at all sizes.

In the logarithms it is a straight line, and its slope by least squares, all sizes alike, is one weighted sum over the sizes.
So each seed has an exponent of its own, their mean is the exponent, and what is common to the sizes of a seed (its labels, its
initialisation) drops out of it, as in any paired difference. The error has both parts of every mean over seeds: the spread of the
seeds' exponents, and the test sample's, to first order, from the covariance of all the models on the same test jets.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.statistics.means import Mean, mean_of
from jetbench.values import Value

__all__ = ["LEAST_SIZES", "PowerLaw", "exponents", "fit_power_law", "sensitivities"]

LEAST_SIZES = 3  # two points are on a line whatever they are


class PowerLaw(Value):
    """`exponent` is α with its errors and its interval, `factor` what is left at the size one; together they are the line."""

    exponent: Mean
    factor: float

    def left(self, sizes: ArrayLike) -> np.ndarray:
        """Return what the law leaves at sizes (k,)."""
        return self.factor * np.asarray(sizes, np.float64) ** -self.exponent.mean


def exponents(sizes: ArrayLike, left: ArrayLike) -> np.ndarray:
    """Return the exponent of each seed (n,), from what its metric leaves to perfection (n, k) at sizes (k,).

    Raises `RunError` for fewer than three different sizes, and where nothing is left, whose logarithm is infinite.
    """
    found: np.ndarray = np.log(_checked(sizes, left)) @ _weights(sizes)
    return found


def sensitivities(sizes: ArrayLike, left: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Return by how much the weighted mean exponent moves with what each seed leaves at each size (n, k): its gradient there.

    `weights` (n,) of the seeds sum to one. The variance of the mean exponent over the test sample is that of the sum of all
    metrics with these as weights, to first order.
    """
    moves: np.ndarray = np.asarray(weights)[:, None] * _weights(sizes) / _checked(sizes, left)
    return moves


def fit_power_law(sizes: ArrayLike, left: ArrayLike, test_variance: float, shared: float = 0.0) -> PowerLaw:
    """Fit what is left (n, k) of n independent units at sizes (k,), with the variance of their mean exponent over the test
    sample; `shared` as for `statistics.resolution`. The factor is that of the geometric means. Raises `RunError` as `exponents`
    does."""
    exponent = mean_of(exponents(sizes, left), test_variance, shared)
    center = float(np.log(np.asarray(sizes, np.float64)).mean())
    factor = math.exp(float(np.log(np.asarray(left, np.float64)).mean()) + exponent.mean * center)
    return PowerLaw(exponent=exponent, factor=factor)


def _weights(sizes: ArrayLike) -> np.ndarray:
    """Weights (k,) of logarithms whose sum is minus the slope of their least-squares line."""
    x = np.log(np.asarray(sizes, np.float64))
    centred = x - x.mean()
    weights: np.ndarray = -centred / (centred @ centred)
    return weights


def _checked(sizes: ArrayLike, left: ArrayLike) -> np.ndarray:
    of_sizes, given = np.asarray(sizes, np.float64), np.asarray(left, np.float64)
    if len(np.unique(of_sizes)) < LEAST_SIZES or not of_sizes.min() > 0:
        raise RunError(f"a power law needs {LEAST_SIZES} different sizes above zero, not {of_sizes.tolist()}")
    if given.ndim != 2 or given.shape[1] != len(of_sizes):
        raise RunError(f"what is left has shape {given.shape}; (seeds, {len(of_sizes)}) is needed, one for each size")
    if not (np.isfinite(given).all() and given.min() > 0):
        raise RunError("a power law follows what is left to perfection, and a metric here leaves nothing, or no finite number")
    return given
