"""A suite as a job array: the list of its runs, and each of them executed by itself."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine.small_suite import run as run_plan
from run_folders import write_run

from jetbench.api import Session
from jetbench.engine.array import execute_one, remaining
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.prepare import prepare
from jetbench.engine.survey import reopen_reclaimed
from jetbench.errors import BusyError, StoreError, UnknownNameError
from jetbench.files import file_lock
from jetbench.suites.graph import PlannedRun
from jetbench.suites.instances import begun, remember, remembered
from jetbench.suites.plan import CellKey, Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

PlanOf = Callable[..., Plan]
UNTIMED = ("model.safetensors", "losses.npy", "scores.h5", "test.json", "split.json", "spec.yaml", "roc.png")
SHORT = ("seeds=1", "labels=[50]", "arms.boosted-trees=null")
PER_SEED = ("tuning.per=seed", "tuning.labels=each")
SEARCH = ("arms.simclr.regime=mixup", "tuning.factors=[0.1,10.0]", "tuning.sampler=random")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    found.prepare_work()
    return found


def one(plan: Plan, store: Store, what: str) -> Iterator[Event]:
    return execute_one(plan, store, what, lambda: None, lambda: prepare(plan, 2, lambda what, done, total: None))


def last(events: Iterator[Event]) -> Event:
    return list(events)[-1]


def pretraining(plan: Plan) -> PlannedRun:
    return next(run for run in plan.runs.values() if run.kind == "pretrain")


def starting(plan: Plan, kind: str = "final") -> PlannedRun:
    """The first run of a kind that starts from another one."""
    return next(run for run in plan.runs.values() if run.kind == kind and run.spec.start is not None)


def what_it_came_to(store: Store) -> dict[str, bytes]:
    """Every file of every run that does not tell the time."""
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for name in UNTIMED for path in store.work.glob(f"*/{name}")}


@pytest.mark.parametrize("tuning", [("tuning.per=study",), PER_SEED], ids=["per study", "per seed"])
def test_each_run_stands_after_all_that_it_needs(plan_of: PlanOf, store: Store, tuning: tuple[str, ...]) -> None:
    plan = plan_of(*tuning, "longer=2.0")
    left = remaining(plan, store)
    keys = [run.key for run in left.runs]
    assert sorted(keys) == sorted(plan.runs)
    assert (left.searches, left.waiting, left.lost) == ([], 0, {})
    for run in left.runs:
        before = set(keys[: keys.index(run.key)])
        assert run.spec.start is None or run.spec.start in before
        if (digest := plan.study_of(run.key)) is not None:
            trials = [chain[-1].key for values in plan.studies[digest].known_values() for chain in plan.trial(digest, values)]
            assert set(trials) <= before


def test_what_is_finished_is_not_listed_again(plan_of: PlanOf, store: Store) -> None:
    plan, ledger = plan_of("tuning=null"), Ledger(store.work)
    first, second, *_ = plan.runs.values()
    write_run(ledger, first)
    ledger.fail(second.key, "no memory", "")
    assert {run.key for run in remaining(plan, store).runs} == plan.runs.keys() - {first.key}


def test_a_search_is_listed_round_by_round_and_who_waits_for_it_at_last(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(*SHORT, *SEARCH, "tuning.trials=6")
    ledger, rounds = Ledger(store.work), []
    while (left := remaining(plan, store)).searches:
        assert {run.kind for run in left.runs} == {"trial"}
        assert (left.searches, left.waiting) == (["scratch/n50", "simclr/n50"], 2)
        rounds.append(len(left.runs))
        for number, run in enumerate(left.runs):
            write_run(ledger, run, losses=(0.4 + number / 100, 0.6))
    assert rounds == [8]
    assert [run.kind for run in left.runs] == ["trial"] * 4 + ["final"] * 2
    assert left.waiting == 0


def test_run_by_run_comes_to_the_bits_of_the_whole(plan_of: PlanOf, tmp_path: Path, store: Store, cache: Path) -> None:
    """With a study for all seeds, whose trials start from a pretraining, and a pretraining for each seed."""
    plan = plan_of(*SHORT)
    straight = Store(tmp_path / "straight")
    run_plan(plan, straight, MemoryTracker(), cache)
    ends = {run.name: last(one(plan, store, run.key)).kind for run in remaining(plan, store).runs}
    assert set(ends.values()) == {"done"}
    assert remaining(plan, store).runs == []
    found, expected = what_it_came_to(store), what_it_came_to(straight)
    assert len(expected) > 3 * len(plan.runs)
    assert found == expected
    tracker = MemoryTracker()
    assert run_plan(plan, store, tracker, cache) == {"skipped": len(plan.runs), "winner": len(plan.studies)}
    assert set(tracker.status.values()) == {"FINISHED"}


def test_a_whole_run_beside_an_array_leaves_it_what_it_trains(plan_of: PlanOf, tmp_path: Path, store: Store, cache: Path) -> None:
    """The whole trains its first run in its only place, while another process takes the last runs of the list."""
    plan, tracker = plan_of("tuning=null", "seeds=1", "arms.boosted-trees=null"), MemoryTracker()
    straight = Store(tmp_path / "straight")
    run_plan(plan, straight, MemoryTracker(), cache)
    whole = execute(plan, store, tracker, lambda: [None], lambda crew: prepare(plan, 2, lambda what, done, total: None))
    before = [next(whole)]
    alone = [last(one(plan, store, key)).kind for key in reversed(plan.runs)]
    kinds = Counter(event.kind for event in (*before, *whole) if event.kind != "tick")
    assert {"done"} < set(alone) <= {"done", "skipped", "waiting", "elsewhere"}
    assert alone.count("done") + kinds["done"] == len(plan.runs) == kinds["done"] + kinds["skipped"]
    assert set(tracker.status.values()) == {"FINISHED"}
    assert what_it_came_to(store) == what_it_came_to(straight)


@pytest.mark.slow
def test_trials_are_stopped_early_as_within_the_whole(plan_of: PlanOf, tmp_path: Path, store: Store, cache: Path) -> None:
    """Each list has a round of the search, whose trials are held against those of the rounds before."""
    plan = plan_of(*SHORT, *SEARCH, "tuning.trials=8", "tuning.pruner=asha", "recipes.supervised.epochs=3")
    straight = Store(tmp_path / "straight")
    run_plan(plan, straight, MemoryTracker(), cache)
    ends = list[str]()
    while runs := remaining(plan, store).runs:
        ends += [last(one(plan, store, run.key)).kind for run in runs]
    assert "pruned" in ends
    assert what_it_came_to(store) == what_it_came_to(straight)


def test_a_run_waits_for_what_it_starts_from_and_says_so(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of("tuning=null", *SHORT)
    told = last(one(plan, store, "simclr/n50/s0"))
    assert (told.kind, told.name) == ("waiting", "resnet15/simclr/n50/s0")
    assert told.text == f"it needs {pretraining(plan).name}, which is not finished"
    write_run(Ledger(store.work), pretraining(plan))
    Ledger(store.work).reclaim(pretraining(plan).key)
    assert last(one(plan, store, "simclr/n50/s0")).text == told.text


def test_a_run_waits_for_the_trials_of_its_study_and_for_what_these_need(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(*SHORT)
    final = starting(plan)
    trials = [run for run in plan.runs.values() if run.arm == "simclr" and run.kind == "trial"]
    shared = plan.runs[str(trials[0].spec.start)]
    ledger = Ledger(store.work)
    told = last(one(plan, store, final.key))
    assert told.kind == "waiting"
    assert "and 3 more runs, which are not finished" in told.text  # two trials, and a pretraining for them and one for the seed
    write_run(ledger, plan.runs[str(final.spec.start)])
    with file_lock(ledger.run(shared.key).lock):  # named first, as something happens there
        assert last(one(plan, store, final.key)).text == f"it needs {shared.name} and 2 more runs, which are not finished"


def test_a_failure_is_final_for_an_array_and_tried_again_by_the_next(plan_of: PlanOf, store: Store) -> None:
    plan, ledger = plan_of("tuning=null", *SHORT), Ledger(store.work)
    session = Session(plan, store)
    session.remaining()
    ledger.fail(pretraining(plan).key, "no memory", "")
    told = last(session.run_one("simclr/n50/s0"))
    assert (told.kind, told.text) == ("failed", f"it needs {pretraining(plan).name}, which has failed: no memory")
    with file_lock(ledger.run(pretraining(plan).key).lock):  # somebody tries it again
        assert last(session.run_one("simclr/n50/s0")).kind == "waiting"
    session.remaining()
    assert last(session.run_one("simclr/n50/s0")).kind == "waiting"


def test_a_study_whose_trials_have_all_diverged_lets_nobody_wait(plan_of: PlanOf, store: Store) -> None:
    plan, ledger = plan_of(*SHORT, "arms.simclr.regime=mixup"), Ledger(store.work)
    for run in plan.runs.values():
        if run.kind == "trial" and run.arm == "scratch":
            ledger.fail(run.key, "the loss is not finite", "", costs={})
    left = remaining(plan, store)
    assert {run.arm for run in left.runs} == {"simclr"}
    assert list(left.lost) == ["resnet15/scratch/n50/s0"]
    told = last(one(plan, store, "scratch/n50/s0"))
    assert told.kind == "failed"
    assert "whose trials have all diverged" in told.text


def test_what_another_process_trains_is_left_to_it(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of("tuning=null", *SHORT)
    with file_lock(Ledger(store.work).run(pretraining(plan).key).lock):
        assert last(one(plan, store, pretraining(plan).key)).kind == "elsewhere"
    assert not Ledger(store.work).done(pretraining(plan).key)


LONG = ("tuning=null", *SHORT, "recipes.simclr.passes=120000", "recipes.simclr.epochs=100")


def test_a_child_that_is_told_to_stop_leaves_its_checkpoint(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(*LONG)
    folder, sent = Ledger(store.work).run(pretraining(plan).key), False
    kinds = []
    for event in one(plan, store, pretraining(plan).key):
        kinds.append(event.kind)
        if not sent and folder.committed.exists() and int(folder.committed.read_text()):
            os.kill(json.loads(folder.lock.read_text())["process"], signal.SIGTERM)
            sent = True
    assert (kinds[-1], sent) == ("stopped", True)
    assert folder.checkpoint.exists()
    assert not folder.failed.exists()


def test_whoever_leaves_has_the_child_write_its_checkpoint(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(*LONG)
    folder = Ledger(store.work).run(pretraining(plan).key)
    events = one(plan, store, pretraining(plan).key)
    while not (folder.committed.exists() and int(folder.committed.read_text())):
        assert next(events).kind == "tick"
    before = folder.checkpoint.stat().st_mtime_ns
    events.close()  # type: ignore[attr-defined]
    assert folder.checkpoint.stat().st_mtime_ns >= before
    with file_lock(folder.lock, wait=False) as free:
        assert free


def test_reclaimed_weights_are_listed_and_opened_by_nobody_whose_process_trains_them(plan_of: PlanOf, store: Store) -> None:
    plan, ledger = plan_of("tuning=null", *SHORT), Ledger(store.work)
    key = pretraining(plan).key
    write_run(ledger, pretraining(plan))
    ledger.reclaim(key)
    with file_lock(ledger.run(key).lock):
        reopen_reclaimed(plan, ledger)
        assert ledger.done(key)
    assert key in {run.key for run in remaining(plan, store).runs}
    assert not ledger.done(key)


def test_a_name_stands_for_one_run(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of("labels=[50]")
    for name in ("simclr/n50", "simclr/n50/s9", "simclr/n50/s", "simpler"):
        with pytest.raises((StoreError, UnknownNameError)):
            last(one(plan, store, name))
    own = plan_of("labels=[50]", *PER_SEED)
    with pytest.raises(StoreError, match=r"stands for several runs: .*; name one of them by its key") as raised:
        last(one(own, store, "scratch/n50/s0"))
    for run in own.runs.values():
        assert (f"{run.key[:12]} ({run.name})" in str(raised.value)) == run.name.startswith("resnet15/scratch/n50/s0")
    assert last(one(plan, store, "simclr/n50/s0")).key == plan.cells[CellKey("simclr", 50, 0)]


def test_a_key_of_other_options_or_of_another_machine_is_known_for_that(plan_of: PlanOf, store: Store) -> None:
    listed, here = (plan_of("tuning=null", f"precision={precision}") for precision in ("bf16", "fp32"))
    Session(listed, store).remaining()
    with pytest.raises(UnknownNameError, match=r"computes in bf16, and this one computes in fp32; list and run with --set prec"):
        last(one(here, store, pretraining(listed).key))
    with pytest.raises(UnknownNameError, match="give the options that it was listed with"):
        last(one(plan_of("tuning=null", "precision=bf16", "seeds=1"), store, list(listed.runs)[-1]))


def test_a_run_that_is_none_of_the_plans_leaves_no_instance_behind(plan_of: PlanOf, store: Store) -> None:
    with pytest.raises(UnknownNameError):
        last(Session(plan_of("tuning=null"), store).run_one("0123456789"))
    assert remembered(store.root) == {}


def test_an_array_writes_down_its_instance_once_and_opens_no_database(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of("tuning=null", *SHORT)
    session = Session(plan, store)
    last(session.run_one("simclr/n50/s0"))
    assert list(remembered(store.root)) == [plan.instance.name]
    at = begun(store.root, plan.instance)
    last(session.run_one("simclr/n50/s0"))
    assert begun(store.root, plan.instance) == at > 0
    session.remaining()
    assert begun(store.root, plan.instance) > at
    assert sorted(path.name for path in store.root.iterdir()) == ["instances.jsonl", "work"]


def test_a_line_of_the_book_waits_for_another(plan_of: PlanOf, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jetbench.suites.instances.PATIENCE", 0.1)
    plan = plan_of("tuning=null")
    with file_lock(store.root / "instances.lock"), pytest.raises(BusyError, match="has locked"):
        remember(store.root, plan.instance)
