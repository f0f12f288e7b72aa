"""The plan: every run of a suite instance, who needs whom, and what is searched, before anything is executed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.spec import Chosen, RunSpec, Scalar
from jetbench.suites.also_test import refuse_also_test
from jetbench.suites.checks import checked_arms, length_check
from jetbench.suites.expand import Cells, Ground, check_options, expand, task_component
from jetbench.suites.fairness import check_varies, compare_chains, refuse_unfair
from jetbench.suites.needs import refuse_unusable, skipped_arms, skipped_augmentations
from jetbench.suites.parameters import scalar
from jetbench.suites.primaries import primary_of
from jetbench.suites.roles import Role, role, truth
from jetbench.suites.search import check_search
from jetbench.suites.settings import Primary
from jetbench.suites.stages import Truth
from jetbench.suites.studies import LEARNING_RATE, Study
from jetbench.suites.suite import Instance
from jetbench.suites.tuning import seed_studies, shared_study
from jetbench.tasks import build_task

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["CellKey", "Kind", "Plan", "PlannedRun", "make_plan"]

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
        settings = self.instance.settings
        found = {arm: primary_of(settings, settings.arms[arm], self.primaries).baseline for arm in self.arms}
        return {arm: baseline for arm, baseline in found.items() if self.roles[arm] is not Role.BASELINE}

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


def make_plan(instance: Instance) -> Plan:
    """Expand an instance; nothing but the instance is looked at, and no dataset.

    Raises `SuiteError` where arms differ in something that the suite does not say varies, where the jets do not allow the task or
    any primary comparison, and where test set and largest budget do not fit into the dataset.
    """
    settings, meta, pool = instance.settings, instance.meta, instance.pool_meta or instance.meta
    check_options(settings)
    check_varies(settings)
    _check_size(instance)
    refuse_unusable(instance)
    left_out = skipped_arms(settings, meta, pool)
    refuse_also_test(instance, [arm for arm in settings.arms if arm not in left_out])
    skipped = {f"arm {name}": reason for name, reason in left_out.items()}
    skipped |= {f"augmentation {name}": reason for name, reason in skipped_augmentations(settings, meta).items()}
    plan = Plan(instance, tuple(skipped.items()))
    for name in (arm for arm in settings.arms if arm not in left_out):
        for labels in settings.budgets(name):
            _add_cells(plan, name, labels)
    for name, labels in checked_arms(settings):
        if name not in left_out:
            _add_check(plan, name, labels)
    _check_pretrained(plan)
    _tell_apart(plan)
    check_search(settings, [plan.studies[digest] for cell, digest in plan.tuned.items() if cell.seed == 0])
    _check_fairness(plan)
    return plan


def _add_cells(plan: Plan, name: str, labels: int) -> None:
    """The runs of an arm at a budget, after what tunes it."""
    settings = plan.instance.settings
    arm = settings.arms[name]
    shared = None if settings.tuning is None or plan.seeds_tune else shared_study(plan.ground, arm, labels)
    chosen = () if shared is None else _shared(plan, name, labels, *shared)
    seeds = range(arm.seed_offset, arm.seed_offset + settings.seeds)
    chains = expand(plan.ground, arm, Cells(labels, seeds, chosen=chosen))
    own = seed_studies(plan.ground, arm, chains) if plan.seeds_tune else []
    for seed, chain in enumerate(chains):
        cell = CellKey(name, labels, seed)
        before, last = chain[:-1], chain[-1]
        for spec in before:
            plan.add(_planned(spec, name, labels))
        if own:
            _add_trials(plan, plan.tune(cell, own[seed]))
            last = own[seed].trial(own[seed].unsearched)
        plan.cells[cell] = plan.add(_planned(last, name, labels))


def _shared(plan: Plan, name: str, labels: int, study: Study, before: Sequence[RunSpec]) -> tuple[Chosen, ...]:
    """Enter a study for all seeds of an arm at a budget; returns what it decides."""
    for seed in range(plan.instance.settings.seeds):
        digest = plan.tune(CellKey(name, labels, seed), study)
    for spec in before:
        plan.add(_planned(spec, name, study.template.labels or 0))
    _add_trials(plan, digest)
    return tuple(Chosen(path=one.path, study=digest) for one in study.searched)


def _add_trials(plan: Plan, digest: str) -> None:
    for spec in plan.studies[digest].known_trials():
        plan.add(plan.trial(digest, spec))


def _add_check(plan: Plan, name: str, labels: int) -> None:
    """A training of the arm beside the comparison, and the same one for longer."""
    settings = plan.instance.settings
    chain, longer = length_check(plan.ground, settings.arms[name], labels, settings.longer or 1.0)
    for spec in chain[:-1]:
        plan.add(_planned(spec, name, labels))
    front = f"{longer.model.name}/{name}/n{labels}/check"
    pair = ((chain[-1], front), (longer, f"{front}-longer"))
    keys = [plan.add(PlannedRun(spec, text, name, "check", labels)) for spec, text in pair]
    plan.checks[name, labels] = keys[0], keys[1]


def _planned(spec: RunSpec, arm: str, budget: int) -> PlannedRun:
    """A run that is no trial, with what people read, in the tracker too."""
    if spec.data == "budget":
        return PlannedRun(spec, f"{spec.model.name}/{arm}/n{spec.labels}/s{spec.seed}", arm, "final", budget)
    seed = f"s{spec.seed}" if spec.seed >= 0 else f"trials{-1 - spec.seed or ''}"
    return PlannedRun(spec, f"{spec.model.name}/{spec.objective.name}-pretraining/{seed}", arm, "pretrain", budget)


def _tell_apart(plan: Plan) -> None:
    """Pretrainings of one name, as on two pools, are named by their first arm as well; those of one arm, as of lengths that
    follow the budget, by their first budget too."""
    for by_arm in (True, False):
        names = Counter(run.name for run in plan.runs.values())
        for key, run in plan.runs.items():
            if names[run.name] > 1:
                *front, seed = run.name.split("/")
                plan.runs[key] = replace(run, name="/".join([*front, run.arm if by_arm else f"n{run.budget}", seed]))


def _values(spec: RunSpec, study: Study) -> str:
    """What a trial has of what is searched, as in "lr0.001-dropout0.1"."""
    return "-".join(_value_name(one.path, scalar(spec, one.path)) for one in study.searched)


def _value_name(path: str, value: Scalar) -> str:
    name = "lr" if path == LEARNING_RATE else path.split(".", 1)[1]
    return f"{name}{value:g}" if isinstance(value, float) else f"{name}{value}"


def _check_size(instance: Instance) -> None:
    """Test set and largest budget fit into the dataset."""
    settings = instance.settings
    if settings.test_jets + settings.labels[-1] > instance.jets:
        raise SuiteError(
            f"{settings.test_jets} test jets and {settings.labels[-1]} labels do not fit into the {instance.jets} jets of "
            f"{instance.dataset.name!r}; lower them with --set test_jets=… and --set labels=[…], or take a larger dataset"
        )


def _check_pretrained(plan: Plan) -> None:
    """A trial takes over the weights of a pretraining, which has the arm's own values: what shapes them is not searched."""
    arms = plan.instance.settings.arms
    for cell, digest in plan.tuned.items():
        study, name, arm = plan.studies[digest], cell.arm, arms[cell.arm]
        shaping = {f"model.{option}" for option in models[arm.model].shaping}
        if study.template.start and (path := next((one.path for one in study.searched if one.path in shaping), None)):
            option = path.split(".", 1)[1]
            raise SuiteError(
                f"tuning.search: {path!r} shapes the encoder of the arm {name!r}, which takes over the weights of its "
                "pretraining and cannot change it; search it in a suite of arms from scratch alone, or give it a value there: "
                f"arms.{name}.model_options.{option}, with {path} under `varies`"
            )


def _check_fairness(plan: Plan) -> None:
    """At each budget, every arm against every other: any difference is one that the suite declares."""
    settings = plan.instance.settings
    for labels in settings.labels:
        chains = {cell.arm: plan.declared(cell) for cell in plan.cells if (cell.labels, cell.seed) == (labels, 0)}
        for one, other in combinations(chains, 2):
            refuse_unfair(settings, (one, other), compare_chains(chains[one], chains[other]))
