"""Planted truths: what must come out whatever the data, so that a suite that misses one has a bug and no finding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jetbench.report.results import Results
from jetbench.report.words import count, difference_text, gain, need, number
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.resolution import LEAST_SEEDS, Spread

__all__ = ["Truth", "truths"]

ALARM = 0.01  # two-sided p below which a metric differs from that of chance: one false alarm in a hundred reports
State = Literal["holds", "open", "violated"]


@dataclass(frozen=True)
class Truth:
    """One planted truth at one label budget. "open" says that the runs at hand cannot tell."""

    arm: str
    labels: int
    claim: str
    state: State
    text: str


def truths(results: Results) -> list[Truth]:
    """List the planted truths of a suite's controls and floors, budget by budget; those without any finished seed are left
    out."""
    return list(_truths(results))


def _truths(results: Results) -> Iterator[Truth]:
    for arm, truth in results.plan.truths.items():
        for labels in results.plan.instance.settings.budgets(arm):
            found = results.comparisons.get((arm, labels))
            if truth == "chance" and results.task.chance is not None:
                if results.seeds(arm, labels):
                    yield _coin(results, arm, labels, results.task.chance)
            elif found and truth == "ahead":
                yield _ahead(results, arm, labels, found)
            elif found and truth == "same":
                yield _not(results, arm, labels, found, "with other seeds does not differ from")
            elif found:
                yield _not(results, arm, labels, found, "is not better than")


def _ahead(results: Results, arm: str, labels: int, found: Comparison) -> Truth:
    """An encoder that has seen the pool's labels beats one that has not; few seeds cannot show it, enough must not deny it."""
    claim = f"{arm} is better than {results.baselines[arm]}"
    if found.verdict is Verdict.BETTER:
        return Truth(arm, labels, claim, "holds", difference_text(results.metric, found))
    behind = gain(results.metric, found.difference) <= 0
    denied = found.units >= LEAST_SEEDS and (behind or found.verdict is not Verdict.UNDECIDED)
    return Truth(arm, labels, claim, "violated" if denied else "open", _text(results, found))


def _not(results: Results, arm: str, labels: int, found: Comparison, words: str) -> Truth:
    """An arm that must not be better or, as the baseline with other seeds, neither better nor worse."""
    either = results.plan.truths[arm] == "same"
    unsure = found.units < LEAST_SEEDS and (gain(results.metric, found.difference) > 0 or either)
    wrong = found.verdict is Verdict.BETTER or (either and found.verdict is Verdict.WORSE)
    state: State = "violated" if wrong else "open" if unsure else "holds"
    return Truth(arm, labels, f"{arm} {words} {results.baselines[arm]}", state, _text(results, found))


def _text(results: Results, found: Comparison) -> str:
    lacking = f"; {need(results.metric, found)}" if found.verdict is Verdict.UNDECIDED else ""
    return f"{found.verdict}: {difference_text(results.metric, found)}{lacking}"


def _coin(results: Results, arm: str, labels: int, chance: float) -> Truth:
    """The metric of a model that knows nothing, within the errors of seeds and test sample. Weights from shuffled labels stray
    far from chance, each seed its own way: a few that happen to agree cannot tell how far."""
    metric = results.metric
    values, errors = results.headlines(arm, labels), results.values(arm, labels, f"test/{metric.key}_se")
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    spread = Spread(deviation, math.sqrt(float(np.mean(errors**2))), len(values))
    mean = float(values.mean())
    strays = spread.p_difference(mean - chance) < ALARM
    state: State = "holds" if not strays else "violated" if len(values) >= LEAST_SEEDS else "open"
    text = f"{metric.name} {number(metric, mean)} ± {number(metric, spread.total)} over {count(len(values), 'seed')}"
    return Truth(arm, labels, f"{arm} has the {metric.name} of chance ({chance:g})", state, text)
