"""How many labels one arm needs to be as good as another is with few: the learning curve of the one, read backwards."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.intervals import alpha_of
from jetbench.values import Value

__all__ = ["Match", "matching_labels"]

DRAWS = 4000  # of the parametric bootstrap: the ends of a 95 % interval are known to a third of a percent of probability


class Match(Value):
    """A number of labels with its interval. None as `labels` or `high` means beyond the `largest` budget of the curve, and `low`
    or `labels` at the `smallest` budget mean there or below. `beyond` and `below` are the shares of the draws that say so: with
    `beyond` above half of what the interval leaves out, there is no upper end."""

    labels: float | None
    low: float | None
    high: float | None
    smallest: int
    largest: int
    below: float
    beyond: float


def matching_labels(
    curve: Mapping[int, ArrayLike],
    target: ArrayLike,
    *,
    larger_is_better: bool = True,
    test_covariance: ArrayLike | None = None,
    level: float = 0.95,
) -> Match:
    """Return at how many labels a learning curve reaches the mean of `target`, values over seeds (m,) of another arm.

    `curve` holds by label budget the values over seeds (n,) of the arm whose labels are counted; its budgets are two or more. The
    means over seeds are joined by straight lines in the logarithm of the labels, after the least change that makes them rise
    (isotonic regression, weighted with the seeds): more labels are taken to hurt no arm. The interval is that of a parametric
    bootstrap: every mean moves by Student's t with its own error between seeds and degrees of freedom, and all together as
    the test sample moves them, with `test_covariance` (b+1, b+1) of the means at the b budgets, ascending, and of the target;
    without it the error of the test sample is left out. Budgets are taken as independent, which nested labels are not quite.
    Raises `RunError` for fewer than two budgets or fewer than two seeds of a mean.
    """
    budgets, sign = sorted(curve), 1.0 if larger_is_better else -1.0
    groups = [sign * np.asarray(values, np.float64) for values in (*(curve[budget] for budget in budgets), target)]
    counts = np.array([len(values) for values in groups])
    if len(budgets) < 2 or counts.min() < 2:
        raise RunError(f"a learning curve of {len(budgets)} budgets with {counts.tolist()} seeds: two of each are the least")
    means, errors = np.array([g.mean() for g in groups]), np.array([g.std(ddof=1) / math.sqrt(len(g)) for g in groups])
    covariance = np.zeros((len(groups),) * 2) if test_covariance is None else np.asarray(test_covariance, np.float64)
    rng = numpy_rng("matching", *map(int, counts))
    moved = means + errors * rng.standard_t(counts - 1, (DRAWS, len(groups)))
    moved += rng.multivariate_normal(np.zeros(len(groups)), covariance, DRAWS, method="svd")
    places = np.log(budgets)
    found = np.array([_reached(places, row[:-1], counts[:-1], row[-1]) for row in moved])
    low, high = np.quantile(found, [alpha_of(level) / 2, 1 - alpha_of(level) / 2], method="inverted_cdf")
    return Match(
        labels=_labels(_reached(places, means[:-1], counts[:-1], means[-1])),
        low=_labels(float(low)),
        high=_labels(float(high)),
        smallest=budgets[0],
        largest=budgets[-1],
        below=float(np.mean(found <= places[0])),
        beyond=float(np.mean(np.isinf(found))),
    )


def _reached(places: np.ndarray, means: np.ndarray, weights: np.ndarray, target: float) -> float:
    """The logarithm of the labels at which the rising curve first reaches the target; infinite where it never does."""
    rising = isotonic_regression(means, weights=weights).x
    after = int(np.searchsorted(rising, target, "left"))
    if after == len(rising):
        return math.inf
    if after == 0:
        return float(places[0])
    share = (target - rising[after - 1]) / (rising[after] - rising[after - 1])
    return float(places[after - 1] + share * (places[after] - places[after - 1]))


def _labels(logarithm: float) -> float | None:
    return None if math.isinf(logarithm) else math.exp(logarithm)
