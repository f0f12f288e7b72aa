"""What recipes and objectives ask of the task is checked when a plan is made, before anything runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jetbench.errors import SuiteError, UnknownNameError
from jetbench.recipes import recipes
from jetbench.suites.plan import Plan
from jetbench.tasks import tasks

PlanOf = Callable[..., Plan]
MASS = "task={name: regression, options: {target: gen_mass}}"

WHOLE = "passes: null, epochs: null"  # nothing of the length that the toy suite gives


def last(plan: Plan, arm: str) -> dict[str, object]:
    (run,) = {
        run.spec
        for run in plan.runs.values()
        if run.arm == arm and run.kind == "final" and (run.spec.labels, run.spec.seed) == (100, 0)
    }
    return {"select_by": run.recipe.select_by, **run.objective.keywords()}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            ("recipes.supervised.select_by=rmse",),
            r"recipes\.supervised\.select_by is 'rmse', and this task selects no epoch by it; valid names: accuracy, auc, loss",
        ),
        (
            ("recipes.simclr.select_by=accuracy",),
            r"recipes\.simclr\.select_by: a pretraining without a head is not validated",
        ),
        (
            ("arms.scratch.recipes.supervised.select_by=accurcy",),
            r"arms\.scratch\.recipes\.supervised\.select_by is 'accurcy', .*did you mean 'accuracy'\? valid names: accuracy,",
        ),
        (
            (MASS, f"recipes.supervised={{base: ssl-jet-image-finetune, {WHOLE}, loops: 5}}"),
            r"is 'accuracy', .*valid names: loss, rmse",
        ),
        ((MASS, "objective_options.supervised.class_weights=balanced"), "class_weights are for a task with classes; leave them"),
        (("objective_options.supervised.class_weights=equal",), r"class_weights is 'equal'; it is 'none' or 'balanced'"),
        (("recipes.simclr.augmentation=[{drop: {raet: 0.1}}]",), r"augmentation\.drop has no option 'raet'; did you mean 'rate'"),
        (
            ("arms.simclr.recipes.simclr={augmentation: [{collinear_splitting: {times: 0}}]}",),
            r"arms\.simclr\.recipes\.simclr\.augmentation\.collinear_splitting\.times is 0; it is at least 1",
        ),
        (("task.options.loss=focal",), r"task\.options\.loss is 'focal'; it is 'cross-entropy' or 'bce'"),
    ],
)
def test_what_the_task_does_not_have_is_refused(plan_of: PlanOf, given: tuple[str, ...], told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        plan_of(*given)


def test_what_the_task_has_is_part_of_the_runs(plan_of: PlanOf) -> None:
    plan = plan_of(
        "recipes.supervised.select_by=auc",
        "arms.scratch.objective_options.supervised.class_weights=balanced",
        "varies=[model, regime, objective.class_weights]",
    )
    assert last(plan, "scratch") == {"select_by": "auc", "class_weights": "balanced"}
    assert last(plan, "simclr") == {"select_by": "auc"}


def test_a_pipeline_is_its_steps_by_name_or_one_by_one(plan_of: PlanOf) -> None:
    by_name = plan_of("recipes.simclr.augmentation=published")
    steps = "[{flip: {eta: true, phi: false}}, {crop_zoom: {extent: 0.8}}, {energy_scale: {sigma: 0.2}}]"
    assert set(by_name.runs) == set(plan_of(f"recipes.simclr.augmentation={steps}").runs)
    assert set(by_name.runs) != set(plan_of().runs)
    with pytest.raises(UnknownNameError, match=r"no augmentation pipeline 'pyhsics'; did you mean 'physics'"):
        plan_of("recipes.simclr.augmentation=pyhsics")


def test_a_mass_may_be_learnt_by_a_recipe_that_selects_by_accuracy_otherwise(plan_of: PlanOf) -> None:
    plan = plan_of(MASS, f"recipes.supervised={{base: ssl-jet-image-finetune, {WHOLE}, loops: 5, select_by: rmse}}")
    assert last(plan, "scratch")["select_by"] == "rmse"


@pytest.mark.parametrize("entry", list(recipes), ids=lambda entry: entry.name)
def test_every_recipe_selects_by_a_metric_of_some_task(entry: object) -> None:
    selectors = {metric.key for task in tasks for metric in task.load().selectors}
    assert entry.recipe.select_by in selectors  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["ssl-jet-image-finetune", "ssl-jet-image-mass", "electron-photon", "se-vgg"])
def test_a_published_recipe_is_as_long_as_a_suite_says(plan_of: PlanOf, name: str) -> None:
    """Its epochs are times through the training labels where the loops are as many."""
    epochs = recipes[name].recipe.epochs
    task = (MASS,) if name == "ssl-jet-image-mass" else ()
    plan = plan_of(*task, f"recipes.supervised={{base: {name}, {WHOLE}, loops: {epochs}}}", "labels=[100]", "tuning=null")
    (recipe,) = {run.spec.recipe for run in plan.runs.values() if run.arm == "scratch"}
    assert recipe == recipes[name].recipe.replace(passes=80 * epochs, augmentation=recipe.augmentation)
    with pytest.raises(
        SuiteError, match=f"the recipe '{name}' leaves its length to the suite; give 'supervised' `passes`, or for"
    ):
        plan_of(*task, f"recipes.supervised={{base: {name}, {WHOLE}}}")
