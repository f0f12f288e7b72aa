"""The plan: every run of a suite instance, who needs whom, and what is searched, before anything is executed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from jetbench.objectives import objectives
from jetbench.spec import Chosen, RunSpec, Scalar
from jetbench.suites.expand import Ground, task_component
from jetbench.suites.parameters import scalar
from jetbench.suites.primaries import primary_of
from jetbench.suites.roles import Role, role, truth
from jetbench.suites.settings import Primary
from jetbench.suites.stages import Truth
from jetbench.suites.studies import LEARNING_RATE, Study
from jetbench.suites.suite import Instance
from jetbench.tasks import build_task

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["CellKey", "Kind", "Plan", "PlannedRun", "ground_of"]

Kind = Literal["pretrain", "trial", "final", "check"]


@dataclass(frozen=True)
class CellKey:
    """A place in the comparison: which arm, at how many labels, with which seed."""

    arm: str
    labels: int
    seed: int


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


@dataclass
class Plan:
    """`runs` by key, in an order in which each comes after what it starts from; `cells` name the last run of each, or what it is
    without any search where the cell has a study of its own, one of whose trials is then its last run. `studies` by digest,
    `tuned` the study that decides for a cell. `checks` are, by arm and budget, the keys of a training beside the comparison and
    of the same one for longer. `skipped` is what the jets do not allow: pairs of what is left out, "arm NAME", and the reason."""

    instance: Instance
    skipped: tuple[tuple[str, str], ...] = ()
    runs: dict[str, PlannedRun] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    tuned: dict[CellKey, str] = field(default_factory=dict)
    cells: dict[CellKey, str] = field(default_factory=dict)
    checks: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    _first: dict[str, CellKey] = field(default_factory=dict, init=False, repr=False)  # that a study decides for

    @cached_property
    def task(self) -> Task:
        return build_task(task_component(self.instance.settings))

    @cached_property
    def ground(self) -> Ground:
        return ground_of(self.instance)

    @cached_property
    def arms(self) -> list[str]:
        """The arms that are run, in the suite's order."""
        return list(dict.fromkeys(cell.arm for cell in self.cells))

    @cached_property
    def primaries(self) -> list[Primary]:
        """The primary comparisons whose arms are both run."""
        return [one for one in self.instance.settings.primary if {one.arm, one.baseline} <= set(self.arms)]

    @cached_property
    def baselines(self) -> dict[str, str]:
        """What each arm that is run is compared with; baselines themselves are compared with nothing."""
        found = {arm: self._baseline(arm) for arm in self.arms}
        return {arm: baseline for arm, baseline in found.items() if baseline in self.arms and arm != baseline}

    def _baseline(self, arm: str) -> str:
        """That of the arm's own encoder, run or not; of the comparisons that are run for a model that is nobody's baseline."""
        settings = self.instance.settings
        own = primary_of(settings, settings.arms[arm]).baseline
        if settings.arms[own].model == settings.arms[arm].model:
            return own
        return primary_of(settings, settings.arms[arm], self.primaries).baseline

    @cached_property
    def roles(self) -> dict[str, Role]:
        """What each arm of the suite is to it."""
        return {arm: role(self.instance.settings, arm) for arm in self.instance.settings.arms}

    @cached_property
    def truths(self) -> dict[str, Truth]:
        """What must come out of an arm whatever the jets, where something must."""
        found = {arm: truth(self.instance.settings, arm) for arm in self.instance.settings.arms}
        return {arm: planted for arm, planted in found.items() if planted is not None}

    def skipped_lines(self) -> list[str]:
        """Say what is skipped and why, "arms a and b: for the view …", a line per kind and reason."""
        together: dict[tuple[str, str], list[str]] = {}
        for what, reason in self.skipped:
            kind, name = what.split(" ", 1)
            together.setdefault((kind, reason), []).append(name)
        return [f"{_listed(kind, names)}: {reason}" for (kind, reason), names in together.items()]

    def add(self, planned: PlannedRun) -> str:
        """Add a run where it is not there yet; returns its key."""
        self.runs.setdefault(planned.key, planned)
        return planned.key

    def study_of(self, key: str) -> str | None:
        """Return the digest of the study that a run waits for."""
        chosen = self.runs[key].spec.chosen if key in self.runs else ()
        return chosen[0].study if chosen else None

    @cached_property
    def seeds_tune(self) -> bool:
        """Whether each cell has a study of its own."""
        tuning = self.instance.settings.tuning
        return tuning is not None and tuning.per == "seed"

    def tune(self, cell: CellKey, study: Study) -> str:
        """Enter the study that decides for a cell; returns its digest."""
        digest = study.digest()
        self.studies.setdefault(digest, study)
        self.tuned[cell] = digest
        self._first.setdefault(digest, cell)
        return digest

    def study_name(self, digest: str) -> str:
        """Return the name of a study: the first arm that it decides for, its budget, and its seed where it is of one."""
        arm, template = self._first[digest].arm, self.studies[digest].template
        return f"{arm}/n{template.labels}" + (f"/s{template.seed}" if self.seeds_tune else "")

    def trial(self, digest: str, spec: RunSpec) -> PlannedRun:
        """Plan a trial of a study."""
        name = f"{spec.model.name}/{self.study_name(digest)}/trial-{_values(spec, self.studies[digest])}"
        return PlannedRun(spec, name, self._first[digest].arm, "trial", spec.labels or 0)

    def final(self, digest: str, won: PlannedRun) -> PlannedRun:
        """Return the trial that won the study of a cell as what it is then: the last run of its cell."""
        return replace(won, name=f"{won.spec.model.name}/{self.study_name(digest)}", kind="final")

    def chain(self, cell: CellKey) -> Iterator[PlannedRun]:
        """Yield the runs behind a cell, last first."""
        key: str | None = self.cells[cell]
        while key is not None:
            yield self.runs[key]
            key = self.runs[key].spec.start

    def declared(self, cell: CellKey) -> list[RunSpec]:
        """Return the runs behind a cell, first to last; the last says what is searched for it."""
        last, *before = [run.spec for run in self.chain(cell)]
        if (digest := self.tuned.get(cell)) is not None:
            searched = self.studies[digest].searched
            last = last.replace(chosen=tuple(Chosen(path=one.path, study=digest) for one in searched))
        return [*before[::-1], last]


def _listed(kind: str, names: list[str]) -> str:
    """ "arm a", "arms a and b", "arms a, b and c"."""
    *others, last = names
    return f"{kind}s {', '.join(others)} and {last}" if others else f"{kind} {last}"


def ground_of(instance: Instance) -> Ground:
    """Return what all runs of an instance share."""
    refs = (instance.dataset, instance.unlabelled, instance.also_test)
    return Ground(instance.settings, *refs, instance.meta, instance.precision)


def _values(spec: RunSpec, study: Study) -> str:
    """What a trial has of what is searched, as in "lr0.001-dropout0.1"."""
    return "-".join(_value_name(one.path, scalar(spec, one.path)) for one in study.searched)


def _value_name(path: str, value: Scalar) -> str:
    name = "lr" if path == LEARNING_RATE else path.split(".", 1)[1]
    return f"{name}{value:g}" if isinstance(value, float) else f"{name}{value}"
