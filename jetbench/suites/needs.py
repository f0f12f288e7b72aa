"""What of a suite these jets do not allow: arms that are left out, augmentations that every arm goes without, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from jetbench.data.catalog import datasets
from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.objectives import objectives
from jetbench.recipes import recipes
from jetbench.registry import nearest
from jetbench.spec import Component
from jetbench.suites.choices import Arm, Common, RecipeChoice
from jetbench.suites.expand import task_component, view_options
from jetbench.suites.instance import AnyInstance
from jetbench.suites.stages import regimes
from jetbench.suites.suite import Instance
from jetbench.tasks import build_task
from jetbench.views import augmentations
from jetbench.views.likeness import differences
from jetbench.views.needs import unmet

if TYPE_CHECKING:
    from jetbench.jets import Meta

__all__ = ["refuse_unfit", "refuse_unusable", "skipped_arms", "skipped_augmentations"]


def refuse_unfit(instance: AnyInstance) -> None:
    """Raise `SuiteError` for jets that do not allow the task or have no such weights as are asked for, for a pool of other jets
    than the dataset's, and for a composition or a size of the pool that its jets do not allow."""
    settings, dataset = instance.settings, instance.meta
    pool = instance.pool_meta or dataset
    if reason := build_task(task_component(settings)).unmet(dataset, instance.targets):
        raise SuiteError(f"the jets of {instance.dataset.name!r} {reason}")
    if reason := _weight_reason(instance):
        raise SuiteError(f"sample_weight: {reason}")
    if unlike := list(differences(dataset, pool)):
        remedy = _common_channels(instance) + _same_radius(dataset, pool)
        raise SuiteError(f"the unlabelled jets do not match those of {instance.dataset.name!r}: {'; '.join(unlike)}{remedy}")
    if reason := _pool_reason(settings.pool, pool) or _size_reason(instance):
        raise SuiteError(reason)


def _common_channels(instance: AnyInstance) -> str:
    """Which files to convert anew to make dataset and pool alike; empty where fewer channels would not do that: they share none,
    have them in another order, or a simulated side has too many."""
    settings, pool, pool_meta = instance.settings, instance.unlabelled, instance.pool_meta
    if pool is None or settings.unlabelled is None or pool_meta is None:
        return ""
    mine, theirs = ([channel.name for channel in meta.channels] for meta in (instance.meta, pool_meta))
    common = [name for name in mine if name in theirs]
    sides = ((mine, instance.dataset, settings.dataset), (theirs, pool, settings.unlabelled))
    wider = [(ref.name, choice.name in datasets) for names, ref, choice in sides if names != common]
    ordered = common == [name for name in theirs if name in mine]
    if not (common and wider and ordered) or any(simulated for _, simulated in wider):
        return ""
    files = " and ".join(repr(name) for name, _ in wider)
    return f". Convert {files} with the channels that both have in common: --channels {','.join(common)}"


def _same_radius(dataset: Meta, pool: Meta) -> str:
    """What to do where constituents reach to another radius; empty where they do not."""
    if dataset.grid or pool.grid or not dataset.extent or not pool.extent or dataset.extent == pool.extent:
        return ""
    return (
        ". Where both are jets of one radius R, which --guess reads off the constituents, write it as `radius: R` in both cards "
        "and convert again; jets of different radii are no pool for each other"
    )


def refuse_unusable(instance: Instance) -> None:
    """Raise `SuiteError` as `refuse_unfit` does, and where the jets allow no primary comparison, because of one of its arms."""
    refuse_unfit(instance)
    settings = instance.settings
    skipped = skipped_arms(settings, instance.meta, instance.pool_meta or instance.meta)
    lacking = [next((arm for arm in (one.arm, one.baseline) if arm in skipped), None) for one in settings.primary]
    if None not in lacking:
        arm = str(lacking[0])
        raise SuiteError(f"the primary comparison has the arm {arm!r}, which these jets do not allow: {skipped[arm]}")


def skipped_arms(settings: Common, dataset: Meta, pool: Meta) -> dict[str, str]:
    """Return the reason by the name of each arm that the task, the dataset or its pool of unlabelled jets does not allow."""
    reasons = {name: _arm_reason(settings, arm, dataset, pool) for name, arm in settings.arms.items()}
    return {name: reason for name, reason in reasons.items() if reason}


