"""From an arm to its runs: the one place where runs are made, values in, values out."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jetbench.data.splits import train_jets
from jetbench.errors import SuiteError
from jetbench.models import ModelEntry, models
from jetbench.objectives import ObjectiveEntry, objectives
from jetbench.recipes import recipes
from jetbench.registry import nearest
from jetbench.spaces import Configured
from jetbench.spec import Chosen, Component, DatasetRef, Recipe, RunSpec, normalised, options
from jetbench.suites.primaries import primary_of
from jetbench.suites.settings import Arm, RecipeChoice, Settings
from jetbench.suites.stages import Stage, regimes
from jetbench.tasks import tasks
from jetbench.views import augmentations, views
from jetbench.views.frame import half_widths
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = [
    "Cells",
    "Ground",
    "check_given",
    "check_options",
    "expand",
    "given_by_arm",
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
    """What all runs of an instance share: the suite's settings, the jets, and the precision of their computation."""

    settings: Settings
    dataset: DatasetRef
    unlabelled: DatasetRef | None
    also_test: DatasetRef | None
    meta: Meta
    precision: Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Cells:
    """A label budget and its seeds. `trial` makes them those of a study that all seeds share, with encoders of their own.
    `chosen` are the scalars of the last runs that studies decide."""

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
    stages = [_run(ground, arm, cells, stage) for stage in regime.stages]
    return [tuple(_chain(ground, arm, cells, seed, stages)) for seed in cells.seeds]


def _chain(ground: Ground, arm: Arm, cells: Cells, seed: int, stages: Sequence[RunSpec]) -> Iterator[RunSpec]:
    """The stages at a seed. What a stage is besides is the same for all seeds, and was validated for the first."""
    start: str | None = None
    for stage in stages:
        own = seed if stage.data == "budget" else _encoder_seed(ground.settings, arm, cells, seed)
        run = stage.replace(seed=own, start=start)
        yield run
        start = run.digest()


def _run(ground: Ground, arm: Arm, cells: Cells, stage: Stage) -> RunSpec:
    """A stage at the first seed, as if nothing came before it."""
    settings, last, pool = ground.settings, stage.data == "budget", stage.data == "pool"
    shares = arm.pool or settings.pool
    return RunSpec(
        dataset=ground.dataset,
        unlabelled=ground.unlabelled if pool else None,
        test_jets=settings.test_jets,
        also_test=ground.also_test if last else None,
        pool=tuple(sorted(shares.items())) if pool and shares else None,
        data=stage.data,
        labels=cells.labels if last else None,
        targets=stage.labels,
        seed=cells.seeds[0],
        task=task_component(settings),
        model=_model(settings, arm),
        view=_view(ground, arm),
        objective=_objective(settings, arm, stage),
        trains=stage.trains,
        recipe=_stretched(ground, arm, cells.labels, stage),
        precision=ground.precision,
        chosen=cells.chosen if last else (),
    )


def _encoder_seed(settings: Settings, arm: Arm, cells: Cells, seed: int) -> int:
    """The seed of the pretraining that a run starts from: one per seed unless the suite shares fewer; trials have their own."""
    if cells.trial:
        return seed
    shared = settings.pretraining_seeds or settings.seeds
    return arm.seed_offset + (seed - arm.seed_offset) % shared


def task_component(settings: Settings) -> Component:
    """Return the task of the suite as part of a run's spec."""
    entry, given = tasks[settings.task.name], settings.task.options
    check_given("task.options", given, entry)
    return Component(name=entry.name, revision=entry.revision, options=normalised(given, entry.defaults))


def _component(entry: ModelEntry | ObjectiveEntry, given: Mapping[str, object]) -> Component:
    return Component(name=entry.name, revision=entry.revision, options=normalised(given, entry.defaults))


def _model(settings: Settings, arm: Arm) -> Component:
    return _component(models[arm.model], {**settings.model_options.get(arm.model, {}), **arm.model_options})


def _objective(settings: Settings, arm: Arm, stage: Stage) -> Component:
    name = stage.objective
    return _component(objectives[name], {**settings.objective_options.get(name, {}), **arm.objective_options.get(name, {})})


def view_options(settings: Settings, arm: Arm) -> dict[str, object]:
    """Return what suite and arm say of the view that the arm's model sees."""
    return {**settings.view.get(models[arm.model].view, {}), **arm.view}


def _view(ground: Ground, arm: Arm) -> Component:
    entry = views[models[arm.model].view]
    settled = entry.settle(ground.meta, view_options(ground.settings, arm))  # type: ignore[arg-type]
    return Component(name=entry.name, revision=entry.revision, options=settled)


