from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.errors import LeakError, SuiteError
from jetbench.harness.checks import check_data
from jetbench.harness.plan import Plan
from jetbench.harness.suite import find_suite, instantiate
from jetbench.jets import Jets, concatenate, save_jets


def test_equal_jets_on_both_sides_are_a_leak(plan_of: Callable[..., Plan], toy_jets: Jets, tmp_path: Path) -> None:
    twice = concatenate([toy_jets, replace(toy_jets, event=np.asarray(toy_jets.event) + 10**6)])
    save_jets(tmp_path / "twice.h5", [twice])
    with pytest.raises(LeakError, match="jets are also test jets"):
        check_data(plan_of(), tmp_path / "twice.h5", None)


def test_a_foreign_pool_must_match_and_hold_no_test_jet(
    plan_of: Callable[..., Plan], toy_jets: Jets, toy_file: Path, tmp_path: Path
) -> None:
    check_data(plan_of(), toy_file, None)
    with pytest.raises(LeakError, match="jets are also test jets"):
        check_data(plan_of(), toy_file, toy_file)
    channels = tuple(c.replace(unit="MeV") for c in toy_jets.meta.channels)
    save_jets(tmp_path / "other.h5", [replace(toy_jets, meta=toy_jets.meta.replace(channels=channels))])
    with pytest.raises(SuiteError, match=r"do not match .* unit of the channel charged MeV against GeV; unit"):
        check_data(plan_of(), toy_file, tmp_path / "other.h5")


def test_the_dataset_is_no_pool_for_itself(suite_path: Path, toy_file: Path) -> None:
    with pytest.raises(SuiteError, match="the dataset itself"):
        instantiate(find_suite(str(suite_path)), unlabelled=str(toy_file))


def test_a_suite_that_does_not_fit_its_data_is_refused_before_it_runs(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match="100 test jets and 301 labels do not fit into the 400 jets"):
        plan_of("labels=[50,301]")
    with pytest.raises(SuiteError, match="77 labels, which is none of the budgets"):
        plan_of("arms.boosted-trees.labels=[77]")
    with pytest.raises(SuiteError, match="where the arm 'scratch' is not"):
        plan_of("arms.scratch.labels=[100]")
