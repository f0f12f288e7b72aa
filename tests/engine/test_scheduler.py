"""A suite on the workers of an external Dask scheduler, with real processes: workers come and die, and so do drivers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from distributed import KilledWorker
from engine.far_workers import Cluster, cluster, wait_for, what_it_came_to
from engine.small_suite import run

from jetbench.api import Session, open_session
from jetbench.engine import scheduler as scheduler_module
from jetbench.engine.jobs import make_job
from jetbench.engine.prepare import Prepared
from jetbench.engine.prepare import _block as table_rows
from jetbench.engine.remote import misfit, versions
from jetbench.engine.scheduler import SchedulerPool, _Sent, address_in, scheduler_pool
from jetbench.engine.worker import trained_elsewhere
from jetbench.errors import RunError, WorkerError
from jetbench.files import is_locked
from jetbench.jets import open_jets
from jetbench.runs.job import JetFiles
from jetbench.simulation import TopVsQcd, simulate
from jetbench.simulation.chunk_files import make_chunk
from jetbench.simulation.chunks import plan as plan_chunks
from jetbench.suites.plan import Plan
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.views.observables import observables

PlanOf = Callable[..., Plan]
# a pretraining of seconds, to be struck in its middle
LONG = ("seeds=1", "labels=[50]", "arms.boosted-trees=null", "recipes.simclr.passes=12800", "recipes.simclr.epochs=40")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("dask"), "w1") as made:
        yield made


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def pretraining(session: Session) -> str:
    return next(key for key, run in session.plan.runs.items() if run.kind == "pretrain" and "/s0" in run.name)


def under_way(session: Session) -> bool:
    """Whether the pretraining has a checkpoint, and is trained."""
    folder = Ledger(session.store.work).run(pretraining(session))
    return folder.checkpoint.exists() and is_locked(folder.lock)


@contextmanager
def driver_of(suite: Path, store: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command while inside, and have it end in any case."""
    command = [sys.executable, "-c", "from jetbench.cli import main; main()", "run", "--suite", str(suite), "--store", str(store)]
    options = [option for override in LONG for option in ("--set", override)]
    with (
        (store.parent / "driver.log").open("ab") as log,
        subprocess.Popen([*command, "--scheduler", address, *options], stdout=log, stderr=log) as driver,
    ):
        try:
            yield driver
        finally:
            driver.kill()


def test_workers_die_and_drivers_too_and_nothing_is_lost(
    workers: Cluster, suite_path: Path, plan_of: PlanOf, tmp_path: Path, cache: Path
) -> None:
    """SIGTERM to the driver, SIGKILL to another, SIGKILL to a worker, and one that comes late: the bits of a single machine."""
    session = open_session(suite_path, overrides=LONG, store=tmp_path / "far")
    folder = Ledger(session.store.work).run(pretraining(session))

    with driver_of(suite_path, tmp_path / "far", workers.address) as driver:
        wait_for(lambda: under_way(session), "for a checkpoint")
        driver.send_signal(signal.SIGTERM)
        assert driver.wait(60) == 143
    assert not trained_elsewhere(folder)
    assert folder.checkpoint.exists()
    assert not folder.done.exists()

    with driver_of(suite_path, tmp_path / "far", workers.address) as driver:
        wait_for(lambda: under_way(session), "for a worker to go on")
        driver.kill()
        driver.wait()
    assert is_locked(folder.lock)  # the worker goes on to the end of the run

    for event in session.run(scheduler=workers.file):
        assert event.kind != "failed", event
        if "w2" not in workers.names() and any(map(is_locked, session.store.work.glob("*/.lock"))):
            workers.kill("w1")
            workers.add("w2")
    assert "w2" in workers.names()

    run(plan_of(*LONG), Store(tmp_path / "near"), MemoryTracker(), cache)
    assert what_it_came_to(tmp_path / "far") == what_it_came_to(tmp_path / "near")
    assert set(states(session)) == {"FINISHED"}


def states(session: Session) -> list[str]:
    """The state of every run in MLflow, the page and the arms apart."""
    client, _ = session.store.client(), session.tracker.connect()
    experiment = client.get_experiment_by_name(session.plan.instance.name)
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    shown = [run.info.status for run in found if run.data.tags.get("jetbench.kind") in ("pretrain", "trial", "final", "check")]
    assert len(shown) == len(session.plan.runs)
    return shown


