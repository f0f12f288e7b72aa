"""A grid of rates and lengths beside the comparison: which trainings there are, and that they change nothing of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jetbench.errors import SuiteError
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.sensitivity import GridPlace

PlanOf = Callable[..., Plan]
GRID = ("tuning=null", "sensitivity={arms: [scratch, simclr], learning_rate: [0.3, 1.0, 3.0], length: [0.5, 1.0]}")


def test_every_combination_of_factors_is_trained_at_every_seed(plan_of: PlanOf) -> None:
    plan = plan_of(*GRID)
    assert set(plan.grid) == {
        GridPlace(arm, rate, length, seed)
        for arm in ("scratch", "simclr")
        for rate in (0.3, 1.0, 3.0)
        for length in (0.5, 1.0)
        for seed in (0, 1)
    }
    for place, key in plan.grid.items():
        run, own = plan.runs[key].spec, plan.runs[plan.cells[CellKey(place.arm, 50, place.seed)]].spec
        recipe = own.recipe
        assert run.recipe.learning_rate == place.rate * recipe.learning_rate
        assert run.recipe.passes == round(place.length * recipe.passes)
        assert run.replace(recipe=recipe) == own  # the same labels, encoder and all else
        assert plan.runs[key].kind == ("final" if (place.rate, place.length) == (1.0, 1.0) else "check")


def test_factors_of_one_are_the_run_of_the_cell(plan_of: PlanOf) -> None:
    plan = plan_of(*GRID)
    for arm in ("scratch", "simclr"):
        assert plan.grid[GridPlace(arm, 1.0, 1.0, 1)] == plan.cells[CellKey(arm, 50, 1)]
    assert plan.runs[plan.grid[GridPlace("simclr", 3.0, 0.5, 1)]].name == "resnet15/simclr/n50/rate3-length0.5/s1"
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)


def test_a_grid_changes_no_run_of_the_comparison_and_trains_no_encoder(plan_of: PlanOf) -> None:
    plan, without = plan_of(*GRID), plan_of("tuning=null")
    assert plan.cells == without.cells
    assert set(without.runs) <= set(plan.runs)
    assert without.grid == {}
    assert {run.kind for key, run in plan.runs.items() if key not in without.runs} == {"check"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{arms: [scatch], learning_rate: [1.0, 3.0]}", "sensitivity names the arm 'scatch'; did you mean 'scratch'"),
        ("{arms: [scratch], learning_rate: [1.0], length: [1.0]}", "a grid of one point says nothing"),
        ("{arms: [scratch], learning_rate: [0.3, 3.0]}", "have 1 among them, which is the arm's own run"),
        ("{arms: [scratch], length: [2.0, 1.0]}", "the factors of length are positive, rise"),
        ("{arms: [scratch, scratch], length: [1.0, 2.0]}", "an arm stands there twice"),
        ("{arms: [scratch], labels: 70, length: [1.0, 2.0]}", "sensitivity is at 70 labels, where the arm 'scratch' is not"),
        ("{arms: [boosted-trees], length: [1.0, 2.0]}", "'boosted-trees' is fitted in one go and has no length"),
        ("{arms: [scratch], length: [0.001, 1.0]}", "at the length 0.001 0 of the .* are left, less than a batch of"),
        ("{arms: [scratch], lenght: [1.0, 2.0]}", "unknown key 'sensitivity.lenght'; did you mean 'length'"),
    ],
)
def test_one_clear_error_names_cause_and_remedy(plan_of: PlanOf, given: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        plan_of("tuning=null", f"sensitivity={given}")


def test_tuning_and_a_grid_around_what_it_replaces_exclude_each_other(plan_of: PlanOf) -> None:
    with pytest.raises(SuiteError, match="which tuning replaces; leave out one of them"):
        plan_of(GRID[1])
