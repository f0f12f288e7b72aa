"""The verdict on two arms that were trained with paired seeds and tested on the same jets.

Two errors meet in the mean difference. The seeds' (initialisation, label subset, batch order) is sd/√n. The test sample's is, by
default, the mean of the seeds' paired DeLong variances, and does not shrink with their number. That is cautious: the part of
DeLong's variance that differs from model to model shows up between the seeds as well, and is counted again. `test_variance` takes
DeLong's variance of the mean difference instead, which counts only what the seeds have in common (and 1/n of the rest).
"""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.statistics.intervals import Interval, alpha_of, clopper_pearson, t_interval
from jetbench.statistics.resolution import LEAST_SEEDS, Spread, seeds_needed, sign_flip
from jetbench.values import Value

__all__ = ["PERMUTATION_FROM", "Comparison", "Verdict", "compare", "decide", "seed_weights"]

PERMUTATION_FROM = 8  # seeds: below, the sign-flip test's smallest p is too near 5 % (0.0625 at five) to decide (protocol)


class Verdict(StrEnum):
    """What the comparison says about the arm against its baseline."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


class Comparison(Value):
    """An arm against its baseline. All errors, limits and the margin are in units of AUC; None marks what one unit cannot tell.

    arm, baseline: mean AUC with its t interval over units. `low`, `high`: two-sided interval at `level` of the mean
    difference, with the total error; `equivalence_low`, `equivalence_high`: the (1−2α) interval of the two one-sided tests.
    units: independent ones, which are encoders where seeds share them (`clustered`) and seeds otherwise; `seeds` counts all.
    degrees_of_freedom: None means infinite. p_difference: the deciding p, the larger of p_t and, from eight units on,
    p_sign_flip. adjusted_*: after Holm, equal to the plain ones for a primary comparison. probability_better: share of units in
    which the arm wins, ties half; its low end counts ties as losses and its high end as wins, so it covers at least `level`.
    seeds_needed: total number of units that would settle an undecided case. reason: why it is undecided, in plain words.
    """

    verdict: Verdict
    reason: str
    arm: Interval
    baseline: Interval
    difference: float
    low: float | None
    high: float | None
    equivalence_low: float | None
    equivalence_high: float | None
    seed_error: float | None
    test_error: float
    total_error: float | None
    degrees_of_freedom: float | None
    p_t: float | None
    p_sign_flip: float | None
    p_difference: float | None
    p_equivalence: float | None
    adjusted_p_difference: float | None
    adjusted_p_equivalence: float | None
    probability_better: Interval
    margin: float
    level: float
    units: int
    seeds: int
    clustered: bool
    seeds_needed: int | None


def compare(
    arm: ArrayLike,
    baseline: ArrayLike,
    variances: ArrayLike,
    clusters: ArrayLike | None = None,
    margin_fraction: float = 0.03,
    level: float = 0.95,
    test_variance: float | None = None,
) -> Comparison:
    """Compare AUCs arm (n,) and baseline (n,) of paired seeds, with the paired DeLong variances (n,) of their differences.

    `clusters` (n,) holds the index of the encoder that each seed was fine-tuned from; seeds of one encoder share its random
    effect and are averaged first. `margin_fraction` of what the baseline leaves, 1 − AUC, is the region of equivalence
    (protocol: 3 %). A difference that is significant and yet wholly within the margin is `equivalent`: real, but of no weight.
    `test_variance` replaces the mean of the variances; take it from `mean_difference_variance` with `seed_weights(n, clusters)`.
    Raises `RunError` for lengths that differ, values that are not finite, AUCs outside [0, 1] or negative variances.
    """
    alpha = alpha_of(level)
    columns = _columns(arm, baseline, variances)
    units = _averaged(columns, clusters)
    arms, baselines, tests = units
    differences, n = arms - baselines, len(arms)
    difference, test = float(differences.mean()), float(tests.mean()) if test_variance is None else test_variance
    if not 0 <= test < math.inf:
        raise RunError(f"a variance over the test sample of {test} makes no sense")
    margin = margin_fraction * (1 - float(baselines.mean()))
    spread = Spread(float(differences.std(ddof=1)), math.sqrt(test), n) if n > 1 else None
    half, half_tost = (spread.half_width(alpha), spread.half_width(2 * alpha)) if spread else (None, None)
    p_t = spread.p_difference(difference) if spread else None
    p_flip = sign_flip(differences) if spread else None
    p = p_t if p_t is None or p_flip is None or n < PERMUTATION_FROM else max(p_t, p_flip)
    p_equivalence = spread.p_equivalence(difference, margin) if spread else None
    draft = Comparison(
        verdict=Verdict.UNDECIDED,
        reason="",
        arm=t_interval(arms, level),
        baseline=t_interval(baselines, level),
        difference=difference,
        low=_shifted(difference, half, -1),
        high=_shifted(difference, half, 1),
        equivalence_low=_shifted(difference, half_tost, -1),
        equivalence_high=_shifted(difference, half_tost, 1),
        seed_error=spread.seed if spread else None,
        test_error=math.sqrt(test),
        total_error=spread.total if spread else None,
        degrees_of_freedom=spread.degrees if spread and math.isfinite(spread.degrees) else None,
        p_t=p_t,
        p_sign_flip=p_flip,
        p_difference=p,
        p_equivalence=p_equivalence,
        adjusted_p_difference=p,
        adjusted_p_equivalence=p_equivalence,
        probability_better=_probability(differences, level),
        margin=margin,
        level=level,
        units=n,
        seeds=columns.shape[1],
        clustered=n < columns.shape[1],
        seeds_needed=None,
    )
    return decide(draft)


def decide(comparison: Comparison) -> Comparison:
    """The comparison with verdict, reason and seeds_needed that follow from its (adjusted) p values."""
    alpha = alpha_of(comparison.level)
    p, p_equivalence = comparison.adjusted_p_difference, comparison.adjusted_p_equivalence
    if p is None or p_equivalence is None or comparison.units < LEAST_SEEDS:
        return _undecided(comparison)
    if p_equivalence <= alpha:
        return _settled(comparison, Verdict.EQUIVALENT)
    if p <= alpha:
        return _settled(comparison, Verdict.BETTER if comparison.difference > 0 else Verdict.WORSE)
    return _undecided(comparison)


def _settled(comparison: Comparison, verdict: Verdict) -> Comparison:
    settled: Comparison = comparison.replace(verdict=verdict, reason="", seeds_needed=None)
    return settled


def _undecided(comparison: Comparison) -> Comparison:
    what = "encoders" if comparison.clustered else "seeds"
    needed: int | None = None
    if comparison.units == 1:
        reason = "for this one encoder: its own random effect is unknown" if comparison.clustered else "one seed has no spread"
        needed = LEAST_SEEDS
    else:
        needed = _needed(comparison)
        reason = f"{comparison.units} {what} leave both a difference and equivalence open"
        if comparison.units < LEAST_SEEDS:
            reason = f"{comparison.units} {what} are too few for a verdict, {LEAST_SEEDS} are the least"
        if needed is None:
            reason += f"; no number of {what} would do: the test sample's error alone is too large, more test jets are needed"
    undecided: Comparison = comparison.replace(verdict=Verdict.UNDECIDED, reason=reason, seeds_needed=needed)
    return undecided


def _needed(comparison: Comparison) -> int | None:
    """Holm's factor, where there is one, sharpens α for the search as it did for the decision."""
    alpha, n = alpha_of(comparison.level), comparison.units
    spread = Spread((comparison.seed_error or 0.0) * math.sqrt(n), comparison.test_error, n)
    sharper = _share(comparison.p_difference, comparison.adjusted_p_difference)
    sharper_equivalence = _share(comparison.p_equivalence, comparison.adjusted_p_equivalence)
    return seeds_needed(spread, comparison.difference, comparison.margin, alpha * sharper, alpha * sharper_equivalence)


