"""Longer trainings beside the comparison: which there are, and that nothing of them is part of a reported run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jetbench.errors import SuiteError
from jetbench.suites.plan import CellKey, Plan

PlanOf = Callable[..., Plan]
LONGER = ("longer=2.0", "tuning=null")


def test_a_suite_that_asks_for_none_has_none(plan_of: PlanOf) -> None:
    plan = plan_of("tuning=null")
    assert plan.checks == {}
    assert "check" not in {run.kind for run in plan.runs.values()}


def test_baseline_and_primary_arm_are_trained_longer_at_the_largest_budget(plan_of: PlanOf) -> None:
    plan = plan_of(*LONGER)
    assert set(plan.checks) == {("scratch", 100), ("simclr", 100)}
    for (arm, labels), keys in plan.checks.items():
        usual, longer = (plan.runs[key] for key in keys)
        assert (usual.kind, longer.kind) == ("check", "check")
        assert [usual.name, longer.name] == [f"resnet15/{arm}/n100/check", f"resnet15/{arm}/n100/check-longer"]
        assert longer.spec.recipe.passes == 2 * usual.spec.recipe.passes
        assert longer.spec.replace(recipe=usual.spec.recipe) == usual.spec
        reported = plan.runs[plan.cells[CellKey(arm, labels, 0)]].spec
        assert usual.spec.replace(seed=0, start=reported.start) == reported


def test_no_reported_run_has_the_labels_or_the_encoder_of_a_check(plan_of: PlanOf) -> None:
    plan = plan_of(*LONGER)
    reported = {run.key for cell in plan.cells for run in plan.chain(cell)}
    checks = [plan.runs[key].spec for keys in plan.checks.values() for key in keys]
    starts = {spec.start for spec in checks} - {None}
    assert len(starts) == 1
    assert not starts & reported
    assert {spec.seed for spec in checks} | {plan.runs[key].spec.seed for key in starts if key} == {-1}


def test_a_check_changes_no_run_of_the_comparison(plan_of: PlanOf) -> None:
    with_check, without = plan_of(*LONGER), plan_of("tuning=null")
    assert with_check.cells == without.cells
    assert set(without.runs) <= set(with_check.runs)


def test_an_arm_that_is_fitted_is_not_checked(plan_of: PlanOf) -> None:
    assert set(plan_of(*LONGER, "primary.baseline=boosted-trees").checks) == {("simclr", 100)}


def test_an_arm_is_checked_at_its_own_largest_budget(plan_of: PlanOf) -> None:
    assert set(plan_of(*LONGER, "arms.simclr.labels=smallest").checks) == {("scratch", 100), ("simclr", 50)}


def test_longer_is_longer(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match="longer"):
        plan_of("longer=0.5")
