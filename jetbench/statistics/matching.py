"""How many labels one arm needs to be as good as another is with few, and with how many a gain ends: curves, read backwards."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.resolution import widening
from jetbench.values import Value

__all__ = ["Match", "ending_labels", "matching_labels"]

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
    shared: ArrayLike = 0.0,
    level: float = LEVEL,
) -> Match:
    """Return at how many labels a learning curve reaches the mean of `target`, values over seeds (m,) of another arm.

    `curve` holds by label budget the values over the same seeds (m,), in the same order, of the arm whose labels are counted; its
    budgets are two or more. The means over seeds are joined by straight lines in the logarithm of the labels, after the least
    change that makes them rise (isotonic regression): more labels are taken to hurt no arm. The interval is that of a parametric
    bootstrap. The means move together, by a multivariate t with the covariance that they show between seeds: the arms of a seed
    share labels, and its budgets are nested. They also move as the test sample moves them, with `test_covariance` (b+1, b+1) of
    the means at the b budgets, ascending, and of the target; without it the error of the test sample is left out. `shared`, one
    number or (b+1,), are the shares of their labels that two seeds have in common (`statistics.resolution.overlap`), which widen
    what seeds show.
    Raises `RunError` for fewer than two budgets, fewer than two seeds, or other seeds of one mean than of another.
    """
    budgets, sign = sorted(curve), 1.0 if larger_is_better else -1.0
    groups = [sign * np.asarray(values, np.float64) for values in (*(curve[budget] for budget in budgets), target)]
    counts = [len(values) for values in groups]
    if len(budgets) < 2 or min(counts) < 2:
        raise RunError(f"a learning curve of {len(budgets)} budgets with {counts} seeds: two of each are the least")
    if len(set(counts)) > 1:
        raise RunError(f"means of {counts} seeds: a curve and its target are read from the same seeds")
    values = np.stack(groups, axis=1)
    means = values.mean(axis=0)
    rng = numpy_rng("matching", *values.shape)
    moved = means + _moves(values - means, rng) * [widening(len(values), share) for share in np.broadcast_to(shared, len(means))]
    if test_covariance is not None:
        moved += rng.multivariate_normal(np.zeros(len(means)), np.asarray(test_covariance), DRAWS, method="svd")
    places = np.log(budgets)
    found = np.array([_reached(places, row[:-1], row[-1]) for row in moved])
    low, high = np.quantile(found, [alpha_of(level) / 2, 1 - alpha_of(level) / 2], method="inverted_cdf")
    return Match(
        labels=_labels(budgets, _reached(places, means[:-1], means[-1])),
        low=_labels(budgets, float(low)),
        high=_labels(budgets, float(high)),
        smallest=budgets[0],
        largest=budgets[-1],
        below=float(np.mean(found <= places[0])),
        beyond=float(np.mean(np.isinf(found))),
    )


def ending_labels(
    gains: Mapping[int, ArrayLike],
    margins: Mapping[int, float],
    *,
    test_covariance: ArrayLike | None = None,
    shared: ArrayLike = 0.0,
    level: float = LEVEL,
) -> Match:
    """Return at how many labels a mean gain falls below a margin, and stays there.

    `gains` hold by label budget what an arm has over its baseline at the same seeds (m,), an improvement being positive;
    `margins` by the same budgets what a gain must have to be of weight. It is not asked where the gain is zero: one that fades
    away with the labels is so nowhere. What a gain lacks to its margin is a curve that is taken to rise with the labels and read
    where it reaches zero, as by `matching_labels`, with the interval and the conventions of that; `test_covariance` is (b, b), of
    the mean gains at the b budgets, ascending, and `shared` one number or (b,). The margins are taken as they are.
    Raises `RunError` as that does.
    """
    lacking = {budget: margins[budget] - np.asarray(values, np.float64) for budget, values in gains.items()}
    none = np.zeros(len(next(iter(lacking.values()), ())))
    covariance = None if test_covariance is None else np.pad(np.asarray(test_covariance), (0, 1))
    shares = np.append(np.broadcast_to(shared, len(lacking)), 0.0)
    return matching_labels(lacking, none, test_covariance=covariance, shared=shares, level=level)


def _moves(deviations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws (DRAWS, k) of what the seeds leave open of k means, from the deviations (n, k) of their seeds: with independent
    normal weights of the seeds they have the covariance of the means, and with one χ² for all means Student's t for each."""
    n = len(deviations)
    drawn = rng.standard_normal((DRAWS, n)) @ deviations / math.sqrt(n * (n - 1))
    moves: np.ndarray = drawn * np.sqrt((n - 1) / rng.chisquare(n - 1, (DRAWS, 1)))
    return moves


def _reached(places: np.ndarray, means: np.ndarray, target: float) -> float:
    """The logarithm of the labels at which the rising curve first reaches the target; infinite where it never does."""
    rising = isotonic_regression(means).x
    after = int(np.searchsorted(rising, target, "left"))
    if after == len(rising):
        return math.inf
    if after == 0:
        return float(places[0])
    share = (target - rising[after - 1]) / (rising[after] - rising[after - 1])
    return float(places[after - 1] + share * (places[after] - places[after - 1]))


def _labels(budgets: Sequence[int], logarithm: float) -> float | None:
    """The number of labels; a budget itself where it is one, since exp(log(100)) is not 100."""
    if math.isinf(logarithm):
        return None
    return next((float(budget) for budget in budgets if math.log(budget) == logarithm), math.exp(logarithm))
