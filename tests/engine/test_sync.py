"""What a tracker lacks is sent from the folders, and no run is trained for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import write_run

from jetbench.engine.books import Books
from jetbench.engine.custody import idle
from jetbench.engine.dispatch import Dispatch
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.prepare import Prepared
from jetbench.engine.sync import sync
from jetbench.engine.worker import Outcome
from jetbench.errors import BusyError, StoreError
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker, RunCard

PlanOf = Callable[..., Plan]


class Away(MemoryTracker):
    """Cannot be reached until it is `back`; counts what it was asked to take, and how often it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.back, self.asked, self.called = False, 0, 0

    def awake(self) -> None:
        self.called += 1
        if not self.back:
            raise StoreError("the server is away")

    def connect(self) -> None:
        self.awake()

    def publish(self, run: RunCard, since: int = 0) -> int:
        self.asked += 1
        return super().publish(run, since)


@pytest.fixture
def plan(plan_of: PlanOf) -> Plan:
    return plan_of("tuning=null", "seeds=1", "labels=[50]")


@pytest.fixture
def store(plan: Plan, tmp_path: Path) -> Store:
    """One run is done, one has failed, one was stopped, and one is only planned."""
    found = Store(tmp_path / "store")
    found.work.mkdir(parents=True)
    ledger = Ledger(found.work)
    done, failed, stopped, _ = plan.runs.values()
    write_run(ledger, done)
    ledger.run(failed.key).path.mkdir()
    ledger.fail(failed.key, "no memory", "a traceback")
    ledger.run(stopped.key).path.mkdir()
    ledger.run(stopped.key).environment.write_text("{}")
    return found


def published(events: list[Event]) -> list[str]:
    return [event.key for event in events if event.kind == "published"]


def test_runs_are_sent_as_what_they_have_ended_and_once(plan: Plan, store: Store) -> None:
    tracker, keys = MemoryTracker(), list(plan.runs)
    assert sorted(published(list(sync(plan, store, tracker)))) == sorted(keys[:3])
    assert tracker.status == dict(zip(keys, ("FINISHED", "FAILED", "KILLED"), strict=False))
    before = dict(tracker.artifacts)
    assert published(list(sync(plan, store, tracker))) == []
    assert tracker.artifacts == before
    assert not Ledger(store.work).run(keys[3]).path.exists()


def test_weights_that_were_reclaimed_open_no_run(plan: Plan, store: Store) -> None:
    ledger, first = Ledger(store.work), next(iter(plan.runs))
    ledger.reclaim(first)
    list(sync(plan, store, MemoryTracker()))
    assert ledger.done(first)


def test_a_tracker_that_is_away_is_an_error_at_once(plan: Plan, store: Store) -> None:
    tracker = Away()
    with pytest.raises(StoreError, match="the server is away"):
        list(sync(plan, store, tracker))
    assert tracker.asked == 0


def test_an_instance_that_runs_is_left_to_its_process(plan: Plan, store: Store) -> None:
    with idle(store, [plan.instance.name]), pytest.raises(BusyError, match="another jetbench process runs"):
        list(sync(plan, store, MemoryTracker()))


def test_what_a_server_could_not_take_is_sent_at_the_end(plan: Plan, store: Store) -> None:
    tracker, run = Away(), next(iter(plan.runs.values()))
    books = Books(plan, store, tracker)
    told, *_ = books.book(run, Outcome(run.key, "done", True, unpublished="the server is away"))
    assert (told.kind, told.key, told.text) == ("unpublished", run.key, "the server is away")
    assert list(books.dispatch.again()) == []
    assert tracker.asked == 0
    tracker.back = True
    assert published(list(books.dispatch.again())) == [run.key]
    assert tracker.status[run.key] == "FINISHED"
    assert books.dispatch.left == {}


def test_a_trial_that_wins_while_the_server_is_away_is_sent_as_its_cells_last_run(plan_of: PlanOf, tmp_path: Path) -> None:
    """With its scores on the test jets, which those that do not win never show."""
    per_seed = ("tuning.per=seed", "tuning.labels=each", "seeds=1", "labels=[50]", "arms.boosted-trees=null")
    plan, store, tracker = plan_of(*per_seed), Store(tmp_path), Away()
    ledger, books = Ledger(store.work), Books(plan, store, tracker)
    trials = [run for run in plan.runs.values() if run.arm == "scratch"]
    assert [run.kind for run in trials] == ["trial", "trial"]
    list(books.open())
    for number, run in enumerate(trials):
        write_run(ledger, run, losses=(0.9 - number / 2, 0.9 - number / 2))
        (ledger.folder(run.key) / "scores.h5").write_bytes(b"scores")
        list(books.book(run, Outcome(run.key, "done", True, unpublished="the server is away")))
    tracker.back = True
    assert sorted(published(list(books.dispatch.again()))) == sorted(run.key for run in trials)
    assert ["scores.h5" in tracker.artifacts[run.key] for run in trials] == [False, True]


@pytest.mark.parametrize("server", ["http://127.0.0.1:9", None])
def test_nobody_waits_for_a_server_but_a_folder_of_ones_own_has_to_work(server: str | None, plan: Plan, store: Store) -> None:
    """The data are asked for only where the training goes on."""

    def prepare(crew: object) -> Prepared:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError if server else StoreError):
        list(execute(plan, Store(store.root, server), Away(), lambda: [None], prepare))


def test_dispatch_keeps_a_run_whose_state_cannot_be_asked(plan: Plan, store: Store) -> None:
    class Damaged(MemoryTracker):
        def holds(self, *given: object, **more: object) -> bool:
            raise StoreError("metrics.committed is damaged")

    run = next(iter(plan.runs.values()))
    ledger = Ledger(store.work)
    dispatch = Dispatch(ledger, Damaged(), Books(plan, store, MemoryTracker()).card)
    (told,) = dispatch.offer(run)
    assert (told.kind, told.text) == ("unpublished", "metrics.committed is damaged")
    assert list(dispatch.left) == [run.key]


def test_a_server_that_is_away_is_not_asked_for_every_run(plan: Plan, store: Store) -> None:
    tracker, runs = Away(), list(plan.runs.values())[:3]
    dispatch = Books(plan, store, tracker).dispatch
    told = [event for run in runs for event in dispatch.offer(run)]
    assert [(event.kind, event.text) for event in told] == [("unpublished", "the server is away")] * 3
    assert tracker.called == 2  # to send the first run, and to learn whether that run or the server is the trouble
    assert list(dispatch.again()) == []
    assert tracker.called == 3
    tracker.back = True
    assert published(list(dispatch.again())) == [run.key for run in runs]
    assert dispatch.left == {}


def test_the_trouble_of_one_run_keeps_no_other_back(plan: Plan, store: Store) -> None:
    class Choosy(MemoryTracker):
        def publish(self, run: RunCard, since: int = 0) -> int:
            if run.key == first.key:
                raise StoreError("its journal is damaged")
            return super().publish(run, since)

    first, second, *_ = plan.runs.values()
    dispatch = Books(plan, store, Choosy()).dispatch
    told = [event.text for run in (first, second) for event in dispatch.offer(run)]
    assert told == ["its journal is damaged"]
    assert list(dispatch.sent) == [second.key]
