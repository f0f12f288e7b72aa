"""What names of arms and runs stand for, in a store where each seed was tuned by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from report.conftest import Fake, fake_instance, fake_store

from jetbench.errors import StoreError
from jetbench.report.collect import collect
from jetbench.report.subjects import find_subject
from jetbench.suites.instances import forget, remember
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
        subject = find_subject(what, store)
        (run,) = subject.runs
        assert (run.planned.key, run.planned.name, run.planned.kind) == (won, f"{model}/scratch/n50/s1", "final")
        assert (subject.name, subject.keys, subject.reported) == ("scratch/n50/s1", {"scratch/n50/s1": won}, True)
        subject.refuse_lost()


def test_a_run_comes_with_what_it_starts_from(tuned: tuple[Plan, Store]) -> None:
    (run,) = find_subject("simclr/n50/s0", tuned[1]).runs
    assert [one.spec.objective.name for one in run.chain] == ["simclr", "supervised"]
    assert run.specs[1].start == run.chain[0].key


def test_what_a_trial_that_lost_says_of_test_jets_stays_sealed(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    results = collect(plan, store)
    lost = next(key for keys in results.trials.values() for key in keys if key not in results.last.values())
    for what in (lost, lost[:10], results.runs[lost].name):
        subject = find_subject(what, store)
        assert (subject.keys, subject.reported) == ({results.runs[lost].name: lost}, False)
        with pytest.raises(StoreError, match="is a trial that has not won: what it says of the test jets stays sealed"):
            subject.refuse_lost()


def test_a_pretraining_is_no_trial_and_not_reported(tuned: tuple[Plan, Store]) -> None:
    subject = find_subject("resnet15/simclr-pretraining/s0", tuned[1])
    assert not subject.reported
    subject.refuse_lost()


def test_what_a_bare_arm_is_taken_for_is_said(tuned: tuple[Plan, Store]) -> None:
    (remark,) = find_subject("simclr", tuned[1]).remarks
    assert remark == (
        "simclr is taken at 50 labels, the largest of its budgets that has finished runs; name simclr/n200 for another"
    )
    assert find_subject("simclr/n50", tuned[1]).remarks == ()


def test_an_arm_of_several_instances_is_that_of_the_latest_with_something_finished(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    newer = fake_instance(*SMALL, "seeds=3", "dataset.seed=1")
    remember(store.root, newer)
    try:
        subject = find_subject("scratch/n50", store)
        assert subject.plan.instance.name == plan.instance.name
        (remark,) = subject.remarks
        assert remark.startswith(f"scratch/n50 is that of {plan.instance.name}, the latest in which something of that name")
        assert remark.endswith(f"{newer.name} has it too: --suite names one")
        assert find_subject("scratch/n50", store, plan.instance.name).remarks == ()
        with pytest.raises(StoreError, match=rf"of 'scratch' in {newer.name} is finished \(seeds 0, 1 and 2: not run yet\)"):
            find_subject("scratch", store, newer.name)
    finally:
        forget(store.root, newer.name)


def test_only_an_instance_that_has_the_budget_the_seed_or_the_run_has_it_too(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    newer = fake_instance(*SMALL, "labels=[100,200]", "seeds=1", "dataset.seed=1")
    remember(store.root, newer)
    try:
        for what in ("scratch/n50", "scratch/n200/s1", "resnet15/scratch/n50/s0"):
            assert find_subject(what, store).remarks == ()
        for what in ("scratch/n200", "scratch/n200/s0", "resnet15/simclr-pretraining/s0"):
            (remark,) = find_subject(what, store).remarks
            assert remark.startswith(f"{what} is that of {plan.instance.name}, the latest")
            assert remark.endswith(f"{newer.name} has it too: --suite names one")
    finally:
        forget(store.root, newer.name)


@pytest.fixture(scope="module")
def holed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One seed of scratch at 50 labels is missing."""
    fake = Fake(missing=lambda cell: cell == CellKey("scratch", 50, 1))
    plan, store = fake_store(tmp_path_factory.mktemp("holed") / "store", fake_instance(*SMALL, "labels=[50]", "seeds=2"), fake)
    remember(store.root, plan.instance)
    return store


def test_seeds_that_are_missing_are_named_with_the_reason(holed: Store) -> None:
    subject = find_subject("scratch", holed)
    assert list(subject.keys) == ["scratch/n50/s0"]
    assert subject.missing == ("seed 1: not run yet",)
    assert subject.remarks == ()
    with pytest.raises(StoreError, match=r"of 'scratch/n50/s1' in .* is finished \(seed 1: not run yet\); `jetbench status"):
        find_subject("scratch/n50/s1", holed)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("simclr/n200", r"no run of 'simclr/n200' in .* is finished \(seeds 0, 1.* not run yet\)"),
        ("scratch/n70", "has no scratch/n70; there are scratch/n50, scratch/n200"),
        ("simclr/n50/s70", "has no simclr/n50/s70; there are simclr/n50/s0, simclr/n50/s1"),
        ("skratch", "has no run or arm of the name or key 'skratch'; did you mean 'scratch'. valid names: boosted-trees"),
        ("skratch/n50/s1", "did you mean 'scratch/n50/s1'"),
        ("simclr/n5O", "did you mean 'simclr/n50'"),
        ("resnet15/simclr-pretraning/s0", "did you mean 'resnet15/simclr-pretraining/s0'"),
        ("ffff", "the name or key 'ffff'; valid names: boosted-trees"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(tuned: tuple[Plan, Store], what: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        find_subject(what, tuned[1])


def test_a_suite_narrows_the_search(tuned: tuple[Plan, Store]) -> None:
    plan, store = tuned
    assert find_subject("scratch", store, plan.instance.suite).plan.instance.name == plan.instance.name
    with pytest.raises(StoreError, match="no results of suite 'other'"):
        find_subject("scratch", store, "other")


def test_an_empty_store_has_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="has no results; `jetbench run --suite NAME` makes them"):
        find_subject("scratch", Store(tmp_path))
