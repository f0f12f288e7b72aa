from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.data.splits import split_jets
from jetbench.errors import SuiteError
from jetbench.suites.budgets import check_budgets, check_equal_classes
from jetbench.suites.expand import trial_seed
from jetbench.suites.plan import Plan

NAMES = tuple(f"class-{i}" for i in range(6))


def columns(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return labels, np.arange(len(labels))


def of_classes(plan: Plan, classes: int, jets: int | None = None) -> Plan:
    """The same plan for a dataset of other classes."""
    instance = plan.instance
    meta, jets = instance.meta.replace(class_names=NAMES[:classes]), jets or instance.jets
    return replace(plan, instance=instance.replace(meta=meta, jets=jets))


def check(plan: Plan, counts: list[int]) -> None:
    check_budgets(of_classes(plan, len(counts)), *columns(counts))


def message(plan: Plan, counts: list[int]) -> str:
    with pytest.raises(SuiteError) as caught:
        check(plan, counts)
    return str(caught.value)


def test_the_smallest_budget_that_can_be_tuned_is_named(plan_of: Callable[..., Plan]) -> None:
    """Of six classes at 50 labels each has eight or nine, and so one that validates; ten are needed for two."""
    plan, counts = plan_of("test_jets=120"), [100] * 6
    found = message(plan, counts)
    assert found.startswith(
        "label budget 50: the class 'class-0' has 1 of 6 validation labels, on which trials are compared, and needs 2"
    )
    least = int(re.search(r"smallest label budget that gives as many is (\d+)", found)[1])  # type: ignore[index]
    labels, events = columns(counts)
    seed = trial_seed(plan.instance.settings.arms["scratch"])
    for budget, enough in ((least - 1, False), (least, True)):
        split = split_jets(labels, events, 120, budget, seed, plan.instance.dataset.sha256)
        assert (np.bincount(labels[split.validation], minlength=6).min() >= 2) == enough
    assert 55 <= least <= 60
    check(plan_of("test_jets=120", f"labels=[{least},100]"), counts)
    check(plan_of("test_jets=120", "tuning=null"), counts)


def test_a_rare_class_is_named_with_the_remedy(plan_of: Callable[..., Plan]) -> None:
    found = message(plan_of("test_jets=100"), [180, 180, 4])
    assert found.startswith(
        "test_jets 100: the class 'class-2' has 1 of 100 test jets and needs 2; the smallest test_jets that gives as many is 1"
    )
    found = message(plan_of("test_jets=300", "tuning=null"), [298, 298, 4])
    assert found.startswith(
        "label budget 50: the class 'class-2' has 0 of 40 training labels and needs 1; the smallest label budget"
    )
    assert message(plan_of(), [200, 200, 0]).endswith("the dataset has too few of them")


def test_a_budget_of_which_none_validates_names_the_smallest_that_has_one(plan_of: Callable[..., Plan]) -> None:
    """With or without a tuning: every fifth event of a class validates."""
    found = message(plan_of("test_jets=120", "tuning=null", "labels=[12]"), [100] * 4)
    told = "label budget 12: none validates: every fifth event of a class does, and no class has five; the smallest label budget"
    assert found.startswith(f"{told} that gives as many is 1")
    plan, events = plan_of("test_jets=120", "tuning=null", "labels=[16]"), np.arange(400) // 4
    told = r"16: none validates: .* the smallest label budget that gives as many is (3\d): --set labels=\[\1\]$"
    with pytest.raises(SuiteError, match=told):
        check_budgets(plan, events % 2, events)


def test_two_classes_of_the_usual_size_pass(plan_of: Callable[..., Plan]) -> None:
    check(plan_of(), [200, 200])


def test_too_few_jets_of_a_class_are_known_before_any_is_simulated(
    plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    simulated = ("dataset={name: jetclass-mini, jets: 6000}", "primary.arm=simclr")
    with pytest.raises(
        SuiteError, match=r"label budget 50: .* has 1 of 6 validation labels.* budget that gives as many is (5[5-9]|60)"
    ):
        check_equal_classes(plan_of(*simulated))
    check_equal_classes(plan_of(*simulated, "labels=[60]"))
    with pytest.raises(SuiteError, match=r"test_jets 10: the class '\w+' has 1 of 10 test jets and needs 2"):
        check_equal_classes(plan_of(*simulated, "labels=[60]", "test_jets=10"))
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("budget", [50, 54, 59, 60])
def test_a_size_is_judged_before_the_simulation_as_after_it(plan_of: Callable[..., Plan], budget: int) -> None:
    plan = plan_of("test_jets=120", f"labels=[{budget},100]")
    told = []
    for judge in (lambda: check(plan, [2000] * 6), lambda: check_equal_classes(of_classes(plan, 6, 12_000))):
        try:
            judge()
            told.append("")
        except SuiteError as error:
            told.append(re.sub(r"'class-\d'", "", str(error).partition("; ")[0]))  # which of equals is rarest, chance decides
    assert told[0] == told[1]
