"""The plan: every run of a suite instance, who needs whom, and what it will cost, before anything is executed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from jetbench.data.catalog import Dataset
from jetbench.errors import SuiteError
from jetbench.models import ModelEntry, models
from jetbench.objectives import ObjectiveEntry, objectives
from jetbench.registry import nearest
from jetbench.spec import RunSpec, WinnerOf
from jetbench.suites.classes import check_equal_classes
from jetbench.suites.needs import refuse_unusable, skipped_arms, skipped_augmentations
from jetbench.suites.regimes import TUNING_SEED, Cell
from jetbench.suites.settings import Arm, Settings
from jetbench.suites.suite import Instance
from jetbench.suites.tuning import Study

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["CellKey", "Plan", "PlannedRun", "make_plan"]


@dataclass(frozen=True)
class CellKey:
    """A place in the comparison: which arm, at how many labels, with which seed."""

    arm: str
    labels: int
    seed: int


@dataclass(frozen=True)
class PlannedRun:
    """A run with its name for people: "resnet15/simclr/n100/s0". Its `key` is its digest."""

    spec: RunSpec
    name: str
    arm: str

    @cached_property
    def key(self) -> str:
        return self.spec.digest()

    @property
    def labelled(self) -> bool:
        return objectives[self.spec.objective.name].labelled


@dataclass
class Plan:
    """`runs` by key, in an order in which each comes after what it starts from; `studies` by digest, `tuned` the study that
    decides for an arm at a budget; `cells` name each comparison's last run. `meta` is what all jets of the dataset share,
    `skipped` what they do not allow: pairs of what is left out, "arm mass-cut", and the reason."""

    instance: Instance
    meta: Meta
    skipped: tuple[tuple[str, str], ...] = ()
    runs: dict[str, PlannedRun] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    tuned: dict[tuple[str, int], str] = field(default_factory=dict)
    cells: dict[CellKey, str] = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        """The arms that are run, in the suite's order."""
        return list(dict.fromkeys(cell.arm for cell in self.cells))

    def skipped_lines(self) -> list[str]:
        """What is skipped and why, "arms boosted-trees and mass-cut: for the view …", a line per kind and reason."""
        together: dict[tuple[str, str], list[str]] = {}
        for what, reason in self.skipped:
            kind, name = what.split(" ", 1)
            together.setdefault((kind, reason), []).append(name)
        return [f"{_listed(kind, names)}: {reason}" for (kind, reason), names in together.items()]

    def add(self, planned: PlannedRun) -> str:
        self.runs.setdefault(planned.key, planned)
        return planned.key

    def study_of(self, key: str) -> str | None:
        rate = self.runs[key].spec.recipe.learning_rate
        return rate.winner_of if isinstance(rate, WinnerOf) else None

    def study_arm(self, digest: str) -> str:
        """The first arm that a study decides for, by which its trials are named."""
        return next(arm for (arm, _), study in self.tuned.items() if study == digest)

    def chain(self, cell: CellKey) -> Iterator[PlannedRun]:
        """The runs behind a cell, last first."""
        key: str | None = self.cells[cell]
        while key is not None:
            yield self.runs[key]
            key = self.runs[key].spec.start


def _listed(kind: str, names: list[str]) -> str:
    """ "arm a", "arms a and b", "arms a, b and c"."""
    *others, last = names
    return f"{kind}s {', '.join(others)} and {last}" if others else f"{kind} {last}"


def make_plan(instance: Instance) -> Plan:
    """Expand an instance. Raises `SuiteError` where arms differ in something that the suite does not say varies, where the
    dataset does not allow the primary comparison, and where a dataset that is yet to be simulated will have too few jets of a
    class for the test set or a label budget."""
    settings, dataset = instance.settings, instance.find_dataset()
    meta, pool = dataset.meta(), (instance.find_unlabelled() or dataset).meta()
    _check_options(instance)
    _check_size(settings, dataset)
    refuse_unusable(settings, meta, pool)
    left_out = skipped_arms(settings, meta, pool)
    skipped = {f"arm {name}": reason for name, reason in left_out.items()}
    skipped |= {f"augmentation {name}": reason for name, reason in skipped_augmentations(settings, meta).items()}
    plan = Plan(instance, meta, tuple(skipped.items()))
    for name in (arm for arm in settings.arms if arm not in left_out):
        for labels in settings.budgets(name):
            rate = _study(plan, name, labels)
            for seed in range(settings.seeds):
                offset = settings.arms[name].seed_offset
                chain = _cell(plan, name, "final", labels, seed + offset, rate).runs()
                keys = [plan.add(PlannedRun(spec, run_name(spec, name), name)) for spec in chain]
                plan.cells[CellKey(name, labels, seed)] = keys[-1]
    _check_fairness(plan)
    if not dataset.ready:
        check_equal_classes(plan, dataset.jets, meta.class_names)
    return plan


