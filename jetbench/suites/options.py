"""Options of components that a suite or a study gives: are there such, and may they have these values?"""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.errors import SuiteError
from jetbench.evaluation.metrics import metrics
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.recipes import recipes
from jetbench.spaces import check_given
from jetbench.suites.choices import Common, RecipeChoice
from jetbench.suites.settings import Settings
from jetbench.suites.stages import RegimeEntry, regimes
from jetbench.tasks import tasks
from jetbench.tasks.task import LOSS
from jetbench.views import augmentations, views

__all__ = ["check_metrics", "check_options"]

FRAME = "extent"  # of a framed augmentation, settled by the jets and the view where it is not given


def check_options(settings: Common) -> None:
    """Check the options of models, views, objectives and augmentations, and what recipes and objectives ask of the task, before a
    run would stumble over them. Raises `SuiteError` for one that there is not, and for a value that makes no sense."""
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
    for where, choice in _choices(settings):
        _check_selection(where, choice, settings.task.name)
        _check_strengths(where, choice)
    _check_encoder_rates(settings)
    given_to_objectives = [settings.objective_options, *(arm.objective_options for arm in settings.arms.values())]
    if any(given.get("class_weights") == "balanced" for options in given_to_objectives for given in options.values()):
        tasks[settings.task.name].load()().balanced()


def check_metrics(settings: Settings) -> None:
    """Raise `SuiteError` for a metric that does not judge what the task predicts, `UnknownNameError` where there is none of a
    name."""
    for entry in (metrics[name] for name in settings.metrics):
        if entry.tasks and settings.task.name not in entry.tasks:
            raise SuiteError(
                f"the metric {entry.name!r} judges {' and '.join(entry.tasks)}, and the task is {settings.task.name}"
            )


def _choices(settings: Common) -> Iterator[tuple[str, RecipeChoice]]:
    """What suite and arms choose of recipes, each with its place."""
    for key, choice in settings.recipes.items():
        yield f"recipes.{key}", choice
    for name, arm in settings.arms.items():
        for key, choice in arm.recipes.items():
            yield f"arms.{name}.recipes.{key}", choice


def _check_strengths(where: str, choice: RecipeChoice) -> None:
    for step in choice.augmentation or ():
        entry = augmentations[step.name]
        given = {name: value for name, value in step.keywords().items() if name != FRAME or not entry.framed}
        check_given(f"{where}.augmentation.{step.name}", given, entry)


def _check_encoder_rates(settings: Common) -> None:
    """A rate of the encoder's own is that of a stage which fine-tunes: suite and arm give none to other recipes."""
    tuned = {name: _fine_tuned(regimes[arm.regime]) for name, arm in settings.arms.items()}
    given = [(f"recipes.{key}", choice, key, set().union(*tuned.values())) for key, choice in settings.recipes.items()]
    for name, arm in settings.arms.items():
        given += [(f"arms.{name}.recipes.{key}", choice, key, tuned[name]) for key, choice in arm.recipes.items()]
    for where, choice, key, known in given:
        if choice.encoder_rate is not None and key not in known:
            raise SuiteError(
                f"{where}.encoder_rate: nothing that follows this recipe fine-tunes an encoder that was trained before"
            )


def _fine_tuned(regime: RegimeEntry) -> set[str]:
    """The keys of the recipes that the stages of a regime follow which fine-tune, with few labels too."""
    keys = {stage.recipe for stage in regime.stages if stage.fine_tunes}
    return keys | {f"{key}-few" for key in keys}


def _check_selection(where: str, choice: RecipeChoice, task: str) -> None:
    """The metric that a recipe selects by is one of the task's; an arm's choice may leave it to the suite's."""
    objective = where.rsplit(".", 1)[-1]
    if objective in objectives and not objectives[objective].trains_head:
        if choice.select_by:
            raise SuiteError(f"{where}.select_by: a pretraining without a head is not validated, so that no epoch is its best")
        return
    key = choice.select_by or (recipes[choice.base].recipe.select_by if choice.base else LOSS.key)
    try:
        tasks[task].load().selector(key)
    except SuiteError as error:
        raise SuiteError(f"{where}.select_by is {key!r}, and {error}") from None
