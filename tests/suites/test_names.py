"""Where a name is looked for, and what is said where nothing has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jetbench.errors import StoreError
from jetbench.suites.instances import remember
from jetbench.suites.names import ArmName, arm_called, named_plans, unknown_name
from jetbench.suites.plan import Plan


def test_plans_are_made_one_after_the_other_the_latest_first(
    plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instances = [plan_of(f"seeds={seeds}").instance for seeds in (1, 2, 3)]
    for instance in instances:
        remember(tmp_path, instance)
    planned = []

    def plan_remembered(instance: object, root: object) -> Plan:
        planned.append(instance)
        return Plan(instance)  # type: ignore[arg-type]

    monkeypatch.setattr("jetbench.suites.names.plan_remembered", plan_remembered)
    plans = named_plans(tmp_path, scale="quick")
    assert next(plans).instance == instances[2]
    assert planned == [instances[2]]
    assert [plan.instance for plan in plans] == instances[1::-1]


def test_a_store_without_a_plan_says_why(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has no results; `jetbench run --suite NAME` makes them"):
        list(named_plans(tmp_path))
    instance = plan_of().instance
    remember(tmp_path, instance)
    with pytest.raises(StoreError, match="no results at scale 'smoke'; it has some at the scale quick: name one with --scale"):
        list(named_plans(tmp_path, scale="smoke"))
    book = tmp_path / "instances.jsonl"
    whole = book.read_text()
    book.write_text(whole.replace('"boosted-trees"', '"gone-model"'))
    with pytest.raises(
        StoreError, match=r"mini\.quick\.\w+ can no longer be planned \(.*gone-model.*\); `jetbench store gc mini"
    ):
        list(named_plans(tmp_path))
    book.write_text(book.read_text() + whole)
    assert [plan.instance for plan in named_plans(tmp_path)] == [instance]


def test_the_model_may_stand_in_front_of_an_arm(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of()
    for what in ("scratch/n50", "resnet15/scratch/n50"):
        assert arm_called(plan, what) == ArmName("scratch", 50)
    assert arm_called(plan, "boosted-trees/scratch/n50") is None


@pytest.mark.parametrize("what", ["scratch", "scratch/n50", "resnet15/scratch/n50/s0"])
def test_an_arm_that_is_skipped_is_said_with_the_reason_at_any_budget(plan_of: Callable[..., Plan], what: str) -> None:
    plan = plan_of()
    skipped = Plan(plan.instance, (("arm scratch", "these jets have no such column"),))
    assert unknown_name(what, "store", [skipped]).endswith("skips it: these jets have no such column")


def test_budgets_and_seeds_that_an_arm_has_are_said(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("seeds=2")
    name = plan.instance.name
    assert unknown_name("scratch/n55", name, [plan]) == f"{name} has no scratch/n55; there are scratch/n50, scratch/n100"
    assert unknown_name("scratch/n50/s7", name, [plan]).endswith("there are scratch/n50/s0, scratch/n50/s1")


def test_a_plan_that_has_chosen_no_run_yet_has_no_such_name_and_no_list(plan_of: Callable[..., Plan]) -> None:
    assert unknown_name("abc", "store", [Plan(plan_of().instance)]) == "store has no run or arm of the name or key 'abc'"
