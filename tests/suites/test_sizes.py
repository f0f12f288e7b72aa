"""What does not fit into a dataset is refused with options that fit, as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jetbench.errors import SuiteError
from jetbench.suites.budgets import check_budgets
from jetbench.suites.plan import Plan
from jetbench.suites.study_planning import StudyPlan


def typed(message: str) -> list[str]:
    return re.findall(r"--set (\S+?)(?=[;,]? |$)", message)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["labels=[50,100,301]"], ["labels=[50,100]"]),  # those of the suite that fit stay
        (["labels=[301,1000]"], ["labels=[300]"]),
        (["test_jets=320", "labels=[100]"], ["labels=[80]"]),
        (["test_jets=380", "labels=[100,300]"], ["test_jets=100", "labels=[100,300]"]),
        (["test_jets=20000", "labels=[100,300,1000]"], ["test_jets=100", "labels=[100,300]"]),
        (
            ["labels=[50,301]", "arms.boosted-trees.labels=[301]"],
            ["labels=[50]", "arms.boosted-trees.labels=all"],
        ),
    ],
)
def test_sizes_that_are_told_fit(given: list[str], told: list[str], plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="do not fit into the 400 jets") as caught:
        plan_of(*given)
    assert typed(str(caught.value)) == told
    settings = plan_of(*given, *told).instance.settings
    assert settings.test_jets + settings.labels[-1] <= 400


def test_a_study_is_told_its_one_budget(plan_of_study: Callable[..., StudyPlan]) -> None:
    with pytest.raises(SuiteError, match="350 labels do not fit into the 400 jets") as caught:
        plan_of_study("labels=350")
    assert typed(str(caught.value)) == ["labels=300"]
    assert plan_of_study("labels=300").instance.budgets == (300,)


def test_budgets_that_are_too_small_are_told_all_at_once(plan_of: Callable[..., Plan]) -> None:
    strata = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 100))
    plan = plan_of("test_jets=120", "tuning=null", "labels=[12,13,100]")

    def check(one: Plan) -> None:
        meta = one.instance.meta.replace(class_names=("a", "b", "c", "d"))
        check_budgets(replace(one, instance=one.instance.replace(meta=meta)), strata, np.arange(400))

    with pytest.raises(SuiteError, match="label budget 12: none validates") as caught:
        check(plan)
    (labels,) = typed(str(caught.value))
    assert re.fullmatch(r"labels=\[\d\d,100\]", labels)
    check(plan_of("test_jets=120", "tuning=null", labels))
    strata = np.random.default_rng(0).permutation(np.repeat(np.arange(4), [130, 130, 130, 10]))
    with pytest.raises(SuiteError, match=r"test_jets 20: .* the smallest test_jets .* is \d+: --set test_jets=") as caught:
        check(plan_of("test_jets=20", "tuning=null"))
    check(plan_of("tuning=null", *typed(str(caught.value))))


def test_events_that_stay_together_leave_fewer_jets_than_are_asked_for(plan_of: Callable[..., Plan]) -> None:
    plan, strata, events = plan_of("test_jets=110", "labels=[50,290]"), np.arange(400) % 2, np.arange(400) // 40
    with pytest.raises(SuiteError, match="label budget 290: 280 jets are left beside the test jets") as caught:
        check_budgets(plan, strata, events)
    assert typed(str(caught.value)) == ["labels=[50]"]
    check_budgets(plan_of("test_jets=110", "tuning=null", "labels=[50]"), strata, np.arange(400) // 4)
    with pytest.raises(SuiteError, match="110 test jets leave none of 400, since jets of one event stay together"):
        check_budgets(plan, strata, np.zeros(400, int))
    with pytest.raises(SuiteError, match="label budget 290: 1 jet is left beside the test jets"):
        check_budgets(plan, strata, np.arange(400) // 399)


def test_a_class_that_is_too_rare_in_events_is_told_as_without_them(plan_of: Callable[..., Plan]) -> None:
    """No size of the test set has enough of it, up to one that leaves no jet beside."""
    plan, strata = plan_of("test_jets=20", "tuning=null", "labels=[50]"), np.arange(400) // 399
    for events in (np.arange(400), np.arange(400) // 4):
        with pytest.raises(SuiteError, match=r"test_jets 20: the class 'top' has \d of 20 .*; the dataset has too few of them$"):
            check_budgets(plan, strata, events)


def test_an_arm_at_a_budget_that_is_gone_names_the_option(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="77 labels, which is none of the budgets") as caught:
        plan_of("arms.boosted-trees.labels=[77]")
    assert typed(str(caught.value)) == ["arms.boosted-trees.labels=all"]
    assert plan_of(*typed(str(caught.value))).instance.settings.arms["boosted-trees"].labels == "all"
