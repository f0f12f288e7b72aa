"""Runs that are trained again: which, that nothing is lost, and that trackers follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.engine.rerun import chosen, set_aside
from jetbench.engine.survey import survey
from jetbench.errors import BusyError, JetbenchError, UnknownNameError
from jetbench.files import file_lock
from jetbench.suites.instances import remember
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker


def run(plan: Plan, store: Store, tracker: Tracker | None = None) -> Counter[str]:
    events = execute(
        plan, store, tracker or Tracker(), lambda: [None] * 2, lambda crew: prepare(plan, 2, lambda what, done, total: None)
    )
    return Counter(event.kind for event in events if event.kind != "tick")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "work").mkdir()
    return Store(tmp_path)


def pretend(plan: Plan, store: Store) -> Ledger:
    """Every run of the plan, finished."""
    ledger = Ledger(store.work)
    for key in plan.runs:
        folder = ledger.run(key)
        folder.path.mkdir(exist_ok=True)
        folder.metrics.write_text("{}")
        np.save(folder.losses, np.array([0.4, 0.6]))
        ledger.finish(key, [folder.metrics, folder.losses])
    return ledger


def test_a_run_is_chosen_with_all_that_depend_on_it(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of()  # one study decides for all seeds
    ledger = pretend(plan, store)
    found = survey(plan, ledger)
    names = {run.name: key for key, run in plan.runs.items()}
    first = "resnet15/simclr-pretraining/s0"
    expected = {first, *(run.name for run in plan.runs.values() if run.spec.start == names[first])}
    assert {run.name for run in chosen(first, found)} == expected
    assert {run.name for run in chosen(names[first][:12], found)} == expected
    trials = {run.name for run in chosen("resnet15/simclr-pretraining/trials", found)}
    after = {run.name for run in plan.runs.values() if run.arm == "simclr" and run.kind in ("trial", "final")}
    assert trials == {"resnet15/simclr-pretraining/trials"} | after, "the finals wait for the study of these trials"
    assert {run.key for run in chosen("all", found)} == set(plan.runs)
    with pytest.raises(UnknownNameError, match="did you mean 'resnet15/simclr-pretraining/s0'"):
        chosen("resnet15/simclr-pretraning/s0", found)
    with pytest.raises(UnknownNameError, match=r"mini.* has no run or arm"):
        chosen(names[first][:2], found)


def test_an_arm_and_its_parts_are_chosen_by_the_names_that_other_commands_know(
    plan_of: Callable[..., Plan], store: Store
) -> None:
    """By their last runs, which where a seed tunes for itself are the trials of its study."""
    plan = plan_of()
    found = survey(plan, pretend(plan, store))
    seed = {run.name for run in chosen("simclr/n50/s0", found)}
    assert seed == {"resnet15/simclr/n50/s0"} == {run.name for run in chosen("resnet15/simclr/n50/s0", found)}
    budget, arm = ({run.name for run in chosen(what, found)} for what in ("simclr/n50", "simclr"))
    assert budget == {name for name in arm if "/n50/" in name} < arm
    with pytest.raises(UnknownNameError, match=r"or key 'simcrl'; did you mean 'simclr'\? valid.* failed"):
        chosen("simcrl", found)
    own = plan_of("tuning.per=seed", "tuning.labels=each")
    runs = chosen("simclr/n50/s0", survey(own, pretend(own, store)))
    assert {run.kind for run in runs} == {"trial"}
    assert {run.spec.seed for run in runs} == {0}
    assert len(runs) > 1


def test_a_beginning_that_several_keys_have_is_refused(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of()
    found = survey(plan, pretend(plan, store))
    found.runs["abcd1"] = found.runs["abcd2"] = next(iter(found.runs.values()))
    with pytest.raises(JetbenchError, match="2 runs have keys that begin with abcd"):
        chosen("abcd", found)


def test_what_is_set_aside_is_kept_and_planned_again(plan_of: Callable[..., Plan], store: Store) -> None:
    plan, other = plan_of(), plan_of("seeds=1")
    ledger = pretend(plan, store)
    remember(store.root, other.instance)
    key = next(key for key, run in plan.runs.items() if run.name == "resnet15/scratch/n50/s0")
    lines = set_aside(plan, key[:16], store)
    assert not ledger.folder(key).exists()
    assert (next(store.aside.iterdir()) / key[:16] / "metrics.json").exists()
    assert lines[0].startswith("1 runs are set aside in ")
    assert f"(1 of {other.instance.name})" in lines[1]
    assert Counter(survey(plan, ledger).states.values()) == {"done": len(plan.runs) - 1, "planned": 1}


def test_nothing_moves_while_somebody_needs_it(plan_of: Callable[..., Plan], store: Store) -> None:
    plan, other = plan_of(), plan_of("seeds=1")
    ledger = pretend(plan, store)
    remember(store.root, other.instance)
    for lock in (store.lock_of(plan.instance.name), store.lock_of(other.instance.name)):
        with file_lock(lock), pytest.raises(BusyError, match="another jetbench process runs mini"):
            set_aside(plan, "all", store)
    last = list(plan.runs)[-1]
    ledger.run(last).done.unlink()
    with file_lock(ledger.run(last).lock), pytest.raises(BusyError, match=f"another process trains {plan.runs[last].name}"):
        set_aside(plan, "all", store)
    assert not store.aside.exists()


def test_failed_means_those_that_are_remembered_as_diverged(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of()
    ledger = pretend(plan, store)
    one, other = [key for key, run in plan.runs.items() if run.kind == "trial"][:2]
    for key, costs in ((one, {"cost/seconds": 1.0}), (other, None)):
        ledger.run(key).done.unlink()
        ledger.fail(key, "the loss is not finite", "", costs)
    assert [run.key for run in chosen("failed", survey(plan, ledger))] == [one]
    set_aside(plan, "failed", store)
    assert not ledger.diverged(one)
    assert set_aside(plan, "failed", store) == [f"nothing to train again: no run of {plan.instance.name} has diverged"]


@pytest.mark.slow
def test_the_tracker_shows_the_new_run(plan_of: Callable[..., Plan], store: Store) -> None:
    plan = plan_of("tuning=null", "seeds=1", "labels=[50]")
    store.prepare()
    remember(store.root, plan.instance)
    tracker = MlflowTracker(store, plan.instance.name)
    assert run(plan, store, tracker) == {"done": len(plan.runs)}
    first = next(run for run in plan.runs.values() if run.kind == "pretrain")
    weights = Ledger(store.work).run(first.key).weights.read_bytes()
    set_aside(plan, first.key, store)
    again = MlflowTracker(store, plan.instance.name)
    assert run(plan, store, again) == {"done": 2, "skipped": len(plan.runs) - 2}
    assert Ledger(store.work).run(first.key).weights.read_bytes() == weights
    from jetbench.tracking import backend

    client = backend.load().MlflowClient(store.uri)
    shown = client.search_runs([again.experiment_id])
    assert sorted(one.data.tags["jetbench.key"] for one in shown) == sorted(plan.runs)
    anew = MlflowTracker(store, plan.instance.name)
    assert all(anew.holds(key, Ledger(store.work).run(key)) for key in plan.runs)
