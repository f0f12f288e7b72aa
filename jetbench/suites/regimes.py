"""How an arm gets its model: a cell expands into a chain of runs, values in, values out; the last run is the arm's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from jetbench.data.splits import train_jets
from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.recipes import recipes
from jetbench.registry import Entry, Registry
from jetbench.spec import Component, DatasetRef, Recipe, RunSpec, WinnerOf, options
from jetbench.suites.settings import Arm, Settings
from jetbench.views import augmentations, views
from jetbench.views.frame import frame_options, half_widths
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["TUNING_SEED", "Cell", "PlantedTruth", "RegimeEntry", "Role", "regimes"]

# what must come out whatever the data: better than the baseline, not better, no different, or no better than a coin
PlantedTruth = Literal["ahead", "not-ahead", "same", "chance"]

# a seed that no final run has: the winner of a study is retrained on labels and weights that the study has not seen
TUNING_SEED = 10_000


class Role(StrEnum):
    """Baseline and rivals are what a suite compares; controls and floors tell whether the comparison can be trusted."""

    BASELINE = "baseline"
    RIVAL = "rival"
    CONTROL = "control"
    FLOOR = "floor"


@dataclass(frozen=True)
class RegimeEntry(Entry):
    """`kind` is the kind of model that it trains, `role` that of its arms (the baseline is named by the suite), `truth` what
    must come out of them."""

    kind: Literal["network", "fitted"] = "network"
    role: Role = Role.RIVAL
    truth: PlantedTruth | None = None


def _entry(name: str, summary: str, kind: Literal["network", "fitted"] = "network") -> RegimeEntry:
    return RegimeEntry(name, f"jetbench.suites.regimes:{name.replace('-', '_')}", summary, kind=kind)


def _control(name: str, summary: str, truth: PlantedTruth | None = None) -> RegimeEntry:
    target = f"jetbench.suites.regimes:{name.replace('-', '_')}"
    return RegimeEntry(name, target, f"control: {summary}", role=Role.CONTROL, truth=truth)


regimes: Registry[RegimeEntry] = Registry(
    "regime",
    [
        _entry("scratch", "supervised training on the label budget alone"),
        _entry("mixup", "supervised training on mixed images and labels"),
        _entry("simclr", "SimCLR on the unlabelled pool, then fine-tuning of encoder and head"),
        _control("random-frozen", "only the head is trained, on a frozen random encoder (lower bound)", "not-ahead"),
        _control("scratch-long", "as many passes as pretraining and fine-tuning together"),
        _control("supervised-pretrained", "pretraining with all labels of the pool, then fine-tuning (ceiling)", "ahead"),
        _control("shuffled-labels", "scratch on permuted training labels (a coin unless something leaks)", "chance"),
        _entry("fit", "one fit on the table of observables", kind="fitted"),
    ],
)


@dataclass(frozen=True)
class Cell:
    """An arm at one label budget and seed, with the suite's settings around it; `meta` is what all jets of the dataset share.

    `learning_rate` replaces that of the last recipe: a number in a trial, a study's winner in a tuned final run."""

    settings: Settings
    dataset: DatasetRef
    unlabelled: DatasetRef | None
    meta: Meta
    arm: Arm
    stage: Literal["trial", "final"]
    labels: int
    seed: int
    learning_rate: float | WinnerOf | None = None

    def runs(self) -> tuple[RunSpec, ...]:
        entry = regimes[self.arm.regime]
        if models[self.arm.model].kind != entry.kind:
            raise SuiteError(f"regime {entry.name!r} trains a {entry.kind} model, and {self.arm.model!r} is none")
        runs: Callable[[Cell], tuple[RunSpec, ...]] = entry.load()
        return runs(self)

    def recipe(self, role: str) -> Recipe:
        """The recipe that the suite gives to a role, with the suite's own values in place and without the augmentations that
        these jets do not allow."""
        if role not in self.settings.recipes:
            raise SuiteError(f"the suite has no recipe for {role!r}, which an arm under {self.arm.regime!r} needs")
        choice = self.settings.recipes[role]
        changes = {k: v for k, v in choice.model_dump().items() if k not in ("base", "loops") and v is not None}
        if choice.loops is not None:
            changes["passes"] = choice.loops * train_jets(self.labels)
        recipe: Recipe = recipes[choice.base].recipe.replace(**changes)
        allowed = [step for step in recipe.augmentation if not unmet(self.meta, augmentations[step.name].needs)]
        return recipe.replace(augmentation=tuple(self._augmentation(step) for step in allowed))

    def _augmentation(self, step: Component) -> Component:
        """With its revision, and with the frame of the image (of an oblong one the shorter half width) where it needs one."""
        entry, keywords = augmentations[step.name], step.keywords()
        if entry.framed:
            keywords.setdefault("extent", min(half_widths(self.meta, self.settings.view.extent)))
        return Component(name=step.name, revision=entry.revision, options=options(keywords))

    def supervised(self) -> Recipe:
        """The recipe of the supervised stage: where labels are few, the one with a fixed schedule and the last weights."""
        few = self.settings.few_labels
        return self.recipe("supervised-few" if few is not None and self.labels < few else "supervised")

    @property
    def encoder_seed(self) -> int:
        """The seed of the pretraining that this cell starts from: one per seed unless the suite shares fewer."""
        own = self.seed if self.seed != TUNING_SEED else self.arm.seed_offset
        shared = self.settings.pretraining_seeds or self.settings.seeds
        return self.arm.seed_offset + (own - self.arm.seed_offset) % shared

    def model(self) -> Component:
        entry = models[self.arm.model]
        chosen = {**self.settings.model_options.get(entry.name, {}), **self.arm.options}
        return Component(name=entry.name, revision=entry.revision, options=options(chosen))

    def last(self, recipe: Recipe, objective: str = "supervised", start: str | None = None, frozen: bool = False) -> RunSpec:
        """The supervised run on the label budget, with the learning rate of this cell."""
        if self.learning_rate is not None:
            recipe = recipe.replace(learning_rate=self.learning_rate)
        return self._run(self.stage, self.labels, self.seed, recipe, self._objective(objective), start, frozen)

    def pretraining(self, recipe: Recipe, objective: str) -> RunSpec:
        """The run on the pool, shared by all arms, budgets and seeds that have the same encoder seed."""
        return self._run("pretrain", None, self.encoder_seed, recipe, self._objective(objective), None, False)

    def _objective(self, name: str) -> Component:
        shuffled = name == "shuffled"
        entry = objectives["supervised" if shuffled else name]
        chosen = {"shuffled": True} if shuffled else self.settings.objective_options.get(name, {})
        return Component(name=entry.name, revision=entry.revision, options=options(chosen))

    def _pool(self) -> tuple[tuple[str, float], ...] | None:
        shares = self.arm.pool or self.settings.pool
        return tuple(sorted(shares.items())) if shares else None

    def _view(self) -> Component:
        entry = views[models[self.arm.model].view]
        chosen = self.settings.view
        image = frame_options(self.meta, chosen.pixels, chosen.extent, chosen.rebin) if entry.name == "image" else ()
        return Component(name=entry.name, revision=entry.revision, options=image)

    def _run(
        self,
        stage: Literal["pretrain", "trial", "final"],
        labels: int | None,
        seed: int,
        recipe: Recipe,
        objective: Component,
        start: str | None,
        frozen: bool,
    ) -> RunSpec:
        unlabelled = stage == "pretrain" and not objectives[objective.name].labelled
        return RunSpec(
            stage=stage,
            dataset=self.dataset,
            unlabelled=self.unlabelled if unlabelled else None,
            test_jets=self.settings.test_jets,
            pool=self._pool() if unlabelled else None,
            labels=labels,
            seed=seed,
            model=self.model(),
            view=self._view(),
            objective=objective,
            recipe=recipe,
            start=start,
            frozen=frozen,
        )