def _arm_reason(settings: Common, arm: Arm, dataset: Meta, pool: Meta) -> str:
    model = models[arm.model]
    view, task = model.view_of(dataset), settings.task.name
    if model.tasks and task not in model.tasks:
        return f"the model {model.name!r} does {' and '.join(model.tasks)}, not {task}"
    for stage in regimes[arm.regime].stages:
        objective = objectives[stage.objective]
        if objective.tasks and task not in objective.tasks:
            return f"the objective {objective.name!r} uses the labels of {' and '.join(objective.tasks)}, not of {task}"
        if settings.sample_weight and stage.labels != "none" and model.kind == "network" and not objective.sample_weight:
            return f"the loss of the objective {objective.name!r} knows no weights of jets, and the suite gives a sample_weight"
    if settings.sample_weight and model.kind == "fitted" and not model.sample_weight:
        return f"the model {model.name!r} takes no weights of jets, and the suite gives a sample_weight"
    if model.quantity and model.quantity != (asked := build_task(task_component(settings))).quantity:
        return f"the model {model.name!r} gives a {model.quantity}, and the target is {asked.column!r}"
    if reason := unmet(dataset, view.needs):
        return f"for the view {view.name!r} {reason}"
    given = view_options(settings, arm, view)
    for option, needs in view.option_needs:
        if given.get(option) and (reason := unmet(dataset, needs)):
            return f"for the option {option!r} of the view {view.name!r} {reason}"
    if reason := _signal_reason(settings, arm, dataset):
        return reason
    return _pool_reason(arm.pool, pool)


def _signal_reason(settings: Common, arm: Arm, dataset: Meta) -> str:
    """Why a model that is made for one signal does not fit the classes of these jets; empty where it does."""
    model, classes = models[arm.model], dataset.class_names
    if not model.signal or (len(classes) == 2 and (settings.model_options.get(arm.model) or arm.model_options)):
        return ""
    if len(classes) != 2:
        return f"the model {model.name!r} tells two classes apart, and these jets have {len(classes)}"
    if classes[1] == model.signal:
        return ""
    options = " ".join(f"--set model_options.{model.name}.{name}=…" for name, _ in model.defaults)
    return (
        f"the model {model.name!r} is made for the signal {model.signal!r}, and that of these jets is {classes[1]!r}; for it, "
        f"type what {classes[1]!r} has:  {options}"
    )


def _weight_reason(instance: AnyInstance) -> str:
    """Why jets have no such weights as the suite asks for; empty where they may have them."""
    name, predicted = instance.settings.sample_weight, {"label", build_task(task_component(instance.settings)).column}
    if name is None or name in set(instance.targets) - predicted:
        return ""
    if name in predicted:
        return f"{name!r} is what is predicted, and no weight of a jet"
    others = ", ".join(sorted(set(instance.targets) - predicted)) or "none"
    return (
        f"the jets of {instance.dataset.name!r} have no target {name!r} that could weigh them; targets that they have: {others}"
    )


def skipped_augmentations(settings: Common, dataset: Meta) -> dict[str, str]:
    """Return the reason by the name of each augmentation that a recipe of the suite has and the dataset does not allow."""
    choices = [*settings.recipes.values(), *(choice for arm in settings.arms.values() for choice in arm.recipes.values())]
    steps = (step.name for choice in choices for step in _augmentation(choice))
    return {name: reason for name in steps if (reason := unmet(dataset, augmentations[name].needs))}


def _augmentation(choice: RecipeChoice) -> tuple[Component, ...]:
    if choice.augmentation is not None:
        return choice.augmentation
    return recipes[choice.base].recipe.augmentation if choice.base else ()


def _pool_reason(shares: Mapping[str, float] | None, pool: Meta) -> str:
    """Why the pool has no jets for these shares of classes; empty where it may have them."""
    strange = next((name for name in shares or () if name not in pool.class_names), None)
    if strange is None:
        return ""
    if not pool.class_names:
        return f"a share of {strange!r} is asked for in the pool, and the unlabelled jets have no labels"
    classes = nearest(strange, pool.class_names)
    return f"a share of {strange!r} is asked for in the pool, and no class of the unlabelled jets has that name; {classes}"


def _size_reason(instance: AnyInstance) -> str:
    """Why the pool has fewer jets than a pretraining is to see; empty where it may have them, as a file not yet looked into."""
    settings = instance.settings
    jets = settings.unlabelled.jets if settings.unlabelled else instance.jets - settings.test_jets
    asked = max(settings.pool_jets or 0, *(arm.pool_jets or 0 for arm in settings.arms.values()))
    if jets is None or asked <= jets:
        return ""
    return f"{asked} unlabelled jets are asked for by `pool_jets`, and the pool has {jets}; lower it, or take a larger pool"
