"""What a plan will cost: runs, passes, and an estimate of time from measured rates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from jetbench.data.catalog import Dataset, datasets
from jetbench.engine.studies import Search
from jetbench.models import models
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, Kind, PlannedRun
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store

__all__ = ["describe", "run_cost", "run_passes", "searched"]

PIXELS = 32 * 32  # of the image that the pace of a model on images is for: its time grows with their number
HOURS = 100  # from which on minutes say nothing any more
RUN_SECONDS = 1.5  # of a run beside its passes: process, data, evaluation, pictures


@dataclass(frozen=True)
class Training:
    """A training as the forecast counts it, its seconds at the assumed pace; of a trial that a search has yet to choose no more
    than this is known."""

    kind: Kind
    model: str
    passes: int
    seconds: float
    ended: bool

    @classmethod
    def of(cls, kind: Kind, spec: RunSpec, ended: bool) -> Self:
        return cls(kind, spec.model.name, run_passes(spec), run_passes(spec) / _pace(spec), ended)


def run_passes(spec: RunSpec) -> int:
    """Return the passes of a run; what is fitted makes none."""
    return spec.recipe.passes if models[spec.model.name].kind == "network" else 0


def run_cost(spec: RunSpec) -> float:
    """Return what a run costs beside others, in seconds at the assumed pace: its passes, and what it takes without any."""
    return run_passes(spec) / _pace(spec) + RUN_SECONDS


def _pace(spec: RunSpec) -> float:
    """Passes per second and core where nothing has been measured yet."""
    view = spec.view.keywords()
    pixels = view["pixels"] ** 2 if "pixels" in view else view.get("rows", 0) * view.get("columns", 0)
    return models[spec.model.name].pace * (PIXELS / pixels if pixels else 1.0)


def searched(plan: Graph) -> dict[str, int]:
    """Return the studies whose trials a search chooses as it goes, by digest, and how many these are."""
    unknown = {
        digest: (study.trials - len(study.known_values())) * study.runs_per_trial for digest, study in plan.studies.items()
    }
    return {digest: count for digest, count in unknown.items() if count}


def describe(plan: Graph, store: Store, trainings: int, simulations: int) -> str:
    """Say in words what is planned: a line per kind of run, what is done, passes, and the time that the rest should take with so
    many trainings and simulations at a time."""
    ledger = Ledger(store.work)
    counted = list(_trainings(plan, ledger))
    lines = [plan.instance.name, *_table(counted), *(f"skipped {line}" for line in plan.skipped_lines())]
    if chosen := sum(searched(plan).values()):
        lines.append(f"up to {chosen} of the trials are chosen by the search as it goes")
    slower, missing = _slower(plan, ledger), _not_simulated(plan)
    left = [one for one in counted if not one.ended]
    training = sum(one.seconds * slower.get(one.model, 1.0) + RUN_SECONDS for one in left)
    simulation = sum(dataset.jets / dataset.recipe.rate for dataset in missing)
    lines.append(
        f"{_duration(training / trainings + simulation / simulations)} with {trainings} trainings at a time, "
        f"at the pace that {'was measured here' if slower else 'is assumed for one core'}"
        + (f", simulation of {sum(dataset.jets for dataset in missing)} jets included" if missing else "")
    )
    return "\n".join(lines)


def _trainings(plan: Graph, ledger: Ledger) -> Iterator[Training]:
    """Every run of the plan, and the trials that searches will add to them."""
    for run in plan.runs.values():
        yield Training.of(run.kind, run.spec, _ended(run, ledger))
    for digest, count in searched(plan).items():
        study = plan.studies[digest]
        known = [run for values in study.known_values() for chain in plan.trial(digest, values) for run in chain[-1:]]
        ended = _ended_trials(plan, digest, ledger) - sum(_ended(run, ledger) for run in known)
        yield from (Training.of("trial", study.template, number < ended) for number in range(count))


def _ended(run: PlannedRun, ledger: Ledger) -> bool:
    return ledger.done(run.key) or (run.kind == "trial" and (ledger.diverged(run.key) or ledger.pruned(run.key)))


def _ended_trials(plan: Graph, digest: str, ledger: Ledger) -> int:
    """How many runs of trials of a study have ended, followed as far as its rounds are whole."""
    search, ended = Search(plan, digest, ledger), set[str]()
    while isinstance(step := search.advance(), list):
        for chain in step:
            if chain[-1].key not in ended and _ended(chain[-1], ledger):
                search.book(chain)
                ended.add(chain[-1].key)
    return len(ended)


def _table(counted: list[Training]) -> Iterator[str]:
    """A line per kind of run, in the order of first appearance."""
    yield f"{'kind':<12}{'runs':>6}{'done':>6}{'passes':>14}"
    for kind in dict.fromkeys(one.kind for one in counted):
        mine = [one for one in counted if one.kind == kind]
        passes = f"{sum(one.passes for one in mine):,}".replace(",", " ")
        yield f"{kind:<12}{len(mine):>6}{sum(one.ended for one in mine):>6}{passes:>14}"


def _slower(plan: Graph, ledger: Ledger) -> dict[str, float]:
    """How many times as long as assumed the finished networks of this plan took, by model."""
    took: dict[str, float] = {}
    assumed: dict[str, float] = {}
    for key, run in plan.runs.items():
        if (passes := run_passes(run.spec)) and ledger.done(key):
            model = run.spec.model.name
            took[model] = took.get(model, 0.0) + ledger.metrics(key)["cost/seconds"]
            assumed[model] = assumed.get(model, 0.0) + passes / _pace(run.spec)
    return {model: seconds / assumed[model] for model, seconds in took.items() if seconds > 1}


def _not_simulated(plan: Graph) -> list[Dataset]:
    """The datasets that are yet to be simulated; files that somebody brought are not looked for."""
    instance, settings = plan.instance, plan.instance.settings
    every = (
        (settings.dataset, instance.find_dataset),
        (settings.unlabelled, instance.find_unlabelled),
        (settings.also_test, instance.find_also_test),
    )
    found = [find() for choice, find in every if choice is not None and choice.name in datasets]
    return [dataset for dataset in found if dataset is not None and not dataset.ready]


def _duration(seconds: float) -> str:
    if seconds < 60:
        return "less than a minute"
    return f"about {seconds / 60:.0f} min" if seconds < HOURS * 3600 else f"about {seconds / 3600:.0f} h"