def _check_options(instance: Instance) -> None:
    """Options of models and objectives are known before a run would stumble over them."""
    settings = instance.settings
    chosen: list[tuple[str, ModelEntry | ObjectiveEntry, Iterable[str]]] = [
        *((f"model_options.{name}", models[name], given) for name, given in settings.model_options.items()),
        *((f"objective_options.{name}", objectives[name], given) for name, given in settings.objective_options.items()),
        *((f"arms.{name}.options", models[arm.model], arm.options) for name, arm in settings.arms.items()),
    ]
    for where, entry, given in chosen:
        if unknown := sorted(set(given) - set(entry.options)):
            raise SuiteError(f"{where} has no option {unknown[0]!r}; {nearest(unknown[0], entry.options)}")


def _check_size(settings: Settings, dataset: Dataset) -> None:
    """Test set and largest budget fit into the dataset."""
    if settings.test_jets + settings.labels[-1] > dataset.jets:
        raise SuiteError(
            f"{settings.test_jets} test jets and {settings.labels[-1]} labels do not fit into the {dataset.jets} jets of "
            f"{dataset.ref.name!r}; lower them with --set test_jets=… and --set labels=[…], or take a larger dataset"
        )


def _cell(plan: Plan, arm: str, stage: str, labels: int, seed: int, rate: float | WinnerOf | None) -> Cell:
    instance = plan.instance
    settings = instance.settings
    chosen = settings.arms[arm]
    return Cell(settings, instance.dataset, instance.unlabelled, plan.meta, chosen, stage, labels, seed, rate)  # type: ignore[arg-type]


def _study(plan: Plan, arm: str, labels: int) -> WinnerOf | None:
    """Plan the study that decides this arm's learning rate at this budget; None where nothing is tuned."""
    settings = plan.instance.settings
    tuning = settings.tuning
    if tuning is None or not models[settings.arms[arm].model].tunable or len(tuning.factors) < 2:
        return None
    budget = labels if tuning.labels == "each" else settings.budgets(arm)[0]
    chain = _cell(plan, arm, "trial", budget, TUNING_SEED, None).runs()
    base = chain[-1].recipe.learning_rate
    assert isinstance(base, float)  # no study has replaced it yet
    rates = tuple(sorted(float(f"{base * f:.6g}") for f in tuning.factors))
    study = Study(template=chain[-1], sampler=tuning.sampler, rates=rates, trials=tuning.trials or len(rates))
    for spec in (*chain[:-1], *study.known_trials()):
        plan.add(PlannedRun(spec, run_name(spec, arm), arm))
    digest = study.digest()
    plan.studies[digest] = study
    plan.tuned[arm, labels] = digest
    return WinnerOf(winner_of=digest)


def run_name(spec: RunSpec, arm: str) -> str:
    """What people read, in the tracker too."""
    if spec.stage == "pretrain":
        return f"{spec.model.name}/{spec.objective.name}-pretraining/s{spec.seed}"
    if spec.stage == "trial":
        return f"{spec.model.name}/{arm}/n{spec.labels}/trial-lr{spec.recipe.learning_rate:g}"
    return f"{spec.model.name}/{arm}/n{spec.labels}/s{spec.seed}"


def _check_fairness(plan: Plan) -> None:
    """Any difference between two arms must be one that the suite declares."""
    settings = plan.instance.settings
    names = list(settings.arms)
    differences = {
        "model": "model",
        "regime": "regime",
        "pool": "pool",
        "seed": "seed_offset",
        "options": "options",
    }
    for name in names[1:]:
        for word, attribute in differences.items():
            values = [getattr(settings.arms[n], attribute) for n in (names[0], name)]
            if values[0] != values[1] and word not in settings.varies:
                raise SuiteError(
                    f"arms {names[0]!r} and {name!r} differ in {word} ({values[0]!r} against {values[1]!r}), "
                    f"which the suite does not declare under `varies`"
                )
    _check_supervised_stage(plan)


def _check_supervised_stage(plan: Plan) -> None:
    """All networks of one budget have the same supervised recipe but for the learning rate, scratch-long's passes aside."""
    recipes: dict[int, tuple[str, object]] = {}
    for cell, key in plan.cells.items():
        spec = plan.runs[key].spec
        arm: Arm = plan.instance.settings.arms[cell.arm]
        if models[arm.model].kind != "network" or arm.regime == "scratch-long":
            continue
        recipe = spec.recipe.replace(learning_rate=0.0)
        other, seen = recipes.setdefault(cell.labels, (cell.arm, recipe))
        if seen != recipe:
            raise SuiteError(f"arms {other!r} and {cell.arm!r} differ in their supervised recipe: {seen} against {recipe}")