def test_a_worker_that_does_not_fit_is_one_clear_error(workers: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lock").touch()
    with scheduler_pool(workers.address, tmp_path / "lock")(list) as pool:
        assert pool.count() == len(workers.names())
    with (
        pytest.raises(RunError, match=r"the worker tcp://.* on .* does not see .*gone; give a results folder that all"),
        scheduler_pool(workers.address, tmp_path / "gone")(list),
    ):
        raise AssertionError
    monkeypatch.setattr(scheduler_module, "versions", lambda: versions() | {"torch": "1.0"})
    with (
        pytest.raises(RunError, match=r"the worker tcp://.* has torch 2.*, and this process 1.0; start both from one env"),
        scheduler_pool(workers.address, tmp_path / "lock")(list),
    ):
        raise AssertionError


def test_tokens_of_gpus_are_places_where_workers_have_some(workers: Cluster, tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with scheduler_pool(workers.address, tmp_path / "lock")(list) as pool:
        assert pool.count() >= 1
        workers.add("gpu", "--resources", "GPU=1", CUDA_VISIBLE_DEVICES="7")
        wait_for(lambda: pool.count() == 1)
        assert isinstance(pool, SchedulerPool)
        seen = pool._client.submit(os.getenv, "CUDA_VISIBLE_DEVICES", resources={"GPU": 1}, pure=False)
        assert seen.result() == "7"
    with scheduler_pool(workers.address, tmp_path / "lock", most=1)(list) as pool:
        assert pool.count() == 1


def test_jets_and_tables_are_made_on_the_workers(workers: Cluster, tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    recipe = TopVsQcd(jets=40, seed=9)
    digest = simulate(recipe, tmp_path / "near.h5")
    with scheduler_pool(workers.address, tmp_path / "lock")(list) as pool:
        assert isinstance(pool, SchedulerPool)
        seen: list[int] = []
        assert simulate(recipe, tmp_path / "far.h5", workers=pool.crew, progress=lambda done, total: seen.append(done)) == digest
        assert seen == sorted(seen)
        assert seen[-1] == 40
        rows = partial(table_rows, "observables", tmp_path / "far.h5")
        blocks = {part.start: block for part, _, (block, _) in pool.crew(rows, [range(30), range(30, 40)])}
    table = np.concatenate([blocks[0], blocks[30]])
    np.testing.assert_array_equal(table, observables(open_jets(tmp_path / "near.h5")[:].read()))


def test_what_data_a_worker_cannot_make_is_named(workers: Cluster, tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with scheduler_pool(workers.address, tmp_path / "lock")(list) as pool:
        assert isinstance(pool, SchedulerPool)
        chunk = plan_chunks(TopVsQcd(jets=40, seed=9))[0]
        with pytest.raises(WorkerError, match=r"gone: no such folder here; .*JETBENCH_CACHE") as raised:
            list(pool.crew(partial(make_chunk, folder=tmp_path / "gone"), [chunk]))
        assert raised.value.job == chunk
        with pytest.raises(WorkerError, match="AttributeError") as raised:
            list(pool.crew(partial(make_chunk, folder=None), [chunk]))
        assert "Traceback" in raised.value.__notes__[0]


def worker_with(name: str, threads: int, **tokens: float) -> dict[str, Any]:
    return {"name": name, "status": "running", "nthreads": threads, "resources": tokens}


def test_tokens_of_memory_bound_the_places_of_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workers = {"a": worker_with("a", 4, MEMORY=3.5e9), "b": worker_with("b", 1, MEMORY=8e9), "c": worker_with("c", 2)}
    sent: list[dict[str, float]] = []
    client = SimpleNamespace(
        scheduler_info=lambda: {"workers": workers},
        run=lambda *arguments, **options: {},
        submit=lambda *arguments, resources, **options: sent.append(resources) or len(sent),
    )
    pool = SchedulerPool(client, "tcp://…", tmp_path, None, 0)  # type: ignore[arg-type]
    monkeypatch.setattr(scheduler_module, "LOOK", -1.0)
    assert pool.count() == 3 + 1 + 0
    pool.note_memory(1.5e9)
    pool.note_memory(0.5e9)
    assert pool.count() == 2 + 1
    pool.note_memory(20e9)
    assert pool.count() == 1  # what needs more than there is has the largest for itself
    pool._send("run", print)
    assert sent == [{"MEMORY": 8e9}]
    largest = workers.pop("b")
    assert pool.count() == 1
    assert "the worker b at b has gone; what it had under way goes on elsewhere" in caplog.text
    del workers["a"]
    assert pool.count() == 0
    assert "no worker with MEMORY tokens is at" in caplog.text
    workers["b"] = largest
    assert pool.count() == 1  # what was measured is not forgotten


def test_a_scheduler_that_is_not_there_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler_module, "CONNECT", 0.5)
    with (
        pytest.raises(RunError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9 .*; start `dask scheduler`, or mend"),
        scheduler_pool("tcp://127.0.0.1:9", tmp_path)(list),
    ):
        raise AssertionError
    for address in ("foo", "http://127.0.0.1:9"):
        with pytest.raises(RunError, match=f"no Dask scheduler answers at {address} "), scheduler_pool(address, tmp_path)(list):
            raise AssertionError
    with pytest.raises(RunError, match=r"scheduler.json: no address of a scheduler .*`dask scheduler --scheduler-file"):
        address_in(tmp_path / "scheduler.json")


def test_what_differs_is_named() -> None:
    found = {"versions": versions(), "host": "node7", "sees": True}
    assert misfit(found, versions(), Path("lock")) == ""
    older = {**found, "versions": versions() | {"jetbench": "0.0.1 (abc)"}}
    assert misfit(older, versions(), Path("lock")).startswith("has jetbench 0.0.1 (abc), and this process ")


class Killed:
    """A future of a job with which more workers have died than the scheduler allows."""

    def result(self) -> Any:
        raise KilledWorker("key", SimpleNamespace(name="w3", host="node7"), 3)  # type: ignore[arg-type]


def test_a_run_that_kills_its_workers_has_failed_and_says_where(plan_of: PlanOf, tmp_path: Path) -> None:
    plan = plan_of(*LONG)
    run = next(run for run in plan.runs.values() if run.kind == "pretrain")
    data = Prepared(JetFiles(tmp_path, ""), None, {})
    job = make_job(plan, Store(tmp_path), run, run.spec, data, ())
    outcome = _Sent(SimpleNamespace(stopping=False, forget=lambda sent: None), job, Killed()).result()  # type: ignore[arg-type]
    assert outcome.status == "failed"
    assert outcome.reason.startswith("the worker w3 on node7 died while it trained this run, as 3 others before it; ")
    assert Ledger(tmp_path / "work").failure(run.key) == outcome.reason
