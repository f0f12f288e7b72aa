from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from jetbench.errors import SuiteError
from jetbench.spec import WinnerOf
from jetbench.suites.plan import CellKey, Plan, make_plan
from jetbench.suites.regimes import TUNING_SEED, regimes
from jetbench.suites.suite import find_suite, instantiate


def stages(plan: Plan) -> Counter[str]:
    return Counter(run.spec.stage for run in plan.runs.values())


def test_runs_are_counted_before_anything_runs(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of()
    assert stages(plan) == {"pretrain": 2, "trial": 6, "final": 12}
    assert len(plan.cells) == 12
    assert len({run.name for run in plan.runs.values()}) == len(plan.runs)
    assert stages(plan_of("tuning.labels=each")) == {"pretrain": 2, "trial": 12, "final": 12}
    assert stages(plan_of("tuning=null")) == {"pretrain": 2, "final": 12}


def test_a_run_comes_after_what_it_starts_from(plan_of: Callable[..., Plan]) -> None:
    seen: set[str] = set()
    for key, run in plan_of().runs.items():
        assert run.spec.start is None or run.spec.start in seen
        seen.add(key)


def test_pretraining_is_shared_across_budgets_and_not_across_seeds(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of()

    def start(labels: int, seed: int) -> str | None:
        return plan.runs[plan.cells[CellKey("simclr", labels, seed)]].spec.start

    assert start(50, 0) == start(100, 0) != start(50, 1)
    shared = plan_of("pretraining_seeds=1")
    assert {run.spec.start for run in shared.runs.values() if run.arm == "simclr" and run.spec.start} == {start(50, 0)}


def test_a_tuned_run_names_its_study_before_the_winner_is_known(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of()
    final = plan.runs[plan.cells[CellKey("scratch", 100, 0)]].spec
    assert isinstance(final.recipe.learning_rate, WinnerOf)
    study = plan.studies[final.recipe.learning_rate.winner_of]
    assert study.template.labels == 50
    assert study.template.seed == TUNING_SEED
    assert study.rates == (0.001, 0.003)


def test_digests_follow_what_decides_the_numbers_and_nothing_else(plan_of: Callable[..., Plan]) -> None:
    before = plan_of()
    assert set(before.runs) == set(plan_of().runs)
    assert not set(before.runs) & set(plan_of("view.pixels=12").runs) - _trees(before)
    more = plan_of("seeds=3")
    assert set(before.runs) < set(more.runs)


def _trees(plan: Plan) -> set[str]:
    return {key for key, run in plan.runs.items() if run.spec.model.name == "boosted-trees"}


def test_differences_that_are_not_declared_are_printed(plan_of: Callable[..., Plan]) -> None:
    with pytest.raises(SuiteError, match=r"'scratch' and 'simclr' differ in regime \('scratch' against 'simclr'\)"):
        plan_of("varies=[model]")
    with pytest.raises(SuiteError, match="differ in options"):
        plan_of("arms.simclr.options.dropout=0.1")
    with pytest.raises(SuiteError, match=r"arms.simclr.options has no option 'dropuot'; did you mean 'dropout'"):
        plan_of("arms.simclr.options.dropuot=0.1")
    with pytest.raises(SuiteError, match="trains a network model"):
        plan_of("arms.boosted-trees.regime=scratch")


@pytest.mark.parametrize("name", [entry.name for entry in regimes])
def test_every_regime_is_in_a_shipped_suite_and_expands_purely(name: str) -> None:
    """The last run is on the cell's labels; what it starts from comes before it."""
    plans = [
        make_plan(instantiate(find_suite(s), scale)) for s, scale in (("ssl-vs-scratch", "full"), ("planted-truths", "quick"))
    ]
    found = [
        (plan, cell) for plan in plans for cell in plan.cells if plan.instance.settings.arms[cell.arm].regime == name
    ]  # fmt: skip
    assert found, f"no shipped suite shows the regime {name!r}"
    plan, cell = found[0]
    chain = list(plan.chain(cell))
    assert chain[0].spec.labels == cell.labels
    assert chain[0].spec.stage == "final"
    assert all(run.spec.stage == "pretrain" for run in chain[1:])
