"""How many labels a baseline needs to be as good as an arm is with few."""

from __future__ import annotations

import numpy as np

from jetbench.report.pairing import by_unit
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.statistics.comparison import seed_weights
from jetbench.statistics.matching import Match, matching_labels
from jetbench.suites.plan import CellKey

__all__ = ["match", "match_text"]

DIGITS = 2  # of a number of labels: none of them is known better


def match(results: Results, arm: str, labels: int) -> Match | None:
    """Find the labels that the baseline needs to match an arm at a budget, with an interval from seeds and test sample. None
    unless two budgets of the baseline, and the arm itself, have two finished seeds or encoders."""
    baseline = results.baselines[arm]
    places = [(baseline, budget) for budget in results.plan.instance.settings.budgets(baseline)]
    curve = {place: values for place in places if len(values := _values(results, *place)) > 1}
    target = _values(results, arm, labels)
    if len(curve) < 2 or len(target) < 2:
        return None
    return matching_labels(
        {budget: values for (_, budget), values in curve.items()},
        target,
        larger_is_better=results.metric.larger_is_better,
        test_covariance=_covariance(results, [*curve, (arm, labels)]),
    )


def _values(results: Results, arm: str, labels: int) -> np.ndarray:
    """The metric of each finished seed, or the means of encoders that seeds share."""
    return by_unit(results.headlines(arm, labels), results.clusters(arm, labels, results.seeds(arm, labels)))


def _covariance(results: Results, places: list[tuple[str, int]]) -> np.ndarray:
    """Of the means over seeds at these places, over the test sample."""
    seeds = [results.seeds(*place) for place in places]
    found = [results.scores(CellKey(*place, seed)) for place, some in zip(places, seeds, strict=True) for seed in some]
    weights = np.zeros((len(places), len(found)))
    first = 0
    for row, place, some in zip(weights, places, seeds, strict=True):
        row[first : first + len(some)] = seed_weights(len(some), results.clusters(*place, some))
        first += len(some)
    return results.task.covariance(found[0][1], np.stack([scores for _, _, scores in found]), weights)


def match_text(results: Results, arm: str, labels: int) -> str:
    """Write a sentence: how many labels the baseline needs to match an arm at a budget. Empty where nothing can be said."""
    found = match(results, arm, labels)
    if found is None:
        return ""
    low, high = (_about(found, end) for end in (found.low, found.high))
    interval = f"from {low} to {high}" if low != high else low
    needed = f"{results.baselines[arm]} needs {_about(found, found.labels)} labels"
    return f"To match {arm} at {count(labels)} labels, {needed} (95 % interval: {interval})."


def _about(found: Match, labels: float | None) -> str:
    """ "330", "50 or fewer" at the smallest budget, "more than 1000" beyond the largest."""
    if labels is None:
        return f"more than {count(found.largest)}"
    if labels <= found.smallest:
        return f"{count(found.smallest)} or fewer"
    digits = DIGITS - len(str(int(labels)))
    return count(int(round(labels, digits)) if digits < 0 else round(labels))
