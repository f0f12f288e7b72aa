"""What the driver itself costs: to expand a plan of thousands of runs, to drive it with trainings that take no time, and to go
through it when all is finished; how long `status` looks at it; and how long a finished command takes when it is given again.

    python -m benchmarks.performance.driver [--runs 10000] [--dask 1000]
    python -m benchmarks.performance.driver --again STORE -- --suite ssl-vs-scratch --scale smoke

With `--again` the command is run in the store until it is finished, and then three times more. Two kinds of waiting are told
apart: for a processor that others use, and for anything else, such as the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jetbench.engine.engine import execute
from jetbench.engine.pool import LocalPool, MakePool, Places, local_cluster
from jetbench.engine.prepare import Prepared
from jetbench.engine.status import Watcher
from jetbench.engine.worker import Outcome
from jetbench.runs.job import JetFiles, Job
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

RUNS_PER_SEED = 19  # of ssl-vs-scratch at smoke without tuning


@contextmanager
def timed(what: str, runs: int) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<44} {wall:6.2f} s, {cpu:6.2f} s of processor time, {1e6 * cpu / runs:7.0f} µs a run, {runs} runs")


def expanded(runs: int) -> Plan:
    overrides = (f"seeds={-(-runs // RUNS_PER_SEED)}", "tuning=null")
    instance = instantiate(find_suite("ssl-vs-scratch"), "smoke", overrides=overrides)
    return make_plan(instance)


def finished(job: Job, place: str | None) -> Outcome:
    """A training that takes no time."""
    return Outcome(job.key, "done", trained=True)


@contextmanager
def threads(places: Places) -> Iterator[LocalPool]:
    """A pool in which only the driver costs anything."""
    with ThreadPoolExecutor(len(places())) as pool:
        yield LocalPool(pool.submit, places(), finished)


@contextmanager
def dask(places: Places) -> Iterator[LocalPool]:
    with local_cluster(len(places())) as submit:
        yield LocalPool(submit, places(), finished)


def drive(plan: Plan, pool: MakePool, expected: str, root: Path) -> None:
    (root / "work").mkdir(exist_ok=True)
    data = Prepared(JetFiles(Path("no.h5"), ""), None, {})
    events = execute(plan, Store(root), Tracker(), lambda: [None, None], lambda _: data, pool)
    kinds = Counter(event.kind for event in events)
    kinds.pop("tick", None)
    assert kinds == {expected: len(plan.runs)}, kinds


def pretend(plan: Plan, root: Path) -> None:
    """Write the folders of finished runs."""
    ledger = Ledger(root / "work")
    for key in plan.runs:
        run = ledger.run(key)
        run.path.mkdir()
        run.metrics.write_text("{}")
        files = {name: seen.sha256 for name, seen in run.look([run.metrics.name]).items()}
        run.done.write_text(json.dumps({"key": key, "files": files, "finished": 0.0}))


def own_costs(runs: int, through_dask: int) -> None:
    expanded(RUNS_PER_SEED)  # imports and registries
    with timed("expand", runs):
        plan = expanded(runs)
    with TemporaryDirectory() as folder, timed("drive, every training takes no time", len(plan.runs)):
        drive(plan, threads, "done", Path(folder))
    small = expanded(through_dask)
    with TemporaryDirectory() as folder, timed("the same through the local Dask cluster", len(small.runs)):
        drive(small, dask, "done", Path(folder))
    with TemporaryDirectory() as folder:
        (Path(folder) / "work").mkdir()
        pretend(plan, Path(folder))
        with timed("again, when all runs are finished", len(plan.runs)):
            drive(plan, threads, "skipped", Path(folder))
        with timed("status, when all runs are finished", len(plan.runs)):
            "\n".join(Watcher(plan, Store(Path(folder)), 2, 2).look().lines())


def watch(command: list[str]) -> tuple[float, float, float, int]:
    """Seconds of a command: all, on a processor, and waiting for one, these two of its main thread; and its exit status."""
    start, ran, waited = time.perf_counter(), 0, 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        try:
            fields = Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text().split()
            ran, waited = int(fields[0]), int(fields[1])
        except (OSError, IndexError):
            pass  # it has just ended
        time.sleep(0.02)
    return time.perf_counter() - start, ran / 1e9, waited / 1e9, process.returncode


def again(store: Path, arguments: list[str]) -> None:
    program = str(Path(sys.executable).with_name("jetbench"))
    command = [program, "run", "--store", str(store), *arguments]
    for what in ("until it is finished", "again", "again", "again"):
        wall, ran, waited, status = watch(command)
        rest = wall - ran - waited
        print(f"{what:<22} {wall:6.2f} s: {ran:5.2f} s ran, {waited:5.2f} s waited for a processor, {rest:5.2f} s for others")
        if status != 0:
            sys.exit(status)
    print(f"load of this machine now {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--dask", type=int, default=1000, help="runs that go through the local Dask cluster")
    parser.add_argument("--again", type=Path, metavar="STORE", help="measure a finished command instead")
    parser.add_argument("arguments", nargs="*", help="of `jetbench run`, after --")
    options = parser.parse_args()
    if options.again:
        again(options.again, options.arguments)
    else:
        own_costs(options.runs, options.dask)


if __name__ == "__main__":
    main()
