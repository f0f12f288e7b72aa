"""What a plan will cost: passes, and an estimate of time from measured rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jetbench.data.catalog import Dataset, datasets
from jetbench.engine.changed import changed_lines
from jetbench.engine.graph import graph_lines
from jetbench.engine.networks import try_networks
from jetbench.engine.pace import RUN_SECONDS, Measured, run_passes
from jetbench.engine.survey import ENDED, Survey, survey
from jetbench.engine.teachers import teacher_lines
from jetbench.engine.weights import try_weights
from jetbench.errors import JetbenchError
from jetbench.plugins import scope
from jetbench.spec import RunSpec
from jetbench.suites.compared import compared_lines
from jetbench.suites.contradictions import contradictions
from jetbench.suites.graph import Graph
from jetbench.suites.instances import remembered
from jetbench.suites.plans import plan_remembered
from jetbench.suites.weighting import weighting_lines
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["Forecast", "describe", "duration", "forecast", "measure"]

HOURS = 100  # from which on minutes say nothing any more
INSTANCES = 8  # the latest of a store that are asked how fast a model is


@dataclass(frozen=True)
class Forecast:
    """What is left of a plan: seconds of training and of simulation, one at a time. `measured` is what finished runs say of it,
    and `jets` how many are yet to be simulated."""

    training: float
    simulation: float
    jets: int
    measured: Measured

    def seconds(self, trainings: int, simulations: int) -> float:
        return self.training / trainings + self.simulation / simulations


def describe(plan: Graph, store: Store, trainings: int, simulations: int) -> str:
    """Say in words what is planned: the graph of its runs with their states and passes, which baseline each arm is compared with,
    and the time that the rest should take with so many trainings and simulations at a time. Raises `PluginError` as
    `try_networks` does, `DataFileError` as `try_weights` and `teacher_lines` do."""
    ledger = Ledger(store.work)
    found = survey(plan, ledger)
    lines = [plan.instance.name, *graph_lines(found), *(f"skipped {line}" for line in plan.skipped_lines())]
    lines += compared_lines(plan)
    try_networks(plan)
    lines += [line for arm in try_weights(plan) for line in arm.lines()]
    lines += [*teacher_lines(plan), *weighting_lines(plan.instance.settings)]
    lines += [f"! {line}" for line in (*contradictions(plan), *changed_lines(plan, store))]
    if chosen := sum(found.unknown.values()):
        lines.append(f"up to {chosen} runs are of trials that the search has yet to choose")
    if not found.open:
        return "\n".join([*lines, "nothing is left to do"])
    left = forecast(found, measure(found, store))
    paced = "was measured here" if left.measured.took else "is assumed for one core"
    lines.append(
        f"{duration(left.seconds(trainings, simulations))} with {trainings} trainings at a time, at the pace that {paced}"
        + (f", simulation of {left.jets} jets included" if left.jets else "")
    )
    return "\n".join(lines)


def forecast(found: Survey, measured: Measured) -> Forecast:
    """Return what is left of a plan at the measured pace, and at the assumed one for models that no run has measured."""
    missing = _not_simulated(found.plan)
    training = sum(measured.seconds(spec, run_passes(spec)) + RUN_SECONDS for spec in _left(found))
    simulation = sum(dataset.jets / dataset.recipe.rate for dataset in missing)
    return Forecast(training, simulation, sum(dataset.jets for dataset in missing), measured)


def _left(found: Survey) -> Iterator[RunSpec]:
    """Every run that is yet to end, and the runs of each trial that a search has yet to choose."""
    yield from (run.spec for key, run in found.runs.items() if found.states[key] not in ENDED)
    for digest, count in found.unknown.items():
        yield from found.plan.studies[digest].chain * count


def measure(found: Survey, store: Store) -> Measured:
    """Ask the finished runs how fast their models are: those of the plan, and those of the latest other instances of the store
    for models that the plan itself has not measured."""
    ledger, measured = Ledger(store.work), Measured()
    measured.add(((key, run.spec) for key, run in found.runs.items() if found.states[key] == "done"), ledger)
    asked = {spec.model.name for spec in _left(found) if run_passes(spec)}
    for plan in _others(found.plan, store.root):
        unknown = {model for model in asked if not measured.knows(model)}
        if not unknown:
            break
        measured.add(_finished(plan, unknown, ledger), ledger)
    return measured


def _others(plan: Graph, root: Path) -> Iterator[Graph]:
    """The plans of the latest other instances of a store, newest first; of one that cannot be planned any more there is none."""
    others = [instance for name, instance in remembered(root).items() if name != plan.instance.name]
    for instance in others[: -INSTANCES - 1 : -1]:
        try:
            with scope():
                yield plan_remembered(instance, root)
        except JetbenchError:
            continue


def _finished(plan: Graph, among: set[str], ledger: Ledger) -> Iterable[tuple[str, RunSpec]]:
    runs = ((key, run.spec) for key, run in plan.runs.items() if run.spec.model.name in among)
    return ((key, spec) for key, spec in runs if ledger.run(key).done.exists())


def _not_simulated(plan: Graph) -> list[Dataset]:
    """The datasets that are yet to be simulated; files that somebody brought are not looked for."""
    instance, settings = plan.instance, plan.instance.settings
    found = [instance.find_dataset()] if settings.dataset.name in datasets else []
    if settings.unlabelled and settings.unlabelled.name in datasets and (pool := instance.find_unlabelled()):
        found.append(pool)
    found += instance.find_also(simulated=True).values()
    return [dataset for dataset in found if not dataset.ready]


def duration(seconds: float) -> str:
    """Say a time as people do."""
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 60:.0f} min" if seconds < HOURS * 3600 else f"about {seconds / 3600:.0f} h"
