"""How many labels a baseline needs to be as good as an arm is with few."""

from __future__ import annotations

import numpy as np

from jetbench.report.pairing import by_unit
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count
from jetbench.statistics.comparison import seed_weights
from jetbench.statistics.matching import Match, matching_labels
from jetbench.suites.plan import CellKey

__all__ = ["match", "match_text"]

DIGITS = 2  # of a number of labels: none of them is known better


def match(results: Results, arm: str, labels: int) -> Match | None:
    """Find the labels that the baseline needs to match an arm at a budget, with an interval from seeds and test sample. It rests
    on the fresh seeds that all of the curve and the arm have finished. None unless two budgets of the baseline, and the arm
    itself, have two of them, or two encoders."""
    baseline = results.baselines[arm]
    places = [(baseline, budget) for budget in results.plan.instance.settings.budgets(baseline)]
    curve = [place for place in places if len(_fresh(results, *place)) > 1]
    seeds = sorted({*_fresh(results, arm, labels)}.intersection(*(_fresh(results, *place) for place in curve)))
    if len(curve) < 2 or not seeds:
        return None
    clusters = results.clusters(arm, labels, seeds) or results.clusters(*curve[0], seeds)
    found = {place: by_unit(_values(results, place, seeds), clusters) for place in (*curve, (arm, labels))}
    if len(found[arm, labels]) < 2:
        return None
    return matching_labels(
        {budget: found[baseline, budget] for _, budget in curve},
        found[arm, labels],
        larger_is_better=results.metric.larger_is_better,
        test_covariance=_covariance(results, list(found), seeds, clusters),
        shared=[results.shared(budget) for _, budget in found],
    )


def _fresh(results: Results, arm: str, labels: int) -> list[int]:
    return [seed for seed in results.seeds(arm, labels) if seed >= results.fresh_from]


def _values(results: Results, place: tuple[str, int], seeds: list[int]) -> np.ndarray:
    key = f"test/{results.metric.key}"
    return np.array([results.cells[CellKey(*place, seed)][key] for seed in seeds])


def _covariance(results: Results, places: list[tuple[str, int]], seeds: list[int], clusters: list[int] | None) -> np.ndarray:
    """Of the means over seeds at these places, over the test sample."""
    found = [results.scores(CellKey(*place, seed)) for place in places for seed in seeds]
    weights = np.kron(np.eye(len(places)), seed_weights(len(seeds), clusters))
    return results.task.covariance(found[0][1], np.stack([scores for _, _, scores in found]), weights)


def match_text(results: Results, arm: str, labels: int) -> str:
    """Write a sentence: how many labels the baseline needs to match an arm at a budget. Empty where nothing can be said."""
    found = match(results, arm, labels)
    if found is None:
        return ""
    low, high = (_about(found, end) for end in (found.low, found.high))
    interval = f"from {low} to {high}" if low != high else low
    needed = f"{results.baselines[arm]} needs {_about(found, found.labels)} labels"
    paired = f"paired by {'fresh ' if results.fresh_from else ''}seeds and test jets"
    none = ", which includes no gain" if found.low is not None and found.low <= labels else ""
    return f"To match {arm} at {count(labels)} labels, {needed} ({LEVEL_TEXT} interval, {paired}: {interval}{none})."


def _about(found: Match, labels: float | None) -> str:
    """ "330", "50 or fewer" at the smallest budget, "more than 1000" beyond the largest."""
    if labels is None:
        return f"more than {count(found.largest)}"
    if labels <= found.smallest:
        return f"{count(found.smallest)} or fewer"
    digits = DIGITS - len(str(int(labels)))
    return count(int(round(labels, digits)) if digits < 0 else round(labels))