def _stretched(ground: Ground, arm: Arm, labels: int, stage: Stage) -> Recipe:
    """The stage's recipe; where it is stretched, with the passes of the stages before the last of the arm's primary comparison as
    well, and with the weights of its best epoch: few labels are over-fitted long before the end. Its epochs are as long as
    before, so that the best one is not missed."""
    recipe = _recipe(ground, arm, labels, stage)
    if not stage.stretched:
        return recipe
    primary = ground.settings.arms[primary_of(ground.settings, arm).arm]
    before = [_recipe(ground, primary, labels, one) for one in regimes[primary.regime].stages[:-1]]
    if not before:
        raise SuiteError(f"an arm under {arm.regime!r} trains as long as the primary arm in all its stages, which has only one")
    passes = recipe.passes + sum(one.passes for one in before)
    epochs = math.ceil(recipe.epochs * passes / max(1, recipe.passes))
    stretched: Recipe = recipe.replace(passes=passes, epochs=epochs, select="best", patience=None)
    return stretched


def _recipe(ground: Ground, arm: Arm, labels: int, stage: Stage) -> Recipe:
    """The recipe that suite and arm give to a stage, without the augmentations that these jets do not allow."""
    model = models[arm.model]
    if model.kind == "fitted":
        return recipes[model.recipe].recipe
    choice = recipe_choice(ground.settings, arm, recipe_key(ground.settings, stage, labels))
    named = recipes[str(choice.base)].recipe
    changes = {name: value for name in Recipe.model_fields if (value := getattr(choice, name, None)) is not None}
    if choice.loops is not None:
        changes["passes"] = min(choice.loops * train_jets(labels), choice.most_passes or sys.maxsize)
    recipe: Recipe = named.replace(**changes)
    allowed = [step for step in recipe.augmentation if not unmet(ground.meta, augmentations[step.name].needs)]
    return recipe.replace(augmentation=tuple(_augmentation(ground, arm, step) for step in allowed))


def recipe_key(settings: Settings, stage: Stage, labels: int) -> str:
    """Return under which key suite and arm say what a stage follows: where labels are few, a stage on the budget has one of its
    own, "…-few", with a fixed schedule and the last weights."""
    few = settings.few_labels is not None and stage.data == "budget" and labels < settings.few_labels
    return f"{stage.recipe}-few" if few else stage.recipe


def recipe_choice(settings: Settings, arm: Arm, key: str) -> RecipeChoice:
    """Return what suite and arm choose for a stage. Raises `SuiteError` where neither names a recipe."""
    chosen: RecipeChoice = settings.recipes.get(key) or RecipeChoice.model_validate({})
    if key in arm.recipes:
        chosen = arm.recipes[key].over(chosen)
    if chosen.base is None:
        raise SuiteError(f"the suite has no recipe for {key!r}, which an arm under {arm.regime!r} needs")
    return chosen


def given_by_arm(settings: Settings, arm: Arm, labels: int, path: str) -> bool:
    """Tell whether the arm itself gives a value to a scalar of its last run."""
    part, name = path.split(".", 1)
    stage = regimes[arm.regime].stages[-1]
    if part == "recipe":
        choice = arm.recipes.get(recipe_key(settings, stage, labels))
        return getattr(choice, name, None) is not None
    own: Mapping[str, object] = arm.model_options if part == "model" else arm.objective_options.get(stage.objective, {})
    return name in own


def _augmentation(ground: Ground, arm: Arm, step: Component) -> Component:
    """With its revision, and with the frame of the image (of an oblong one the shorter half width) where it needs one."""
    entry, keywords = augmentations[step.name], step.keywords()
    if entry.framed:
        extent = view_options(ground.settings, arm).get("extent")
        keywords.setdefault("extent", min(half_widths(ground.meta, float(extent) if extent else None)))  # type: ignore[arg-type]
    return Component(name=step.name, revision=entry.revision, options=options(keywords))


def check_given(where: str, given: Mapping[str, object], entry: Configured) -> None:
    """Raise `SuiteError` for an option that a component has not, for a value of another kind than the default's (a whole number
    is a float too), and for one that is not allowed."""
    usual, allowed = dict(entry.defaults), dict(entry.allowed)
    for name, value in given.items():
        if name not in usual:
            raise SuiteError(f"{where} has no option {name!r}; {nearest(name, usual)}")
        default = usual[name]
        kinds = (int, float) if isinstance(default, float) else (type(default),)
        if default is not None and type(value) not in kinds:
            raise SuiteError(f"{where}.{name} is {value!r}; it is of the kind of its default, {default!r}")
        if value != default and name in allowed and value not in allowed[name]:
            raise SuiteError(f"{where}.{name} is {value!r}; it is {allowed[name]}")


def check_options(settings: Settings) -> None:
    """Check the options of models, views and objectives before a run would stumble over them. Raises `SuiteError` for one that
    there is not, and for a value that makes no sense."""
    for name, given in settings.model_options.items():
        check_given(f"model_options.{name}", given, models[name])
    for name, given in settings.objective_options.items():
        check_given(f"objective_options.{name}", given, objectives[name])
    for name, given in settings.view.items():
        check_given(f"view.{name}", given, views[name])
    for name, arm in settings.arms.items():
        model = models[arm.model]
        check_given(f"arms.{name}.model_options", arm.model_options, model)
        check_given(f"arms.{name}.view", arm.view, views[model.view])
        for objective, given in arm.objective_options.items():
            check_given(f"arms.{name}.objective_options.{objective}", given, objectives[objective])
