"""From an arm to its runs: the one place where runs are made, values in, values out."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jetbench.data.splits import train_jets
from jetbench.errors import SuiteError
from jetbench.models import HEAD_OPTIONS, ModelEntry, models
from jetbench.objectives import ObjectiveEntry, objectives
from jetbench.recipes import recipes
from jetbench.spaces import check_given
from jetbench.spec import (
    Chosen,
    Component,
    DatasetRef,
    OtherTests,
    Recipe,
    RunSpec,
    ScoresRef,
    WeightsRef,
    normalised,
    options,
)
from jetbench.suites.choices import Arm, Common, RecipeChoice, TaskChoice
from jetbench.suites.parameters import local
from jetbench.suites.primaries import primary_of
from jetbench.suites.settings import Settings
from jetbench.suites.stages import RegimeEntry, Stage, regimes
from jetbench.tasks import tasks
from jetbench.views import ViewEntry, augmentations
from jetbench.views.frame import half_widths
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = [
    "Cells",
    "Ground",
    "expand",
    "recipe_choice",
    "recipe_key",
    "task_component",
    "trial_seed",
    "view_options",
]


def trial_seed(arm: Arm) -> int:
    """Return the seed of an arm's trials in a study that all its seeds share. It is below zero: labels, weights and encoder are
    those of no reported run, and of no other arm's trials where the arm has seeds of its own."""
    return -1 - arm.seed_offset


@dataclass(frozen=True)
class Ground:
    """What all runs of an instance share: the suite's settings, the jets with the names of their `targets`, the imported weights,
    the scores of teachers, and the precision of their computation."""

    settings: Common
    dataset: DatasetRef
    unlabelled: DatasetRef | None
    also_test: OtherTests
    weights: tuple[WeightsRef, ...]
    scores: tuple[ScoresRef, ...]
    meta: Meta
    targets: tuple[str, ...]
    precision: Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Cells:
    """A label budget and its seeds. `trial` makes them those of a study that all seeds share, with encoders of their own.
    `chosen` are the scalars of their runs that studies decide."""

    labels: int
    seeds: Sequence[int]
    trial: bool = False
    chosen: tuple[Chosen, ...] = ()


def expand(ground: Ground, arm: Arm, cells: Cells) -> list[tuple[RunSpec, ...]]:
    """Return the chain of runs of an arm at each seed, first to last: one for each stage of its regime, each of which starts from
    the one before.

    Raises `SuiteError` where the regime does not fit the model, a recipe is missing, or an option makes no sense.
    """
    regime, model = regimes[arm.regime], models[arm.model]
    if model.kind != regime.kind:
        raise SuiteError(f"regime {regime.name!r} trains a {regime.kind} model, and {arm.model!r} is none")
    _refuse_misplaced(arm, regime)
    stages = [_run(ground, arm, cells, back) for back in reversed(range(len(regime.stages)))]
    return [tuple(_chain(ground, arm, cells, seed, stages)) for seed in cells.seeds]


def _refuse_misplaced(arm: Arm, regime: RegimeEntry) -> None:
    """Raise `SuiteError` where an arm lacks a key that its regime needs, or has one that belongs to others."""
    if regime.external and arm.weights is None:
        raise SuiteError(f"an arm under {regime.name!r} needs `weights`, the folder that `jetbench model import` has written")
    if arm.weights is not None and not regime.external:
        raise SuiteError(f"the weights {arm.weights!r} belong to an arm under 'external', and not under {regime.name!r}")
    if arm.pool_jets is not None and not any(stage.data in ("pool", "budget+pool") for stage in regime.stages):
        raise SuiteError(f"`pool_jets` belongs to an arm that sees the unlabelled pool, and none under {regime.name!r} does")
    if regime.taught and arm.scores is None:
        raise SuiteError(f"an arm under {regime.name!r} needs `scores`, the file that `jetbench predict RUN DATA -o FILE` writes")
    if arm.scores is not None and not regime.taught:
        fit = " or ".join(repr(one.name) for one in regimes if one.taught)
        raise SuiteError(f"the scores {arm.scores!r} belong to an arm under {fit}, and not under {regime.name!r}")


def _chain(ground: Ground, arm: Arm, cells: Cells, seed: int, stages: Sequence[RunSpec]) -> Iterator[RunSpec]:
    """The stages at a seed. What a stage is besides is the same for all seeds, and was validated for the first."""
    start: str | None = None
    for stage in stages:
        own = seed if stage.on_budget else _encoder_seed(ground.settings, arm, cells, seed)
        run = stage.replace(seed=own, start=start)
        yield run
        start = run.digest()


