"""The plan: every run of a suite instance, who needs whom, and what is searched, before anything is executed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.spec import Chosen, RunSpec, Scalar
from jetbench.suites.also_test import refuse_also_test
from jetbench.suites.expand import Cells, Ground, check_options, expand, task_component, trial_seed
from jetbench.suites.fairness import check_varies, compare_chains, refuse_unfair
from jetbench.suites.needs import refuse_unusable, skipped_arms, skipped_augmentations
from jetbench.suites.parameters import parameters
from jetbench.suites.roles import Role, role, truth
from jetbench.suites.search import check_search, searched
from jetbench.suites.settings import Settings
from jetbench.suites.stages import Truth
from jetbench.suites.studies import LEARNING_RATE, Study
from jetbench.suites.suite import Instance
from jetbench.tasks import build_task

if TYPE_CHECKING:
    from jetbench.tasks.task import Task

__all__ = ["CellKey", "Kind", "Plan", "PlannedRun", "make_plan"]

Kind = Literal["pretrain", "trial", "final"]


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
    """`runs` by key, in an order in which each comes after what it starts from; `studies` by digest, `tuned` the study that
    decides for an arm at a budget; `cells` name each comparison's last run. `skipped` is what the jets do not allow: pairs of
    what is left out, "arm NAME", and the reason."""

    instance: Instance
    skipped: tuple[tuple[str, str], ...] = ()
    runs: dict[str, PlannedRun] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    tuned: dict[tuple[str, int], str] = field(default_factory=dict)
    cells: dict[CellKey, str] = field(default_factory=dict)

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

    def study_arm(self, digest: str) -> str:
        """Return the first arm that a study decides for, by which its trials are named."""
        return next(arm for (arm, _), study in self.tuned.items() if study == digest)

    def trial(self, digest: str, spec: RunSpec) -> PlannedRun:
        """Plan a trial of a study."""
        arm, labels = self.study_arm(digest), spec.labels or 0
        return PlannedRun(spec, _trial_name(spec, arm, self.studies[digest]), arm, "trial", labels)

    def chain(self, cell: CellKey) -> Iterator[PlannedRun]:
        """Yield the runs behind a cell, last first."""
        key: str | None = self.cells[cell]
        while key is not None:
            yield self.runs[key]
            key = self.runs[key].spec.start


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
    the primary comparison, and where test set and largest budget do not fit into the dataset.
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
    _check_pretrained(plan)
    _tell_apart(plan)
    check_search(settings, plan.studies.values())
    _check_fairness(plan)
    return plan


def _add_cells(plan: Plan, name: str, labels: int) -> None:
    """The runs of an arm at a budget, after the study that tunes it."""
    settings = plan.instance.settings
    arm, chosen = settings.arms[name], _study(plan, name, labels)
    seeds = range(arm.seed_offset, arm.seed_offset + settings.seeds)
    for seed, chain in enumerate(expand(plan.ground, arm, Cells(labels, seeds, chosen=chosen))):
        keys = [plan.add(_planned(spec, name, labels)) for spec in chain]
        plan.cells[CellKey(name, labels, seed)] = keys[-1]


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


def _trial_name(spec: RunSpec, arm: str, study: Study) -> str:
    chosen = parameters(spec)
    values = "-".join(_value_name(one.path, chosen[one.path][0]) for one in study.searched)
    return f"{spec.model.name}/{arm}/n{spec.labels}/trial-{values}"


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


def _study(plan: Plan, name: str, labels: int) -> tuple[Chosen, ...]:
    """Plan the study that decides for an arm at a budget; empty where nothing is tuned."""
    settings = plan.instance.settings
    arm, tuning = settings.arms[name], settings.tuning
    if tuning is None or not models[arm.model].tunable or (len(tuning.factors) < 2 and not tuning.search):
        return ()
    budget = labels if tuning.labels == "each" else _smallest_alike(settings, name, labels)
    (chain,) = expand(plan.ground, arm, Cells(budget, [trial_seed(arm)], trial=True))
    if not (found := tuple(searched(settings, arm, chain[-1]))):
        return ()
    study = Study(
        template=chain[-1],
        searched=found,
        metric=plan.task.tuning.key,
        larger_is_better=plan.task.tuning.larger_is_better,
        sampler=tuning.sampler,
        trials=tuning.trials or len(found[0].space.choices),
    )
    digest = study.digest()
    plan.studies[digest] = study
    plan.tuned[name, labels] = digest
    for spec in chain[:-1]:
        plan.add(_planned(spec, name, budget))
    for spec in study.known_trials():
        plan.add(plan.trial(digest, spec))
    return tuple(Chosen(path=one.path, study=digest) for one in found)


def _smallest_alike(settings: Settings, name: str, labels: int) -> int:
    """The smallest budget of an arm that follows the same recipe as this one: a winner belongs to its recipe."""
    few = settings.few_labels or 0
    return next(budget for budget in settings.budgets(name) if (budget < few) == (labels < few))


def _check_pretrained(plan: Plan) -> None:
    """A trial takes over the weights of a pretraining, which has the arm's own values: what shapes them is not searched."""
    arms = plan.instance.settings.arms
    for (name, _), digest in plan.tuned.items():
        study, arm = plan.studies[digest], arms[name]
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
        chains = {
            cell.arm: [run.spec for run in plan.chain(cell)][::-1]
            for cell in plan.cells
            if (cell.labels, cell.seed) == (labels, 0)
        }
        for one, other in combinations(chains, 2):
            refuse_unfair(settings, (one, other), compare_chains(chains[one], chains[other]))