def _share(plain: float | None, adjusted: float | None) -> float:
    return plain / adjusted if plain and adjusted else 1.0


def seed_weights(seeds: int, clusters: ArrayLike | None = None) -> np.ndarray:
    """The weight (n,) of each seed in the mean difference: every encoder counts the same, and so does each of its seeds."""
    if clusters is None:
        return np.full(seeds, 1 / seeds)
    _, place, sizes = np.unique(np.asarray(clusters), return_inverse=True, return_counts=True)
    if len(place) != seeds:
        raise RunError(f"{len(place)} cluster indices for {seeds} seeds")
    return 1 / (len(sizes) * sizes[place])


def _columns(*columns: ArrayLike) -> np.ndarray:
    """Arm, baseline and variances as one array (3, n)."""
    given = [np.asarray(column, np.float64) for column in columns]
    if given[0].ndim != 1 or not given[0].size or len({column.shape for column in given}) != 1:
        raise RunError(f"paired seeds need columns of one length, not shapes {[column.shape for column in given]}")
    stacked = np.stack(given)
    if not np.isfinite(stacked).all() or stacked.min() < 0 or stacked[:2].max() > 1:
        raise RunError("AUCs lie in [0, 1] and variances are finite and not negative")
    return stacked


def _averaged(columns: np.ndarray, clusters: ArrayLike | None) -> np.ndarray:
    """Columns (3, k) of cluster means."""
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


def _shifted(center: float, half: float | None, sign: int) -> float | None:
    return None if half is None else center + sign * half
