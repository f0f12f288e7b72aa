from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from jetbench.data.splits import split_jets
from jetbench.errors import SuiteError
from jetbench.harness.classes import check_classes
from jetbench.harness.plan import Plan
from jetbench.harness.regimes import TUNING_SEED

NAMES = tuple(f"class-{i}" for i in range(6))


def columns(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return labels, np.arange(len(labels))


def message(plan: Plan, counts: list[int]) -> str:
    with pytest.raises(SuiteError) as caught:
        check_classes(plan, *columns(counts), NAMES[: len(counts)])
    return str(caught.value)


def test_the_smallest_budget_that_can_be_tuned_is_named(plan_of: Callable[..., Plan]) -> None:
    """Of six classes at 50 labels each has eight or nine, and so one that validates; ten are needed for two."""
    plan, counts = plan_of("test_jets=120"), [100] * 6
    found = message(plan, counts)
    assert found.startswith("label budget 50: 1 of 6 validation labels, on which it is tuned, are 'class-0', and 2 are needed")
    least = int(re.search(r"smallest label budget that does is (\d+)", found)[1])  # type: ignore[index]
    labels, events = columns(counts)
    for budget, enough in ((least - 1, False), (least, True)):
        split = split_jets(labels, events, 120, budget, TUNING_SEED, plan.instance.dataset.sha256)
        assert (np.bincount(labels[split.validation], minlength=6).min() >= 2) == enough
    assert 55 <= least <= 60
    check_classes(plan_of("test_jets=120", f"labels=[{least},100]"), labels, events, NAMES)
    check_classes(plan_of("test_jets=120", "tuning=null"), labels, events, NAMES)


def test_a_rare_class_is_named_with_the_remedy(plan_of: Callable[..., Plan]) -> None:
    found = message(plan_of("test_jets=100"), [180, 180, 4])
    assert found.startswith(
        "test_jets 100: 1 of 100 test jets are 'class-2', and 2 are needed; the smallest test_jets that does is 1"
    )
    found = message(plan_of("test_jets=300", "tuning=null"), [298, 298, 4])
    assert found.startswith("label budget 50: 0 of 40 training labels are 'class-2', and 1 are needed; the smallest label budget")
    assert message(plan_of(), [200, 200, 0]).endswith("the dataset has too few of them")


def test_two_classes_of_the_usual_size_pass(plan_of: Callable[..., Plan]) -> None:
    check_classes(plan_of(), *columns([200, 200]), NAMES[:2])
