"""The verdict on two arms that were trained with paired seeds and tested on the same jets.

Any metric will do, of any range and either direction: what is compared are its values, with the variance that the test sample
gives their mean difference. Two errors meet in it. The seeds' (initialisation, label subset, batch order) is sd/√n, and more
where they share labels (`statistics.resolution`). The test sample's is that of the mean difference itself: it counts what the
seeds have in common, which does not shrink with their number, and 1/n of the rest, which shows up between the seeds as well.
"""

from __future__ import annotations

import math
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.statistics.intervals import LEVEL, Interval, alpha_of, clopper_pearson, t_interval
from jetbench.statistics.power import Needed, fresh_seeds
from jetbench.statistics.resolution import LEAST_SEEDS, Spread, sign_flip, widening
from jetbench.values import Value

__all__ = [
    "PERMUTATION_FROM",
    "Comparison",
    "Verdict",
    "beside",
    "compare",
    "decide",
    "mirrored",
    "seed_weights",
    "unit_mean",
]

PERMUTATION_FROM = 8  # seeds: below, the sign-flip test's smallest p is too near 5 % (0.0625 at five) to decide (protocol)


class Verdict(StrEnum):
    """What the comparison says about the arm against its baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


MIRRORED = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}


class Comparison(Value):
    """An arm against its baseline. All errors, limits and the margin are in the unit of the metric; None marks what one unit
    cannot tell.

    arm, baseline: mean of the metric with its t interval over units. difference: the arm's mean minus the baseline's, which
    speaks for the arm where it is positive and `larger_is_better`, or negative and not. `low`, `high`: two-sided interval at
    `level` of the mean difference, with the total error; `equivalence_low`, `equivalence_high`: the (1−2α) interval of the two
    one-sided tests. units: independent ones, which are encoders where seeds share them (`clustered`) and seeds otherwise;
    `seeds` counts all. degrees_of_freedom: None means infinite. p_difference: the deciding p, the larger of p_t and, from eight
    units on, p_sign_flip. adjusted_*: after Holm, in a `family` of so many comparisons.
    probability_better: share of units in which the arm wins, ties half; its low end counts ties as losses and its high end as
    wins, so it covers at least `level`. shared: the share of their labels that two seeds have in common. pooled: the mean
    difference over all seeds, with its interval, where some were looked at before and have no part in anything else here; it
    decides nothing.
    """

    verdict: Verdict = Verdict.UNDECIDED
    arm: Interval
    baseline: Interval
    difference: float
    low: float | None = None
    high: float | None = None
    equivalence_low: float | None = None
    equivalence_high: float | None = None
    seed_error: float | None = None
    test_error: float
    total_error: float | None = None
    degrees_of_freedom: float | None = None
    p_t: float | None = None
    p_sign_flip: float | None = None
    p_difference: float | None = None
    p_equivalence: float | None = None
    adjusted_p_difference: float | None = None
    adjusted_p_equivalence: float | None = None
    family: int = 1
    probability_better: Interval
    margin: float
    larger_is_better: bool = True
    level: float
    units: int
    seeds: int
    clustered: bool
    shared: float = 0.0
    pooled: Interval | None = None

    @property
    def spread(self) -> Spread | None:
        """What the units say about the error; None for one."""
        if self.seed_error is None:
            return None
        deviation = self.seed_error * math.sqrt(self.units) / widening(self.units, self.shared)
        return Spread(deviation, self.test_error, self.units, self.shared)

    @cached_property
    def needed(self) -> Needed | None:
        """How many fresh units have the power to settle it; None where it is settled, or where one unit has no spread.

        It is to be significant at α/`family`, Holm's first step, which is enough whatever comes out of the others.
        """
        spread, alpha = self.spread, alpha_of(self.level)
        if self.verdict is not Verdict.UNDECIDED or spread is None:
            return None
        return fresh_seeds(spread, self.difference, self.margin, alpha / self.family, alpha / self.family)


def compare(
    arm: ArrayLike,
    baseline: ArrayLike,
    test_variance: float,
    margin: float,
    *,
    larger_is_better: bool = True,
    clusters: ArrayLike | None = None,
    level: float = LEVEL,
    shared: float = 0.0,
) -> Comparison:
    """Compare a metric of paired seeds, arm (n,) against baseline (n,), with the variance over the test sample of their mean
    difference, weighted by `seed_weights(n, clusters)`.

    Differences within ±`margin`, in the unit of the metric, are of no weight: one that is significant and yet wholly within the
    margin is `equivalent`. `clusters` (n,) holds the index of the encoder that each seed was fine-tuned from; seeds of one
    encoder share its random effect and are averaged first. `shared` is the share of their labels that two seeds have in common
    (`statistics.resolution.overlap`).
    Raises `RunError` for lengths that differ, values that are not finite, a negative variance or a negative margin.
    """
    alpha = alpha_of(level)
    columns = _columns(arm, baseline)
    arms, baselines = _averaged(columns, clusters)
    differences, n = arms - baselines, len(arms)
    test = math.sqrt(_checked("variance over the test sample", test_variance))
    draft = Comparison(
        arm=t_interval(arms, level),
        baseline=t_interval(baselines, level),
        difference=float(differences.mean()),
        test_error=test,
        probability_better=_probability(differences if larger_is_better else -differences, level),
        margin=_checked("margin", margin),
        larger_is_better=larger_is_better,
        level=level,
        units=n,
        seeds=columns.shape[1],
        clustered=n < columns.shape[1],
        shared=shared,
        **(_tested(differences, test, shared, margin, alpha) if n > 1 else {}),
    )
    return decide(draft)


def beside(fresh: Comparison, pooled: Comparison) -> Comparison:
    """Return the comparison of the fresh seeds with the interval that all seeds have together.

    Seeds that were looked at before their number was raised have had their chance of a verdict, and may not have another.
    """
    interval = Interval(mean=pooled.difference, low=pooled.low, high=pooled.high, n=pooled.units)
    marked: Comparison = fresh.replace(pooled=interval)
    return marked


def mirrored(comparison: Comparison) -> Comparison:
    """Return the same comparison with arm and baseline in each other's place: what was better is worse, by the same tests with
    the same margin."""
    pooled, won = comparison.pooled, comparison.probability_better
    found: Comparison = comparison.replace(
        verdict=MIRRORED.get(comparison.verdict, comparison.verdict),
        arm=comparison.baseline,
        baseline=comparison.arm,
        difference=-comparison.difference,
        low=_minus(comparison.high),
        high=_minus(comparison.low),
        equivalence_low=_minus(comparison.equivalence_high),
        equivalence_high=_minus(comparison.equivalence_low),
        probability_better=Interval(mean=1 - won.mean, low=_rest(won.high), high=_rest(won.low), n=won.n),
        pooled=pooled and Interval(mean=-pooled.mean, low=_minus(pooled.high), high=_minus(pooled.low), n=pooled.n),
    )
    return found


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _rest(share: float | None) -> float | None:
    return None if share is None else 1 - share


def _tested(differences: np.ndarray, test: float, shared: float, margin: float, alpha: float) -> dict[str, Any]:
    """The fields of a comparison that need a spread between units: errors, limits and p values."""
    difference, n = float(differences.mean()), len(differences)
    spread = Spread(float(differences.std(ddof=1)), test, n, shared)
    half, half_tost = spread.half_width(alpha), spread.half_width(2 * alpha)
    p_t, p_flip = spread.p_difference(difference), sign_flip(differences)
    p, p_equivalence = p_t if n < PERMUTATION_FROM else max(p_t, p_flip), spread.p_equivalence(difference, margin)
    return {
        "low": difference - half,
        "high": difference + half,
        "equivalence_low": difference - half_tost,
        "equivalence_high": difference + half_tost,
        "seed_error": spread.seed,
        "total_error": spread.total,
        "degrees_of_freedom": spread.degrees if math.isfinite(spread.degrees) else None,
        "p_t": p_t,
        "p_sign_flip": p_flip,
        "p_difference": p,
        "p_equivalence": p_equivalence,
        "adjusted_p_difference": p,
        "adjusted_p_equivalence": p_equivalence,
    }


def decide(comparison: Comparison) -> Comparison:
    """Return the comparison with the verdict that follows from its (adjusted) p values."""
    decided: Comparison = comparison.replace(verdict=_verdict(comparison))
    return decided


def _verdict(comparison: Comparison) -> Verdict:
    alpha = alpha_of(comparison.level)
    p, p_equivalence = comparison.adjusted_p_difference, comparison.adjusted_p_equivalence
    if p is None or p_equivalence is None or comparison.units < LEAST_SEEDS:
        return Verdict.UNDECIDED
    if p_equivalence <= alpha:
        return Verdict.EQUIVALENT
    if p <= alpha:
        ahead = comparison.difference > 0 if comparison.larger_is_better else comparison.difference < 0
        return Verdict.BETTER if ahead else Verdict.WORSE
    return Verdict.UNDECIDED


def seed_weights(seeds: int, clusters: ArrayLike | None = None) -> np.ndarray:
    """Return the weight (n,) of each seed in the mean difference: encoders count alike, and so do the seeds of one."""
    if clusters is None:
        return np.full(seeds, 1 / seeds)
    _, place, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    if len(place) != seeds:
        raise RunError(f"{len(place)} cluster indices for {seeds} seeds")
    return 1 / (len(sizes) * sizes[place])


def unit_mean(values: ArrayLike, clusters: ArrayLike | None = None) -> float:
    """Return the mean of values (n,) over units: over seeds, or over encoders' means where seeds share them."""
    return float(_averaged(np.asarray(values, np.float64)[None], clusters)[0].mean())


