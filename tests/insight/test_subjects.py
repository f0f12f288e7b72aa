"""Names of arms and runs in a store where each seed was tuned by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from report.conftest import Fake, fake_instance, fake_store

from jetbench.errors import StoreError
from jetbench.insight.subjects import find_subject
from jetbench.report.collect import collect
from jetbench.suites.instances import remember
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.store import Store

SMALL = ("dataset.jets=1200", "test_jets=400", "labels=[50,200]", "tuning.factors=[0.3,1.0]")


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Store]:
    """Everything but the simclr arm at 200 labels is finished, and every trial at 200 labels of class-prior."""
    fake = Fake(missing=lambda cell: cell.arm == "simclr" and cell.labels == 200)
    plan, store = fake_store(tmp_path_factory.mktemp("tuned") / "store", fake_instance(*SMALL), fake)
    remember(store.root, plan.instance)
    return plan, store


def test_an_arm_is_all_of_its_seeds_at_the_largest_finished_budget(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    results = collect(plan, store)
    for what, labels in {"scratch": 200, "simclr": 50, "scratch/n50": 50}.items():
        subject = find_subject(what, store)
        arm = what.split("/")[0]
        assert subject.name == f"{arm}/n{labels}"
        seeds = results.seeds(arm, labels)
        assert [one.planned.key for one in subject.runs] == [results.last[CellKey(arm, labels, seed)] for seed in seeds]
        assert len(seeds) > 1


def test_a_run_is_found_by_arm_and_seed_by_its_name_and_by_its_key(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    won = collect(plan, store).last[CellKey("scratch", 50, 1)]
    model = plan.instance.settings.arms["scratch"].model
    for what in ("scratch/n50/s1", f"{model}/scratch/n50/s1", won, won[:12]):
        (run,) = find_subject(what, store).runs
        assert (run.planned.key, run.name, run.planned.kind) == (won, f"{model}/scratch/n50/s1", "final")


def test_a_run_comes_with_what_it_starts_from(tuned: tuple[Plan, Store]) -> None:
    (run,) = find_subject("simclr/n50/s0", tuned[1]).runs
    assert [one.spec.objective.name for one in run.chain] == ["simclr", "supervised"]
    assert run.specs[1].start == run.chain[0].key


def test_what_a_trial_that_lost_says_of_test_jets_stays_sealed(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    results = collect(plan, store)
    lost = next(key for keys in results.trials.values() for key in keys if key not in results.last.values())
    with pytest.raises(StoreError, match="stays sealed"):
        find_subject(lost, store)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("simclr/n200", "no run of 'simclr/n200' in .* is finished"),
        ("scratch/n70", "no run of 'scratch/n70' in .* is finished"),
        ("nothing", "no arm or run in .* has the name or key 'nothing'"),
    ],
)
def test_what_is_not_there_is_said(tuned: tuple[Plan, Store], what: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        find_subject(what, tuned[1])


def test_a_suite_narrows_the_search(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    assert find_subject("scratch", store, plan.instance.suite).plan.instance.name == plan.instance.name
    with pytest.raises(StoreError, match="no results of suite 'other'"):
        find_subject("scratch", store, "other")


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no arm or run"):
        find_subject("scratch", Store(tmp_path))
