"""A run that another machine trains, whose lock is not seen here."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from jetbench.engine.books import Books
from jetbench.engine.custody import idle
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.engine.prepare import prepare
from jetbench.engine.survey import survey
from jetbench.engine.worker import run_job, stopping
from jetbench.errors import BusyError, LostLeaseError
from jetbench.files import is_locked, write_json
from jetbench.runs.job import Job
from jetbench.suites.plan import Plan
from jetbench.tracking.lease import BEAT, MISSED, Lease
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker, Tracker


@contextmanager
def living(lease: Lease) -> Iterator[None]:
    """Show signs of life while inside, as the thread of another machine does."""
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(0.2):
            lease.renew()

    thread = threading.Thread(target=live)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "store")
    found.prepare_work()
    return found


def held(store: Store) -> AbstractContextManager[None]:
    return idle(store, ["suite"])


@pytest.fixture
def small(plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    stopping.clear()
    return plan_of("seeds=1", "labels=[50]", "arms.boosted-trees=null", "tuning=null")


@pytest.fixture
def job(small: Plan, tmp_path: Path) -> Job:
    """A training from scratch."""
    plan, store = small, Store(tmp_path)
    run = next(run for run in plan.runs.values() if run.spec.start is None and run.kind == "final")
    return Books(plan, store, Tracker()).job(run, prepare(plan, 2, lambda what, done, total: None))


def test_a_run_is_left_to_the_machine_that_trains_it(job: Job) -> None:
    folder = Ledger(job.work).run(job.key)
    folder.path.mkdir(parents=True)
    theirs = Lease(folder.lease, threading.Event().wait, machine="node7")
    assert theirs.acquire()
    with living(theirs):
        assert run_job(job).status == "busy"
    theirs.check()
    assert not folder.journal.exists()


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jetbench.tracking.lease.BEAT", 0.1)


def elsewhere(store: Store) -> Lease:
    """A lease of the instance "suite" that another machine has."""
    lease = Lease(store.lease_of("suite"), threading.Event().wait, machine="node7 of another start")
    assert lease.acquire()
    return lease


def test_an_instance_is_left_to_the_machine_that_runs_it(store: Store, quick_beats: None) -> None:
    with (
        living(elsewhere(store)),
        pytest.raises(BusyError, match=r"another .* runs suite in .* \(on node7\); wait for it"),
        held(store),
    ):
        raise AssertionError


def test_an_instance_is_taken_over_from_a_machine_that_gives_no_sign(
    store: Store, quick_beats: None, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = elsewhere(store)
    with held(store), pytest.raises(LostLeaseError):
        theirs.check()
    assert "a process on node7 has run suite; waiting for a sign of life" in caplog.text
    assert list(store.work.glob("*.lease*")) == []


def executed(plan: Plan, store: Store) -> Generator[Event, None, None]:
    return execute(plan, store, MemoryTracker(), lambda: [None], lambda crew: prepare(plan, 2, lambda what, done, total: None))


def test_a_driver_that_was_paused_too_long_ends_with_its_children_and_writes_nothing(
    small: Plan, store: Store, tmp_path: Path
) -> None:
    events = executed(small, store)
    while not (under_way := [path.parent for path in store.work.glob("*/.lock") if is_locked(path)]):
        next(events)
    lease = store.lease_of(small.instance.name)
    lease.write_text('{"owner": "another", "machine": "node7"}')
    with pytest.raises(LostLeaseError):
        write_json(tmp_path / "file.json", {})
    with pytest.raises(LostLeaseError, match="another process has taken this over"):
        list(events)
    assert not any(is_locked(folder / ".lock") for folder in under_way)
    assert not (tmp_path / "file.json").exists()
    assert lease.exists()  # it is another's


def test_a_driver_leaves_a_run_to_another_machine_and_trains_it_once_that_has_let_go(small: Plan, store: Store) -> None:
    """The locks of that machine are not seen here."""
    run = next(run for run in small.runs.values() if run.spec.start is None)
    folder = Ledger(store.work).run(run.key)
    folder.path.mkdir(parents=True)
    theirs, seen = Lease(folder.lease, threading.Event().wait, machine="node7"), list[str]()
    assert theirs.acquire()
    assert survey(small, Ledger(store.work)).states[run.key] == "running"
    with living(theirs):
        events = executed(small, store)
        for event in events:
            seen += [event.kind] * (event.key == run.key)
            if "elsewhere" in seen and len(seen) < 2:
                left = time.monotonic() + 6  # a child more than looks at the lease within that
                seen.append("left alone")
            if "left alone" in seen and time.monotonic() > left:
                break
    theirs.release()
    seen += [event.kind for event in events if event.key == run.key]
    assert seen == ["elsewhere", "left alone", "done"]


DYING = """
import os, sys
from pathlib import Path
from jetbench.engine.custody import idle
from jetbench.engine.engine import execute
from jetbench.engine.events import Event
from jetbench.tracking.store import Store
with idle(Store(Path(sys.argv[1])), ["suite"]):
    os._exit(1)
"""


def test_an_instance_that_a_killed_process_had_is_free_at_once(store: Store) -> None:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", DYING, str(store.root)], check=False)
    assert store.lease_of("suite").exists()
    with held(store):
        assert time.monotonic() - began < MISSED * BEAT


def test_a_lease_ends_with_its_run(job: Job) -> None:
    assert run_job(job).status == "done"
    assert list(Ledger(job.work).folder(job.key).glob(".lease*")) == []