def _columns(*columns: ArrayLike) -> np.ndarray:
    """Arm and baseline as one array (2, n)."""
    given = [np.asarray(column, np.float64) for column in columns]
    if given[0].ndim != 1 or not given[0].size or len({column.shape for column in given}) != 1:
        raise RunError(f"paired seeds need columns of one length, not shapes {[column.shape for column in given]}")
    stacked = np.stack(given)
    if not np.isfinite(stacked).all():
        raise RunError("values of a metric are finite")
    return stacked


def _averaged(columns: np.ndarray, clusters: ArrayLike | None) -> np.ndarray:
    """Columns (…, k) of cluster means."""
    if clusters is None:
        return columns
    names = np.asarray(clusters)
    if names.shape != columns.shape[1:]:
        raise RunError(f"{names.size} cluster indices for {columns.shape[1]} seeds")
    return np.stack([columns[:, names == name].mean(axis=1) for name in np.unique(names)], axis=1)


def _probability(differences: np.ndarray, level: float) -> Interval:
    n, wins, ties = len(differences), int((differences > 0).sum()), int((differences == 0).sum())
    low, high = clopper_pearson(wins, n, level).low, clopper_pearson(wins + ties, n, level).high
    return Interval(mean=(wins + ties / 2) / n, low=low, high=high, n=n)


def _checked(name: str, value: float) -> float:
    if not 0 <= value < math.inf:
        raise RunError(f"a {name} of {value} makes no sense")
    return value
