"""One run as a worker sees it: start the child, wait for it, report how it ended. Nothing here knows a tracker."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from typing import Literal

from jetbench.engine.child import BUSY, PRUNED, STOPPED, start_child
from jetbench.files import file_lock
from jetbench.runs.costs import costs_so_far
from jetbench.runs.job import Job
from jetbench.tracking.ledger import Ledger, RunFolder

__all__ = ["GRACE", "POLL", "SILENT", "TOLD", "Outcome", "run_job", "stopping", "trained_elsewhere"]

SILENT = "its process ended without a word; is there enough memory and disk space?"
TOLD = "its process was told to stop; the same command goes on from its checkpoint"
POLL = 0.2  # seconds between looks at a child
GRACE = 20.0  # seconds for a child to write its checkpoint
ORPHANED = 255  # what multiprocessing says of a child whose fork server is gone

# set by the driver when it is to end; jobs of a local cluster are threads of the driver's process
stopping = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """How a run ended here. A "busy" one is trained by another process, a "pruned" one was stopped for its study, a "moved" one
    goes on with another worker; `trained` says that this one did it; `reason` explains what is not done, and `unpublished` what
    kept the tracker from having all of it."""

    key: str
    status: Literal["done", "pruned", "failed", "stopped", "busy", "moved"]
    trained: bool = False
    reason: str = ""
    unpublished: str = ""


def run_job(job: Job, gpu: str | None = None, stop: Callable[[], bool] = stopping.is_set) -> Outcome:
    """Run the job to its end, or to a checkpoint once it is told to `stop`."""
    ledger = Ledger(job.work)
    if ledger.done(job.key):
        return Outcome(job.key, "done")
    if stop():
        return Outcome(job.key, "stopped", reason=TOLD)
    if trained_elsewhere(ledger.run(job.key)):
        return Outcome(job.key, "busy")
    started = time.time()
    try:
        child = start_child(job, gpu)
    except (OSError, EOFError) as error:
        ledger.fail(job.key, f"its process could not be started: {error}", "")
        status = 1
    else:
        status = _wait(child, ledger.run(job.key), stop)
    return _outcome(ledger, job, status, started, stop())


def trained_elsewhere(folder: RunFolder) -> bool:
    """Tell whether another process has the run under way."""
    with file_lock(folder.lock, wait=False) as free:
        return not free


def _wait(child: ForkServerProcess, folder: RunFolder, stop: Callable[[], bool]) -> int:
    """Wait for the child; returns its exit status."""
    while child.is_alive():
        child.join(POLL)
        if stop():
            child.terminate()
            child.join(GRACE)
            child.kill()
            child.join()
    status = child.exitcode
    if status == ORPHANED and child.pid is not None:
        _outlast(child.pid, folder, stop)
    child.close()  # and no sooner: it is by this that the child sees its driver alive
    return 1 if status is None else status


def _outlast(pid: int, folder: RunFolder, stop: Callable[[], bool]) -> None:
    """Wait for a child whose fork server has died, which SIGTERM to a whole batch job does: it goes on, and nobody tells of its
    end but the lock that it holds until then."""
    deadline = float("inf")
    while trained_elsewhere(folder) and time.monotonic() < deadline:
        if stop():
            deadline = min(deadline, time.monotonic() + GRACE)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(POLL)


def _outcome(ledger: Ledger, job: Job, status: int, started: float, stopped: bool = False) -> Outcome:
    """How a child with this exit status has ended; one that could not say why is given a reason."""
    key = job.key
    if ledger.done(key):
        return Outcome(key, "done", trained=status != BUSY)
    if status in (PRUNED, ORPHANED) and ledger.pruned(key):
        return Outcome(key, "pruned", trained=True)
    if status in (BUSY, PRUNED):  # a pruned run that is open again goes on in another process
        return Outcome(key, "busy")
    if status == STOPPED or stopped:
        return Outcome(key, "stopped", reason=TOLD)
    reason = ledger.failure(key, since=started)
    if reason is None:
        reason = f"{SILENT} (exit status {status})"
        ledger.fail(key, reason, "", so_far=costs_so_far(job.spec, ledger, key))
    return Outcome(key, "failed", reason=reason)
