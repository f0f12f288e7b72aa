"""What each arm costs: passes, seconds, parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from jetbench.report.content import Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

__all__ = ["Cost", "cost", "render"]

HEADINGS = (
    *("arm", "labels", "labelled passes", "unlabelled passes"),
    *("tuning, labelled", "tuning, unlabelled", "training time", "parameters"),
)
SPENT = ("cost/labelled_passes", "cost/unlabelled_passes", "cost/seconds")
BODY = """
{{ table }}
<p><small>Per seed, mean over the finished ones; a pass is one jet through the network. Pretraining counts in full for each arm
and budget that starts from it, though it is run once per seed. Tuning passes are those of all trials but the one that is the
final run, diverged ones too; trials of a study that seeds share count with the pretraining that they start from. All runs
together, trials among them and what is shared once:
{{ labelled }} labelled and {{ unlabelled }} unlabelled passes, {{ hours }} hours of training on one core.</small></p>
"""


@dataclass(frozen=True)
class Cost:
    """What an arm costs at one label budget: passes per seed [jets through the network], those of its tuning with and without
    labels, the seconds of training per seed, pretraining included, and the parameters of its model."""

    arm: str
    labels: int
    labelled: float
    unlabelled: float
    tuning_labelled: float
    tuning_unlabelled: float
    seconds: float
    parameters: float


def render(results: Results) -> SectionContent | None:
    lines = [_line(cost(results, arm, labels)) for arm, labels in places(results) if results.seeds(arm, labels)]
    spent = _spent(results, results.runs)
    total = {name: count(round(spent[f"cost/{name}_passes"])) for name in ("labelled", "unlabelled")}
    body = fragment(BODY, table=table(HEADINGS, lines), **total, hours=f"{spent['cost/seconds'] / 3600:.2g}")
    return SectionContent("cost", "What each arm costs", body) if lines else None


def _line(one: Cost) -> Line:
    passes = [count(round(number)) for number in (one.labelled, one.unlabelled, one.tuning_labelled, one.tuning_unlabelled)]
    seconds = f"{one.seconds:.0f} s" if one.seconds >= 10 else f"{one.seconds:.2g} s"
    return Line((one.arm, count(one.labels), *passes, seconds, count(round(one.parameters)) if one.parameters else "–"))


def cost(results: Results, arm: str, labels: int) -> Cost:
    """Average what an arm costs over its finished seeds; a pretraining that several arms share counts in full for each."""
    chains = [results.chain(CellKey(arm, labels, seed)) for seed in results.seeds(arm, labels)]
    tuning = [_tuning(results, CellKey(arm, labels, seed)) for seed in results.seeds(arm, labels)]
    parameters = results.values(arm, labels, "cost/parameters")

    def mean(key: str) -> float:
        return float(np.mean([sum(results.metrics(run)[key] for run in chain) for chain in chains])) if chains else 0.0

    return Cost(
        arm=arm,
        labels=labels,
        labelled=mean("cost/labelled_passes"),
        unlabelled=mean("cost/unlabelled_passes"),
        tuning_labelled=float(np.mean([one["cost/labelled_passes"] for one in tuning])) if tuning else 0.0,
        tuning_unlabelled=float(np.mean([one["cost/unlabelled_passes"] for one in tuning])) if tuning else 0.0,
        seconds=mean("cost/seconds"),
        parameters=float(parameters[0]) if len(parameters) else 0.0,
    )


def _tuning(results: Results, cell: CellKey) -> dict[str, float]:
    """What the study of a cell has cost beside the runs that are reported."""
    trials = results.trials.get(results.plan.tuned.get(cell, ""), [])
    behind = {start for trial in trials if (start := results.runs[trial].spec.start)}
    return _spent(results, {*trials, *behind} - set(results.chain(cell)))


def _spent(results: Results, keys: Iterable[str]) -> dict[str, float]:
    """The sum of passes and seconds of runs that have ended, finished or diverged."""
    costs = [results.ledger.costs(key) for key in keys]
    return {name: sum(cost.get(name, 0.0) for cost in costs) for name in SPENT}
