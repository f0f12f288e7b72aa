"""What each learning rate that was tried comes to with all seeds at it, and whether a verdict hangs on the rate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from jetbench.evaluation.artifacts import read_scores
from jetbench.report.pairing import Scores
from jetbench.report.results import Results
from jetbench.report.words import brief_difference, count
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.means import Mean
from jetbench.statistics.multiplicity import adjust
from jetbench.suites.plan import CellKey
from jetbench.suites.studies import LEARNING_RATE, Study, plain

__all__ = ["at_equal_rates", "rate_mean", "rates", "turned"]

Trials = Mapping[int, str]  # by seed, the key of the trial at one rate


def rates(results: Results, arm: str, labels: int) -> dict[str, Trials]:
    """Return the finished trials of an arm at a budget by their learning rate, as people read it, in rising order. Empty for an
    arm whose seeds do not tune a rate alone, and before all of them are finished: until nothing is left to choose, what the test
    jets say of trials stays sealed."""
    if not results.plan.seeds_tune or results.gaps(arm, labels):
        return {}
    found: dict[float, dict[int, str]] = {}
    for seed in results.seeds(arm, labels):
        digest = results.plan.tuned.get(CellKey(arm, labels, seed), "")
        if digest in results.trials and _tries_rates(results.plan.studies[digest]):
            for key in filter(results.ledger.done, results.trials[digest]):
                found.setdefault(results.runs[key].spec.recipe.learning_rate, {})[seed] = key
    return {plain(rate): found[rate] for rate in sorted(found)}


def _tries_rates(study: Study) -> bool:
    return study.sampler == "grid" and [one.path for one in study.searched] == [LEARNING_RATE]


def rate_mean(results: Results, arm: str, labels: int, trials: Trials) -> Mean | None:
    """Return the mean headline metric of an arm with all seeds at one rate, with both of its errors."""
    values = [results.ledger.tested(key)[f"test/{results.metric.key}"] for key in trials.values()]
    return results.mean_of(arm, labels, np.array(values), lambda cell: _scores(results, trials[cell.seed]), list(trials))


def at_equal_rates(results: Results) -> dict[str, dict[tuple[str, int], Comparison]]:
    """Compare the arms of each primary comparison with both at one rate, for each rate that both have tried. Holm corrects for
    the number of primary comparisons as it does for the tuned arms, which stand in where an encoder has other rates."""
    found: dict[str, dict[tuple[str, int], Comparison]] = {}
    for arm, labels in results.primaries:
        baseline = results.baselines[arm]
        mine, other = rates(results, arm, labels), rates(results, baseline, labels)
        for rate in (rate for rate in mine if rate in other):
            if compared := _compared(results, (arm, baseline), labels, (mine[rate], other[rate])):
                found.setdefault(rate, {})[arm, labels] = compared
    tuned = {place: results.comparisons[place] for place in results.primaries if place in results.comparisons}
    adjusted = {rate: adjust({**tuned, **some}, results.primaries) for rate, some in found.items()}
    return {rate: {place: adjusted[rate][place] for place in some} for rate, some in found.items()}


def _compared(results: Results, arms: tuple[str, str], labels: int, trials: tuple[Trials, Trials]) -> Comparison | None:
    by_arm = dict(zip(arms, trials, strict=True))
    common = sorted({*trials[0]} & {*trials[1]})
    return results.compare(*arms, labels, lambda cell: _scores(results, by_arm[cell.arm][cell.seed]), common)


def _scores(results: Results, key: str) -> Scores:
    return read_scores(results.ledger.run(key).scores)


def turned(results: Results) -> list[str]:
    """Write a sentence for each primary comparison whose verdict would be another at one rate for both arms."""
    return [
        f"{arm} against {results.baselines[arm]} at {count(labels)} labels: at the rate {rate} for both, the verdict would be "
        f"“{found.verdict}” ({brief_difference(results.metric, found)}); with each seed at its tuned rate it is “{main.verdict}”."
        for rate, some in at_equal_rates(results).items()
        for (arm, labels), found in some.items()
        if (main := results.comparisons.get((arm, labels))) and main.verdict is not found.verdict
    ]
