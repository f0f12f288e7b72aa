"""A run that another machine trains, whose lock is not seen here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jetbench.engine.books import Books
from jetbench.engine.prepare import prepare
from jetbench.engine.worker import run_job, stopping
from jetbench.runs.job import Job
from jetbench.suites.plan import Plan
from jetbench.tracking.lease import Lease
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker


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
def job(plan_of: Callable[..., Plan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A training from scratch."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    stopping.clear()
    plan, store = plan_of("seeds=1", "labels=[50]", "arms.boosted-trees=null", "tuning=null"), Store(tmp_path)
    run = next(run for run in plan.runs.values() if run.spec.start is None and run.kind == "final")
    return Books(plan, store, Tracker()).job(run, prepare(plan, 2, lambda what, done, total: None))


@pytest.mark.parametrize("leased", [True, False])
def test_a_run_is_left_to_the_machine_that_trains_it(job: Job, leased: bool) -> None:
    folder = Ledger(job.work).run(job.key)
    folder.path.mkdir(parents=True)
    theirs = Lease(folder.lease, threading.Event().wait, machine="node7")
    assert theirs.acquire()
    with living(theirs):
        assert run_job(replace(job, leased=leased)).status == "busy"
    theirs.check()
    assert not folder.journal.exists()


def test_a_lease_ends_with_its_run(job: Job) -> None:
    assert run_job(replace(job, leased=True)).status == "done"
    assert list(Ledger(job.work).folder(job.key).glob(".lease*")) == []
