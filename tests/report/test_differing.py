"""Which instances, budgets and seeds are compared where two names are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from report.conftest import Fake, fake_instance, fake_store

from jetbench.cli import main
from jetbench.errors import StoreError
from jetbench.report.differing import find_differences
from jetbench.suites.instances import remember
from jetbench.suites.names import named_plans
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.tracking.store import Store


def test_arms_that_no_instance_has_or_that_it_skips_are_an_error(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of()
    remember(tmp_path, plan.instance)
    diff = CliRunner().invoke(main, ["diff", "scrath", "simclr", "--store", str(tmp_path)])
    assert diff.exit_code != 0
    assert "did you mean 'scratch'" in diff.output
    cells = {cell: key for cell, key in plan.cells.items() if cell.arm != "simclr"}
    skipping = replace(plan, cells=cells, skipped=(("arm simclr", "for a reason"),))
    with pytest.raises(StoreError, match=f"{plan.instance.name} skips it: for a reason"):
        find_differences("scratch", "simclr", [skipping], Store(tmp_path))
    with pytest.raises(StoreError, match=r"has no scratch/n55; there are scratch/n50, scratch/n100$"):
        find_differences("scratch/n55", "simclr", [plan], Store(tmp_path))


@pytest.fixture
def several(plan_of: Callable[..., Plan], tmp_path: Path) -> tuple[Store, list[Plan]]:
    """Three instances, the latest last; it alone has the arm "other", and no run at 50 labels."""
    other = "arms.other={model: resnet15, regime: scratch}"
    plans = [plan_of("seeds=1"), plan_of("seeds=2"), plan_of("labels=[100]", "tuning=null", other, "few_labels=null")]
    for plan in plans:
        remember(tmp_path, plan.instance)
    return Store(tmp_path), plans


def test_both_are_of_one_instance_and_it_is_said_where_others_have_both_too(several: tuple[Store, list[Plan]]) -> None:
    store, (first, second, third) = several
    first_name, second_name, third_name = (plan.instance.name for plan in (first, second, third))
    # the latest has simclr/n100/s0, and only the others have scratch/n50/s0 too
    found = find_differences("scratch/n50/s0", "simclr/n100/s0", named_plans(store.root), store)
    assert found.remarks == (
        f"both are those of {second_name}, the latest that has them; {first_name} has both too: --suite names one",
    )
    only = find_differences("scratch/n50/s0", "simclr/n100/s0", named_plans(store.root, second_name), store)
    assert only._replace(tuned=()) == (found.found, (), ())
    arms = find_differences("scratch", "simclr", named_plans(store.root), store)
    assert arms.remarks == (
        f"both are those of {third_name}, the latest that has them; {second_name} and {first_name} have both too: "
        "--suite names one",
    )
    assert find_differences("scratch", "other", named_plans(store.root), store).remarks == ()


def test_sides_that_are_tuned_say_what_was_tried(several: tuple[Store, list[Plan]]) -> None:
    """Nothing that is declared sets rates apart that seeds take for themselves."""
    store, (_, second, third) = several
    tried = "is tuned on its validation labels; tried: learning rate "
    arms = find_differences("scratch", "simclr", [second], store)
    assert len(arms.tuned) == 2
    assert all(line.startswith(f"{arm} {tried}") for arm, line in zip(("scratch", "simclr"), arms.tuned, strict=True))
    runs = find_differences("scratch/n50/s0", "simclr/n100/s0", [second], store)
    assert [line.split(" is tuned")[0] for line in runs.tuned] == ["scratch/n50/s0", "simclr/n100/s0"]
    assert find_differences("scratch", "simclr", [third], store).tuned == ()
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50,200]", "tuning.factors=[0.3,1.0]", "seeds=2")
    own = find_differences("scratch", "simclr", [make_plan(fake_instance(*small))], store).tuned
    assert own[0] == "scratch is tuned on its validation labels, by each seed for itself; tried: learning rate 0.0003, 0.001"
    for line in runs.tuned:
        assert line in CliRunner().invoke(main, ["diff", "scratch/n50/s0", "simclr/n100/s0", "--store", str(store.root)]).stdout


def test_runs_that_no_instance_has_together_come_with_theirs(several: tuple[Store, list[Plan]]) -> None:
    store, (_, second, third) = several
    found = find_differences("scratch/n50/s0", "other/n100/s0", named_plans(store.root), store)
    assert found.remarks == (
        f"scratch/n50/s0 is that of {second.instance.name}: no instance has both",
        f"other/n100/s0 is that of {third.instance.name}: no instance has both",
    )


def test_a_run_that_is_no_cell_is_looked_for_in_the_same_way(several: tuple[Store, list[Plan]]) -> None:
    store, plans = several
    run = "resnet15/simclr-pretraining/s0"
    assert all(run in {one.name for one in plan.runs.values()} for plan in plans)
    (remark,) = find_differences(run, "scratch/n50/s0", named_plans(store.root), store).remarks
    assert remark.startswith(f"both are those of {plans[1].instance.name}")


def test_a_seed_or_budget_that_is_taken_is_said(plan_of: Callable[..., Plan], tmp_path: Path) -> None:
    plan = plan_of()
    found = find_differences("scratch/n100", "simclr", [plan], Store(tmp_path))
    assert found.remarks == (
        "scratch/n100 is taken at its run scratch/n100/s0; name another one for that",
        "simclr is taken at its run simclr/n100/s0; name another one for that",
    )
    small = ("dataset.jets=1200", "test_jets=400", "labels=[50,200]", "tuning.factors=[0.3,1.0]", "seeds=2")
    plan, store = fake_store(tmp_path / "store", fake_instance(*small), Fake(missing=lambda cell: cell.labels == 200))
    found = find_differences("scratch", "simclr/n50", [plan], store)
    assert found.remarks == (
        "scratch is taken at its run scratch/n50/s0; name another one for that",
        "simclr/n50 is taken at its run simclr/n50/s0; name another one for that",
    )
