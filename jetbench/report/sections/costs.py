"""What each arm costs: passes, seconds, parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jetbench.report.content import Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

__all__ = ["Cost", "cost", "render"]

HEADINGS = ("arm", "labels", "labelled passes", "unlabelled passes", "tuning passes", "training time", "parameters")
BODY = """
{{ table }}
<p><small>Per seed, mean over the finished ones; a pass is one jet through the network. Pretraining counts in full for each arm
and budget that starts from it, though it is run once per seed. Tuning passes are those of the whole study.</small></p>
"""


@dataclass(frozen=True)
class Cost:
    """What an arm costs at one label budget: passes per seed [jets through the network], those of its tuning, the seconds of
    training per seed, pretraining included, and the parameters of its model."""

    arm: str
    labels: int
    labelled: float
    unlabelled: float
    tuning: float
    seconds: float
    parameters: float


def render(results: Results) -> SectionContent | None:
    lines = [_line(cost(results, arm, labels)) for arm, labels in places(results) if results.seeds(arm, labels)]
    body = fragment(BODY, table=table(HEADINGS, lines))
    return SectionContent("cost", "What each arm costs", body) if lines else None


def _line(one: Cost) -> Line:
    passes = [count(round(number)) for number in (one.labelled, one.unlabelled, one.tuning)]
    seconds = f"{one.seconds:.0f} s" if one.seconds >= 10 else f"{one.seconds:.2g} s"
    return Line((one.arm, count(one.labels), *passes, seconds, count(round(one.parameters)) if one.parameters else "–"))


def cost(results: Results, arm: str, labels: int) -> Cost:
    """Mean over the finished seeds; a pretraining that several arms share counts in full for each."""
    chains = [results.chain(CellKey(arm, labels, seed)) for seed in results.seeds(arm, labels)]
    tuning = results.plan.studies.get(results.plan.tuned.get((arm, labels), ""))
    parameters = results.values(arm, labels, "cost/parameters")

    def mean(key: str) -> float:
        return float(np.mean([sum(results.metrics(run)[key] for run in chain) for chain in chains])) if chains else 0.0

    return Cost(
        arm=arm,
        labels=labels,
        labelled=mean("cost/labelled_passes"),
        unlabelled=mean("cost/unlabelled_passes"),
        tuning=float(tuning.trials * tuning.template.recipe.passes) if tuning else 0.0,
        seconds=mean("cost/seconds"),
        parameters=float(parameters[0]) if len(parameters) else 0.0,
    )
