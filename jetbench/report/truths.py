"""Planted truths: what must come out whatever the data, so that a suite that misses one has a bug and no finding."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from jetbench.report.results import Results
from jetbench.report.words import count, difference_text
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.resolution import LEAST_SEEDS, Spread

__all__ = ["Truth", "truths"]

ALARM = 0.01  # two-sided p below which an AUC counts as different from 0.5: one false alarm in a hundred reports


@dataclass(frozen=True)
class Truth:
    """One planted truth at one label budget. "open" says that the runs at hand cannot tell."""

    arm: str
    labels: int
    claim: str
    state: Literal["holds", "open", "violated"]
    text: str


def truths(results: Results) -> list[Truth]:
    """The planted truths of a suite's controls and floors, budget by budget; those without any finished seed are left out."""
    return list(_truths(results))


def _truths(results: Results) -> Iterator[Truth]:
    settings = results.plan.instance.settings
    for arm in settings.arms:
        for labels in settings.budgets(arm):
            comparison = results.comparisons.get((arm, labels))
            planted = results.plan.truths.get(arm)
            if planted == "chance":
                if results.seeds(arm, labels):
                    yield _coin(results, arm, labels)
            elif comparison and planted == "ahead":
                yield _ahead(arm, labels, results.baseline, comparison)
            elif comparison and planted == "not-ahead":
                yield _not(arm, labels, results.baseline, comparison, (Verdict.BETTER,), "is not better than")
            elif comparison and planted == "same":
                wrong = (Verdict.BETTER, Verdict.WORSE)
                yield _not(arm, labels, results.baseline, comparison, wrong, "with other seeds does not differ from")


def _ahead(arm: str, labels: int, baseline: str, found: Comparison) -> Truth:
    """An encoder that has seen the pool's labels beats one that has not; few seeds cannot show it, enough must not deny it."""
    claim = f"{arm} is better than {baseline}"
    if found.verdict is Verdict.BETTER:
        return Truth(arm, labels, claim, "holds", difference_text(found))
    denied = found.units >= LEAST_SEEDS and (found.difference <= 0 or found.verdict is not Verdict.UNDECIDED)
    return Truth(arm, labels, claim, "violated" if denied else "open", f"{found.verdict}: {difference_text(found)}")


def _not(arm: str, labels: int, baseline: str, found: Comparison, wrong: tuple[Verdict, ...], words: str) -> Truth:
    unsure = found.units < LEAST_SEEDS and (found.difference > 0 or Verdict.WORSE in wrong)
    state: Literal["holds", "open", "violated"] = "open" if unsure else "holds"
    if found.verdict in wrong:
        state = "violated"
    return Truth(arm, labels, f"{arm} {words} {baseline}", state, f"{found.verdict}: {difference_text(found)}")


def _coin(results: Results, arm: str, labels: int) -> Truth:
    """An AUC of 0.5 within the errors of seeds and test sample."""
    areas, errors = (results.values(arm, labels, f"test/{name}") for name in ("auc", "auc_se"))
    deviation = float(areas.std(ddof=1)) if len(areas) > 1 else 0.0
    spread = Spread(deviation, math.sqrt(float(np.mean(errors**2))), len(areas))
    mean = float(areas.mean())
    state: Literal["holds", "violated"] = "violated" if spread.p_difference(mean - 0.5) < ALARM else "holds"
    text = f"AUC {mean:.4f} ± {spread.total:.4f} over {count(len(areas), 'seed')}"
    return Truth(arm, labels, f"{arm} has an AUC of 0.5", state, text)
