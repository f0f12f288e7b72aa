"""What a suite does to its jets, as the invariance card shows it."""

from __future__ import annotations

from collections.abc import Callable

from jetbench.recipes import pipelines
from jetbench.spec import Component, options
from jetbench.suites.pipelines import suite_pipelines
from jetbench.suites.plan import Plan

PlanOf = Callable[..., Plan]


def steps_of(plan: Plan) -> set[tuple[Component, ...]]:
    return {run.spec.recipe.augmentation for run in plan.runs.values() if run.spec.recipe.augmentation}


def test_the_steps_are_those_of_the_runs_by_the_keys_of_their_recipes(plan_of: PlanOf) -> None:
    plan = plan_of("recipes.simclr.augmentation=[flip, {crop_zoom: {area: 0.6}}, {drop: {rate: 0.7}}]", "view.image.extent=0.5")
    found = suite_pipelines(plan.instance)
    assert list(found) == ["supervised", "simclr"]
    assert set(found.values()) == steps_of(plan)
    assert [step.options for step in found["simclr"]] == [(), options({"area": 0.6, "extent": 0.5}), (("rate", 0.7),)]


def test_recipes_with_the_same_steps_are_shown_once(plan_of: PlanOf) -> None:
    steps = {key: f"recipes.{key}.augmentation=physics" for key in ("supervised", "simclr")}
    assert suite_pipelines(plan_of(*steps.values()).instance) == {"supervised, simclr": pipelines["physics"].steps}


def test_arms_that_differ_are_named_and_those_without_augmentation_are_not(plan_of: PlanOf) -> None:
    own = ("arms.simclr.recipes.supervised.augmentation=[flip]", "recipes.simclr.augmentation=[]")
    plan = plan_of(*own, "varies=[model, regime, recipe.augmentation]")
    found = suite_pipelines(plan.instance)
    assert {name for name, _ in found.items() if "simclr" in name} == {"supervised of simclr"}
    assert [step.name for step in found["supervised of simclr"]] == ["flip"]
    assert [name for name in found if name.startswith("supervised of scratch")]