def _run(ground: Ground, arm: Arm, cells: Cells, back: int) -> RunSpec:
    """The stage that is `back` stages before the last, at the first seed, as if nothing came before it."""
    stage = regimes[arm.regime].stages[-1 - back]
    settings, last, pool = ground.settings, stage.on_budget, stage.data in ("pool", "budget+pool")
    shares = arm.pool or settings.pool
    return RunSpec(
        dataset=ground.dataset,
        unlabelled=ground.unlabelled if pool else None,
        test_jets=settings.test_jets,
        also_test=ground.also_test if last else None,
        pool=tuple(sorted(shares.items())) if pool and shares else None,
        pool_jets=(arm.pool_jets or settings.pool_jets) if pool else None,
        data=stage.data,
        labels=cells.labels if last else None,
        targets=stage.labels,
        scores=next(one for one in ground.scores if one.name == arm.scores) if stage.labels == "scores" else None,
        sample_weight=settings.sample_weight if stage.labels != "none" else None,
        seed=cells.seeds[0],
        task=_task(ground, stage),
        model=_model(settings, arm, stage),
        view=_view(ground, arm),
        objective=_objective(settings, arm, stage),
        trains=stage.trains,
        takes="network" if stage.takes == "network" else "encoder",
        weights=next(one for one in ground.weights if one.name == arm.weights) if stage.external else None,
        recipe=_stretched(ground, arm, cells.labels, stage),
        precision=ground.precision,
        chosen=tuple(one for one in cells.chosen if local(one.path, back) is not None),
    )


def _encoder_seed(settings: Common, arm: Arm, cells: Cells, seed: int) -> int:
    """The seed of the pretraining that a run starts from: one per seed unless the suite shares fewer; trials have their own."""
    if cells.trial:
        return seed
    return arm.seed_offset + (seed - arm.seed_offset) % settings.encoders


def task_component(settings: Common) -> Component:
    """Return the task of the suite as part of a run's spec."""
    return _task_as(settings.task)


def _task_as(choice: TaskChoice) -> Component:
    entry, given = tasks[choice.name], choice.options
    check_given("task.options", given, entry)
    return entry.component(normalised(given, entry.defaults))


def _task(ground: Ground, stage: Stage) -> Component:
    """The task of the suite. A stage without labels knows a task by its split alone, which is that of the classes where jets have
    any: its training is one for all tasks, under the name of the default."""
    untold = stage.labels == "none" and "label" in ground.targets
    return _task_as(TaskChoice() if untold else ground.settings.task)


def _component(entry: ModelEntry | ObjectiveEntry, given: Mapping[str, object]) -> Component:
    return entry.component(normalised(given, entry.defaults))


def _model(settings: Common, arm: Arm, stage: Stage) -> Component:
    """The arm's model, without the options of a head that the stage does not train."""
    given = {**settings.model_options.get(arm.model, {}), **arm.model_options}
    without = frozenset() if stage.trains_head else HEAD_OPTIONS
    return _component(models[arm.model], {name: value for name, value in given.items() if name not in without})


def _objective(settings: Common, arm: Arm, stage: Stage) -> Component:
    name = stage.objective
    return _component(objectives[name], {**settings.objective_options.get(name, {}), **arm.objective_options.get(name, {})})


def view_options(settings: Common, arm: Arm, view: ViewEntry) -> dict[str, object]:
    """Return what suite and arm say of the view that the arm's model sees."""
    return {**settings.view.get(view.like, {}), **settings.view.get(view.name, {}), **arm.view}


def _view(ground: Ground, arm: Arm) -> Component:
    entry = models[arm.model].view_of(ground.meta)
    settled = entry.settle(ground.meta, view_options(ground.settings, arm, entry))  # type: ignore[arg-type]
    return entry.component(settled)


def _stretched(ground: Ground, arm: Arm, labels: int, stage: Stage) -> Recipe:
    """The stage's recipe; where it is stretched, with the passes of the stages before the last of the arm's primary comparison as
    well, and with the weights of its best epoch: few labels are over-fitted long before the end. Its epochs are as long as
    before, so that the best one is not missed."""
    recipe = _recipe(ground, arm, labels, stage)
    if not stage.stretched:
        return recipe
    if not isinstance(ground.settings, Settings):
        raise SuiteError(f"an arm under {arm.regime!r} trains as long as a suite's primary arm, and a study has none")
    primary = ground.settings.arms[primary_of(ground.settings, arm).arm]
    before = [_recipe(ground, primary, labels, one) for one in regimes[primary.regime].stages[:-1]]
    if not before:
        raise SuiteError(f"an arm under {arm.regime!r} trains as long as the primary arm in all its stages, which has only one")
    passes = recipe.passes + sum(one.passes for one in before)
    epochs = math.ceil(recipe.epochs * passes / max(1, recipe.passes))
    stretched: Recipe = recipe.replace(passes=passes, epochs=epochs, select="best", patience=None)
    return stretched


