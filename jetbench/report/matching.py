"""How many labels a baseline needs to be as good as an arm is with few, and with how many the gain of the arm ends."""

from __future__ import annotations

import numpy as np

from jetbench.report.pairing import by_unit
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count
from jetbench.statistics.comparison import seed_weights
from jetbench.statistics.matching import Match, ending_labels, matching_labels
from jetbench.suites.plan import CellKey

__all__ = ["about", "ending", "ending_seeds", "labels_interval", "match", "match_text"]

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


def ending(results: Results, arm: str) -> Match | None:
    """Find the labels at which the gain of an arm over its baseline falls below the margin of equivalence, with an interval from
    seeds and test sample. It rests on the budgets and seeds of `ending_seeds`. None unless
    there are two such budgets, and two seeds or encoders."""
    baseline = results.baselines[arm]
    budgets, seeds = ending_seeds(results, arm)
    if len(budgets) < 2 or not seeds:
        return None
    clusters = results.clusters(arm, budgets[0], seeds) or results.clusters(baseline, budgets[0], seeds)
    if len(seeds if clusters is None else set(clusters)) < 2:
        return None
    mine, others = ([(name, n) for n in budgets] for name in (arm, baseline))
    pairs = zip(mine, others, strict=True)
    sign = 1 if results.metric.larger_is_better else -1
    gains = [sign * (_values(results, own, seeds) - _values(results, other, seeds)) for own, other in pairs]
    minus = np.hstack([np.eye(len(budgets)), -np.eye(len(budgets))])
    return ending_labels(
        {n: by_unit(gained, clusters) for n, gained in zip(budgets, gains, strict=True)},
        {n: results.comparisons[arm, n].margin for n in budgets},
        test_covariance=minus @ _covariance(results, [*mine, *others], seeds, clusters) @ minus.T,
        shared=[results.shared(n) for n in budgets],
    )


def ending_seeds(results: Results, arm: str) -> tuple[list[int], list[int]]:
    """List what `ending` rests on: the budgets at which arm and baseline have two fresh seeds, and the seeds of all these."""
    baseline = results.baselines[arm]
    budgets = [n for n in results.plan.instance.settings.labels if len(results.fresh_seeds(arm, baseline, n)) > 1]
    common = [{*results.fresh_seeds(arm, baseline, n)} for n in budgets]
    return budgets, sorted(set.intersection(*common)) if common else []


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
    needed = f"{results.baselines[arm]} needs {about(found, found.labels)} labels"
    none = ", which includes no gain" if found.low is not None and found.low <= labels else ""
    return f"To match {arm} at {count(labels)} labels, {needed} ({labels_interval(results, found)}{none})."


def labels_interval(results: Results, found: Match) -> str:
    """Write the interval of a number of labels, and what it rests on."""
    low, high = (about(found, end) for end in (found.low, found.high))
    paired = f"paired by {'fresh ' if results.fresh_from else ''}seeds and test jets"
    return f"{LEVEL_TEXT} interval, {paired}: {f'from {low} to {high}' if low != high else low}"


def about(found: Match, labels: float | None) -> str:
    """Write a number of labels: "330", "50 or fewer" at the smallest budget, "more than 1000" beyond the largest."""
    if labels is None:
        return f"more than {count(found.largest)}"
    if labels <= found.smallest:
        return f"{count(found.smallest)} or fewer"
    digits = DIGITS - len(str(int(labels)))
    return count(int(round(labels, digits)) if digits < 0 else round(labels))
