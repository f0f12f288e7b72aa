"""The power of the two tests that decide, and the number of fresh seeds that gives one of them 80 %."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import chdtri, ndtr

from jetbench.statistics.intervals import NORMAL_FROM, t_quantile
from jetbench.statistics.resolution import LEAST_SEEDS, Spread
from jetbench.values import Value

__all__ = ["POWER", "Needed", "difference_power", "equivalence_power", "fresh_seeds"]

POWER = 0.8  # the chance of a verdict that a number of seeds is named for, as in most plans of experiments (Cohen 1988)
MOST_SEEDS = 10_000  # where the search gives up: nobody trains more
TRUTHS = 7  # true differences that are tried between the ends of the one-sigma interval
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)  # on [−1, 1]: probabilities of the spread that seeds may show


class Needed(Value):
    """Numbers of fresh seeds that give a test 80 % power at the spread seen. `seeds` holds where the true difference is the one
    observed; `low` and `high` are the least and the largest number for true differences within one total error of it. None: no
    number would do, since what more seeds cannot average out is too large."""

    seeds: int | None
    low: int | None
    high: int | None


def difference_power(spread: Spread, difference: float, alpha: float) -> float:
    """Return the chance that the two-sided t test at `alpha` finds a true difference, with its sign: a tail of the noncentral t.

    With a test sample's error in the total, Welch and Satterthwaite's degrees of freedom make it an approximation. From eight
    seeds on the sign-flip test decides as well, which takes little of it.
    """
    if spread.total == 0:
        return float(difference != 0)
    shown, weights = _shown(spread.degrees)
    return float(weights @ ndtr(abs(difference) / spread.total - t_quantile(1 - alpha / 2, spread.degrees) * shown))


def equivalence_power(spread: Spread, difference: float, margin: float, alpha: float) -> float:
    """Return the chance that two one-sided tests at `alpha` place a true difference within ±margin."""
    if spread.total == 0:
        return float(abs(difference) <= margin)
    shown, weights = _shown(spread.degrees)
    room = margin / spread.total - t_quantile(1 - alpha, spread.degrees) * shown
    shift = difference / spread.total
    return float(weights @ np.where(room > 0, ndtr(room - shift) - ndtr(-room - shift), 0.0))


def _shown(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """What a measured error may be, as a multiple of the true one (χ/√ν), and with which weight."""
    if degrees > NORMAL_FROM:
        return np.ones(1), np.ones(1)
    return np.sqrt(chdtri(degrees, (1 - NODES) / 2) / degrees), WEIGHTS / 2


def fresh_seeds(spread: Spread, difference: float, margin: float, alpha: float, alpha_equivalence: float) -> Needed:
    """Return how many seeds, taken afresh, give the test of the difference or that of equivalence 80 % power.

    The range covers the uncertainty of the observed difference. The spread between seeds is taken as it was seen.
    """

    def enough(true: float) -> int | None:
        def powerful(seeds: int) -> bool:
            then = replace(spread, n=seeds)
            found = difference_power(then, true, alpha) >= POWER
            return found or (abs(true) < margin and equivalence_power(then, true, margin, alpha_equivalence) >= POWER)

        return _least(powerful)

    truths = np.linspace(difference - spread.total, difference + spread.total, TRUTHS)
    numbers = [enough(float(true)) for true in truths]
    known = [number for number in numbers if number is not None]
    high = max(known) if len(known) == len(numbers) else None
    return Needed(seeds=numbers[TRUTHS // 2], low=min(known, default=None), high=high)


def _least(powerful: Callable[[int], bool]) -> int | None:
    """The least number of seeds, from those that a verdict needs on, that is powerful; power grows with their number."""
    low, high = LEAST_SEEDS - 1, LEAST_SEEDS
    while not powerful(high):
        if high == MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if powerful(middle) else (middle, high)
    return high