def scratch(cell: Cell) -> tuple[RunSpec, ...]:
    return (cell.last(cell.supervised()),)


def mixup(cell: Cell) -> tuple[RunSpec, ...]:
    return (cell.last(cell.supervised(), "mixup"),)


def shuffled_labels(cell: Cell) -> tuple[RunSpec, ...]:
    return (cell.last(cell.supervised(), "shuffled"),)


def simclr(cell: Cell) -> tuple[RunSpec, ...]:
    pretraining = cell.pretraining(cell.recipe("simclr"), "simclr")
    return (pretraining, cell.last(cell.supervised(), start=pretraining.digest()))


def supervised_pretrained(cell: Cell) -> tuple[RunSpec, ...]:
    pretraining = cell.pretraining(cell.recipe("supervised-pretraining"), "supervised")
    return (pretraining, cell.last(cell.supervised(), start=pretraining.digest()))


def random_frozen(cell: Cell) -> tuple[RunSpec, ...]:
    return (cell.last(cell.supervised(), frozen=True),)


def scratch_long(cell: Cell) -> tuple[RunSpec, ...]:
    """The supervised recipe stretched to the passes of SimCLR and fine-tuning together, with as many validations."""
    recipe = cell.supervised()
    return (cell.last(recipe.replace(passes=recipe.passes + cell.recipe("simclr").passes, patience=None)),)


def fit(cell: Cell) -> tuple[RunSpec, ...]:
    return (cell.last(recipes["trees" if models[cell.arm.model].tunable else "untuned"].recipe),)
