"""What is to be run: trainings, who needs whom, and what is searched, before anything is executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from jetbench.errors import SuiteError
from jetbench.faults import FAULTY
from jetbench.objectives import objectives
from jetbench.spec import RunSpec, Scalar
from jetbench.suites.expand import Ground, task_component
from jetbench.suites.instance import AnyInstance
from jetbench.suites.parameters import local
from jetbench.suites.studies import LEARNING_RATE, Searched, Study
from jetbench.tasks import build_task

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["Graph", "Kind", "Links", "PlannedRun", "ground_of", "listed"]

Kind = Literal["pretrain", "trial", "final", "check"]


@dataclass(frozen=True)
class PlannedRun:
    """A run with its name for people: model, arm, budget and seed, as in "model/arm/n100/s0". Its `key` is its digest; `kind` is
    what the plan needs it for, `budget` the labels for which it is planned first, and neither is part of the digest."""

    spec: RunSpec
    name: str
    arm: str
    kind: Kind
    budget: int

    @cached_property
    def key(self) -> str:
        return self.spec.digest()

    @property
    def labelled(self) -> bool:
        return objectives[self.spec.objective.name].labelled


Links = tuple[PlannedRun, ...]  # a chain of runs, first to last


@dataclass
class Graph:
    """The runs of an instance by key, in an order in which each comes after what it starts from, and its `studies` by digest,
    each of which has an arm and a name under `named`. `skipped` is what the jets do not allow: pairs of what is left out,
    "arm NAME", and the reason. Trials that a study chooses as it goes are not among the runs."""

    instance: AnyInstance
    skipped: tuple[tuple[str, str], ...] = ()
    runs: dict[str, PlannedRun] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    named: dict[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        return build_task(task_component(self.instance.settings))

    @cached_property
    def ground(self) -> Ground:
        return ground_of(self.instance)

    @property
    def seeds_tune(self) -> bool:
        """Whether the winner of a study is a run that is reported."""
        return False

    @property
    def failures_count(self) -> bool:
        """Whether a failed trial is the worst of its study, which goes on; else the study waits until it is mended."""
        return False

    @property
    def faults(self) -> tuple[str, ...]:
        """The faults that runs of this plan may have, on purpose."""
        return ()

    def skipped_lines(self) -> list[str]:
        """Say what is skipped and why, "arms a and b: for the view …", a line per kind and reason."""
        together: dict[tuple[str, str], list[str]] = {}
        for what, reason in self.skipped:
            kind, name = what.split(" ", 1)
            together.setdefault((kind, reason), []).append(name)
        return [f"{listed(kind, names)}: {reason}" for (kind, reason), names in together.items()]

    def add(self, planned: PlannedRun) -> str:
        """Add a run where it is not there yet; returns its key. What was there for others to start from alone, and is planned for
        itself as well, is that then. Raises `SuiteError` for a run with a fault that the plan does not declare, and for an
        honest one that would start from a faulty one."""
        self._refuse_fault(planned)
        known = self.runs.setdefault(planned.key, planned)
        if known.kind == "pretrain" != planned.kind:
            self.runs[planned.key] = planned
        return planned.key

    def _refuse_fault(self, planned: PlannedRun) -> None:
        fault, start = planned.spec.fault, self.runs.get(planned.spec.start or "")
        if fault is not None and fault not in self.faults:
            raise SuiteError(
                f"the run {planned.name} is {FAULTY} ({fault}), and {self.instance.title!r} does not declare that under `faults`"
            )
        if start is not None and start.spec.fault not in (None, fault):
            raise SuiteError(f"the run {planned.name} starts from {start.name}, which is {FAULTY} ({start.spec.fault})")

    def study_of(self, key: str) -> str | None:
        """Return the digest of the study that a run waits for."""
        chosen = self.runs[key].spec.chosen if key in self.runs else ()
        return chosen[0].study if chosen else None

    def study_name(self, digest: str) -> str:
        """Return the name of a study: its arm, its budget, and its seed where it is of one."""
        return self.named[digest][1]

    def trial(self, digest: str, values: Mapping[str, Scalar]) -> tuple[Links, ...]:
        """Plan a trial of a study with these values by path: a chain of runs per seed."""
        study = self.studies[digest]
        return tuple(tuple(self._links(digest, chain, values)) for chain in study.chains(values))

    def _links(self, digest: str, chain: tuple[RunSpec, ...], values: Mapping[str, Scalar]) -> Iterator[PlannedRun]:
        """The runs of a trial at a seed, each with the values that are its own. What a trial starts from has the name that the
        plan has given it already, where it has."""
        arm, name = self.named[digest]
        last, study = chain[-1], self.studies[digest]
        front, seed = f"{last.model.name}/{name}", f"/s{last.seed}" if study.seeds else ""
        for back, spec in zip(reversed(range(len(chain))), chain, strict=True):
            kind: Kind = "pretrain" if back else "trial"
            own = [one for one in study.searched if not back or local(one.path, back) is not None]
            what = "trial" if not back else "probe" if spec.data == "budget" else "pretraining"
            text = "-".join([what, *(_value_name(one, values, back) for one in own)])
            run = PlannedRun(spec, f"{front}/{text}{seed}", arm, kind, last.labels or 0)
            yield self.runs.get(run.key, run) if back else run

    def plan_known_trials(self, digest: str) -> None:
        """Add the trials of a study that are certain before anything has run."""
        for values in self.studies[digest].known_values():
            for chain in self.trial(digest, values):
                for run in chain:
                    self.add(run)

    def final(self, digest: str, won: PlannedRun) -> PlannedRun:
        """Return the trial that won the study of a cell as what it is then: the last run of its cell."""
        return replace(won, name=f"{won.spec.model.name}/{self.study_name(digest)}", kind="final")


def listed(kind: str, names: list[str]) -> str:
    """Write "arm a", "arms a and b", "arms a, b and c"."""
    *others, last = names
    return f"{kind}s {', '.join(others)} and {last}" if others else f"{kind} {last}"


def ground_of(instance: AnyInstance) -> Ground:
    """Return what all runs of an instance share."""
    jets = (instance.dataset, instance.unlabelled, instance.also_test)
    return Ground(
        instance.settings, *jets, instance.weights, instance.scores, instance.meta, instance.targets, instance.precision
    )


def _value_name(one: Searched, values: Mapping[str, Scalar], back: int) -> str:
    """A parameter with its value, as in "lr0.001" or "translation-distance0.1", for a run so many before the last."""
    value = values.get(one.path, one.own)
    before = "pretraining-" * (one.path.count("pretraining.") - back)
    rest = one.path.replace("pretraining.", "").replace("recipe.augmentation.", "augmentation.")
    name = "lr" if rest == LEARNING_RATE else rest.split(".", 1)[1].replace(".", "-")
    return f"{before}{name}{value:g}" if isinstance(value, float) else f"{before}{name}{value}"
