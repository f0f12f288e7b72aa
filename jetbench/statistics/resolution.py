"""The error of a mean difference from its two sources, and what more seeds could still do about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jetbench.statistics.intervals import t_quantile, t_tail

__all__ = ["LEAST_SEEDS", "Spread", "seeds_needed", "sign_flip"]

LEAST_SEEDS = 5  # a verdict needs as many independent seeds (protocol, section 5)
MOST_SEEDS = 100_000  # where the search for a number of seeds gives up: nobody trains more
ENUMERATED = 16  # seeds up to which all 2ⁿ sign patterns are visited
DRAWN = 1 << 16  # sign patterns drawn beyond


@dataclass(frozen=True)
class Spread:
    """What n seeds say about the error of their mean difference; all in the unit of the metric.

    `deviation` is the sample standard deviation between seeds, `test` the error from the test sample, which is one for all
    seeds and does not shrink with n.
    """

    deviation: float
    test: float
    n: int

    @property
    def seed(self) -> float:
        return self.deviation / math.sqrt(self.n)

    @property
    def total(self) -> float:
        return math.hypot(self.seed, self.test)

    @property
    def degrees(self) -> float:
        """Welch–Satterthwaite: n−1 for the seeds' part, infinitely many for the test sample's with its thousands of jets."""
        return (self.n - 1) * (self.total / self.seed) ** 4 if self.seed > 0 else math.inf

    def half_width(self, alpha: float) -> float:
        """Return half of the two-sided (1−alpha) interval."""
        return t_quantile(1 - alpha / 2, self.degrees) * self.total

    def p_difference(self, difference: float) -> float:
        """Return the two-sided p of "the mean difference is zero"; without any error it is 0 or 1."""
        if self.total == 0:
            return float(difference == 0)
        return 2 * t_tail(abs(difference) / self.total, self.degrees)

    def p_equivalence(self, difference: float, margin: float) -> float:
        """Return the p of "the mean difference lies outside ±margin": the larger one of two one-sided tests (Schuirmann 1987)."""
        if self.total == 0:
            return float(abs(difference) > margin)
        return t_tail((margin - abs(difference)) / self.total, self.degrees)


def sign_flip(differences: np.ndarray) -> float:
    """Return the two-sided p of the sign-flip permutation test on the mean of differences (n,).

    It is exact for n ≤ 16, else of 65 536 draws. Under "the two arms are exchangeable within a seed" each
    sign is as likely as the other. The draws depend on n alone.
    """
    n = len(differences)
    if n <= ENUMERATED:
        signs = 1 - 2 * ((np.arange(1 << n)[:, None] >> np.arange(n)) & 1)
    else:
        signs = 1 - 2 * np.random.default_rng(n).integers(0, 2, (DRAWN, n))
        signs[0] = 1  # the observed pattern is one of those possible: p is never zero
    sums = np.abs(signs @ differences)
    observed = abs(differences.sum())
    return float(np.mean(sums >= observed * (1 - 1e-12)))  # rounding must not lose the ties


def seeds_needed(spread: Spread, difference: float, margin: float, alpha: float, alpha_equivalence: float) -> int | None:
    """Return the least number of seeds, above those at hand, at which the observed spread would settle the observed difference.

    Settled means significant at two-sided `alpha`, or within ±margin by two one-sided tests at `alpha_equivalence`. The
    observed difference is taken for the true one, so this is the number at which the chance is about one half. None where
    no number would do, because the test sample's part alone is too large.
    """

    def settles(seeds: float) -> bool:
        then = Spread(spread.deviation if math.isfinite(seeds) else 0.0, spread.test, int(min(seeds, MOST_SEEDS)))
        found = abs(difference) > then.half_width(alpha)
        return found or abs(difference) + then.half_width(2 * alpha_equivalence) <= margin

    if not settles(math.inf):
        return None
    low, high = max(spread.n, LEAST_SEEDS - 1), MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if settles(middle) else (middle, high)
    return high
