"""The error of a mean over seeds, or of a mean difference, from its two sources, and the tests that rest on it.

Label budgets are drawn from one finite pool, so that seeds share labels. Two subsets that are each a share f of the pool have the
share f of their jets in common. Whatever a training makes of its labels, in Hoeffding's decomposition by the number of jets
that a part depends on (Ann. Math. Stat. 19 (1948) 293; here of order k), what two seeds have in common of the part of order k
is a share of about f^k ≤ f. Of a variance v from the labels the seeds therefore show at least (1−f)v as their spread and hide at
most f·v, which no number of seeds averages out. With s² the variance between seeds, v ≤ s²/(1−f), and the mean of n seeds has at
most the variance s²/n + s²·f/(1−f). That is cautious where a spread comes from initialisation and batch order instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jetbench.statistics.intervals import t_quantile, t_tail

__all__ = ["LEAST_SEEDS", "Spread", "overlap", "sign_flip", "widening"]

LEAST_SEEDS = 5  # a verdict needs as many independent seeds (protocol, section 5)
MOST_OVERLAP = 0.95  # seeds that share more show nothing of what their labels do; the bound is taken at this share
ENUMERATED = 16  # seeds up to which all 2ⁿ sign patterns are visited
DRAWN = 1 << 16  # sign patterns drawn beyond


@dataclass(frozen=True)
class Spread:
    """What n seeds say about the error of their mean difference; all in the unit of the metric.

    `deviation` is the sample standard deviation between seeds, `test` the error from the test sample, which is one for all
    seeds and does not shrink with n. `shared` is the share of their labels that two seeds have in common, see `overlap`.
    """

    deviation: float
    test: float
    n: int
    shared: float = 0.0

    @property
    def seed(self) -> float:
        return self.deviation / math.sqrt(self.n) * widening(self.n, self.shared)

    @property
    def hidden(self) -> float:
        """The error that seeds hide since they share labels; like `test` it does not shrink with n."""
        return self.deviation * math.sqrt(self.shared / (1 - self.shared))

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


def overlap(budget: int, pool: int) -> float:
    """Return the share of their labels that two seeds have in common: `budget` of the `pool` jets outside the test set."""
    return min(budget / pool, MOST_OVERLAP)


def widening(seeds: int, shared: float) -> float:
    """Return the factor by which shared labels widen the error of a mean between seeds: √(1 + n·f/(1−f))."""
    return math.sqrt(1 + seeds * shared / (1 - shared))


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
