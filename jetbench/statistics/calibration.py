"""The instrument tested on itself: how often `compare` errs where the truth is planted, and what its intervals cover."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from jetbench.seeds import numpy_rng
from jetbench.statistics.comparison import Comparison, Verdict, compare, seed_weights, unit_mean
from jetbench.statistics.delong import delong, mean_difference_variance, paired_delong
from jetbench.statistics.intervals import Interval, clopper_pearson
from jetbench.statistics.mean_rejection import mean_rejection
from jetbench.statistics.means import mean_of
from jetbench.statistics.scenarios import Binormal, Draw, Scenario
from jetbench.values import Value

__all__ = ["Covered", "Followed", "Rates", "calibrate", "cover", "follow"]

MARGIN = 0.03  # of what the baseline's AUC leaves to one (protocol, section 5)
EFFICIENCIES = (50, 30)  # of the signal in percent, at which R_x is measured
LOOKED = 5  # seeds of the first look
DECIDED = (Verdict.BETTER, Verdict.WORSE)


class Rates(Value):
    """Shares of the verdicts over replays, and `coverage`, that of the intervals which hold the planted difference, each with its
    Clopper–Pearson interval. The mean and the standard `deviation` over replays of the measured difference stand beside the
    mean total error that `compare` claimed."""

    better: Interval
    worse: Interval
    equivalent: Interval
    undecided: Interval
    coverage: Interval
    replays: int
    difference: float
    deviation: float
    total_error: float


class Covered(Value):
    """Shares of the intervals that hold the planted truth of one arm: of the mean `auc`, and of R_x at two signal efficiencies,
    where `resolved_x` are the shares of the replays in which the report shows R_x and not a lower bound."""

    auc: Interval
    rejection_50: Interval
    resolved_50: Interval
    rejection_30: Interval
    resolved_30: Interval


class Followed(Value):
    """Shares of the replays in which an arm is called better or worse: by the `first` look at five seeds; finally, where an
    undecided look is followed by as many more seeds as it needs and all are `kept`, or the `fresh` ones decide. Of the replays
    that were `followed`, the shares in which the second verdict alone says so are `kept_second` and `fresh_second`."""

    first: Interval
    kept: Interval
    fresh: Interval
    kept_second: Interval
    fresh_second: Interval
    followed: int
    replays: int


def calibrate(scenario: Scenario, replays: int, seed: int = 0, widened: bool = True) -> Rates:
    """Return the verdict shares of `compare` over so many replays of the scenario; the same seed gives the same numbers.

    `widened=False` withholds from `compare` the share of labels that seeds have in common, to show what ignoring it does.
    """
    clusters, shared = scenario.clusters(), scenario.shared if widened else 0.0
    found = []
    for replay in range(replays):
        drawn = scenario.draw(numpy_rng("calibration", scenario.canonical(), seed, replay))
        found.append(_compare(drawn, clusters, shared))
    verdicts = Counter(one.verdict for one in found)
    held = sum((one.low or 0.0) <= scenario.difference <= (one.high or 0.0) for one in found)
    measured = [one.difference for one in found]
    return Rates(
        **{verdict.value: clopper_pearson(verdicts[verdict], replays) for verdict in Verdict},
        coverage=clopper_pearson(held, replays),
        replays=replays,
        difference=float(np.mean(measured)),
        deviation=float(np.std(measured)),
        total_error=float(np.mean([one.total_error or 0.0 for one in found])),
    )


def follow(scenario: Scenario, replays: int, seed: int = 0) -> Followed:
    """Return what comes of following "needs n seeds" once, from `LOOKED` of the scenario's seeds on.

    The others are those that may be added: where more are needed, nobody trains them and the first look stands.
    """
    counts = Counter[str]()
    for replay in range(replays):
        labels, arm, baseline = scenario.draw(numpy_rng("follow", scenario.canonical(), seed, replay))
        first = _compare((labels, arm[:LOOKED], baseline[:LOOKED]))
        end = LOOKED + (first.needed.seeds or len(arm) if first.needed else 0)
        kept = fresh = first
        if LOOKED < end <= len(arm):
            kept, fresh = (_compare((labels, arm[part], baseline[part])) for part in (slice(end), slice(LOOKED, end)))
            counts["followed"] += 1
            counts["kept_second"] += kept.verdict in DECIDED
            counts["fresh_second"] += fresh.verdict in DECIDED
        for name, one in (("first", first), ("kept", kept), ("fresh", fresh)):
            counts[name] += one.verdict in DECIDED
    again = max(counts["followed"], 1)
    return Followed(
        **{name: clopper_pearson(counts[name], replays) for name in ("first", "kept", "fresh")},
        **{name: clopper_pearson(counts[name], again) for name in ("kept_second", "fresh_second")},
        followed=counts["followed"],
        replays=replays,
    )


def _compare(drawn: Draw, clusters: np.ndarray | None = None, shared: float = 0.0) -> Comparison:
    """The comparison of the AUCs, as the task of classification makes it."""
    labels, arm, baseline = drawn
    variance = mean_difference_variance(labels, arm, baseline, seed_weights(len(arm), clusters))
    areas, others, _ = paired_delong(labels, arm, baseline)
    margin = MARGIN * (1 - unit_mean(others, clusters))
    return compare(areas, others, variance, margin, clusters=clusters, shared=shared)


def cover(scenario: Binormal, replays: int, seed: int = 0) -> Covered:
    """Return how often the intervals of the baseline's own numbers hold what is planted, of seeds with encoders of their own."""
    truths, counts = {x: scenario.rejection(x) for x in EFFICIENCIES}, Counter[str]()
    for replay in range(replays):
        labels, _, scores = scenario.draw(numpy_rng("cover", scenario.canonical(), seed, replay))
        areas, covariance = delong(labels, scores)
        mean = mean_of(areas, float(covariance.mean()))  # the variance over the test sample of the mean over seeds
        counts["auc"] += _holds(mean.low, mean.high, scenario.auc)
        for x, truth in truths.items():
            found = mean_rejection(labels, scores, x)
            counts[f"rejection_{x}"] += _holds(found.low, found.high, truth)
            counts[f"resolved_{x}"] += found.resolved
    return Covered(**{name: clopper_pearson(counts[name], replays) for name in Covered.model_fields})


def _holds(low: float | None, high: float | None, truth: float) -> bool:
    """Whether an interval holds the truth; an end that is None is open."""
    return (-math.inf if low is None else low) <= truth <= (math.inf if high is None else high)