def _recipe(ground: Ground, arm: Arm, labels: int, stage: Stage) -> Recipe:
    """The recipe that suite and arm give to a stage, without the augmentations that these jets do not allow, and without a
    rate of the encoder where the stage fine-tunes none."""
    model = models[arm.model]
    if model.kind == "fitted":
        return recipes[model.recipe].recipe
    choice = recipe_choice(ground.settings, arm, recipe_key(ground.settings, stage, labels))
    named = recipes[str(choice.base)].recipe
    changes = {name: value for name in Recipe.model_fields if (value := getattr(choice, name, None)) is not None}
    if choice.loops is not None:
        changes["passes"] = min(choice.loops * train_jets(labels), choice.most_passes or sys.maxsize)
    if not stage.fine_tunes:  # what starts at random has one rate, and what is frozen none
        changes.pop("encoder_rate", None)
    recipe: Recipe = named.replace(**changes)
    if not recipe.passes:
        raise SuiteError(
            f"the recipe {named.name!r} leaves its length to the suite; give {stage.recipe!r} `passes`, or for a stage on the "
            "label budget `loops` through it"
        )
    allowed = [step for step in recipe.augmentation if not unmet(ground.meta, augmentations[step.name].needs)]
    return recipe.replace(augmentation=tuple(_augmentation(ground, arm, step) for step in allowed))


def recipe_key(settings: Common, stage: Stage, labels: int) -> str:
    """Return under which key suite and arm say what a stage follows: where labels are few, a stage on the budget has one of its
    own, "…-few", with a fixed schedule and the last weights."""
    few = settings.few_labels is not None and stage.on_budget and labels < settings.few_labels
    return f"{stage.recipe}-few" if few else stage.recipe


def recipe_choice(settings: Common, arm: Arm, key: str) -> RecipeChoice:
    """Return what suite and arm choose for a stage. Raises `SuiteError` where neither names a recipe."""
    chosen: RecipeChoice = settings.recipes.get(key) or RecipeChoice.model_validate({})
    if key in arm.recipes:
        chosen = arm.recipes[key].over(chosen)
    if chosen.base is None:
        copied = _to_copy(settings, arm, key)
        raise SuiteError(f"the suite has no recipe for {key!r}, which an arm under {arm.regime!r} needs{copied}")
    return chosen


def _to_copy(settings: Common, arm: Arm, key: str) -> str:
    """Offer the suite's own recipe that is nearest to a missing one: of the same objective, or of one that uses labels as it does
    and looks at a jet as often; empty where there is none."""
    stages = [stage for stage in regimes[arm.regime].stages if stage.recipe == key.removesuffix("-few")]
    wanted = objectives[stages[0].objective] if stages else None
    known = {stage.recipe: objectives[stage.objective] for one in regimes for stage in one.stages}
    near = [
        (other.name == wanted.name, other.views == wanted.views, name)
        for name, choice in settings.recipes.items()
        if wanted and choice.base and (other := known.get(name.removesuffix("-few"))) and other.labelled == wanted.labelled
    ]
    if not near:
        return ""
    name = max(near, key=lambda one: one[:2])[2]
    own = settings.recipes[name].model_dump(exclude_none=True, exclude={"augmentation"})
    given = ", ".join(f"{key}: {value}" for key, value in own.items())
    besides = ", and its `augmentation`" if settings.recipes[name].augmentation is not None else ""
    return f"; copy the one for {name!r}{besides}: --set 'recipes.{key}={{{given}}}'"


def _augmentation(ground: Ground, arm: Arm, step: Component) -> Component:
    """With its revision, and with the frame of the image (of an oblong one the shorter half width) where it needs one."""
    entry, keywords = augmentations[step.name], step.keywords()
    if entry.framed:
        extent = view_options(ground.settings, arm, models[arm.model].view_of(ground.meta)).get("extent")
        keywords.setdefault("extent", min(half_widths(ground.meta, float(extent) if extent else None)))  # type: ignore[arg-type]
    return entry.component(options(keywords))
