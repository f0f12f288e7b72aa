"""One run as the driver's pool sees it: start the child, ship its journal, report how it ended."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from typing import Literal

from jetbench.engine.child import BUSY, PRUNED, STOPPED, start_child
from jetbench.engine.pool import Submitted
from jetbench.errors import StoreError
from jetbench.files import file_lock
from jetbench.runs.costs import costs_so_far
from jetbench.runs.job import Job
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.tracker import RunCard, Status, Tracker

__all__ = ["GRACE", "Outcome", "publish", "run_job", "stop_jobs", "stopping", "trained_elsewhere"]

SILENT = "its process ended without a word; is there enough memory and disk space?"
TOLD = "its process was told to stop; the same command goes on from its checkpoint"
POLL = 0.2  # seconds between looks at a child
GRACE = 20.0  # seconds for a child to write its checkpoint
ORPHANED = 255  # what multiprocessing says of a child whose fork server is gone

CLOSED: dict[str, Status] = {  # what a run is in the tracker
    "done": "FINISHED",
    "pruned": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
    "busy": "KILLED",
}

# set by the driver when it is to end; jobs of a local cluster are threads of the driver's process
stopping = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """How a run ended here. A "busy" one is trained by another process, a "pruned" one was stopped for its study; `trained` says
    that this one did it; `reason` explains what is not done, and `unpublished` what kept the tracker from having all of it."""

    key: str
    status: Literal["done", "pruned", "failed", "stopped", "busy"]
    trained: bool = False
    reason: str = ""
    unpublished: str = ""


def run_job(job: Job, card: RunCard, tracker: Tracker, gpu: str | None = None) -> Outcome:
    """Run the job to its end, or to a checkpoint where the driver is stopping. Trouble with the tracker does not end it."""
    ledger = Ledger(job.work)
    if ledger.done(job.key):
        return Outcome(job.key, "done", unpublished=publish(card, tracker))
    if stopping.is_set():
        return Outcome(job.key, "stopped", reason=TOLD)
    if trained_elsewhere(ledger.run(job.key)):
        return Outcome(job.key, "busy")
    started = time.time()
    shipper = Shipper(tracker, card)
    try:
        child = start_child(job, gpu)
    except (OSError, EOFError) as error:
        ledger.fail(job.key, f"its process could not be started: {error}", "")
        status = 1
    else:
        status = _wait(child, shipper, ledger.run(job.key))
    outcome = _outcome(ledger, job, status, started)
    return Outcome(job.key, outcome.status, outcome.trained, outcome.reason, _close(shipper, CLOSED[outcome.status]))


def stop_jobs(submitted: Sequence[Submitted]) -> None:
    """Tell every job of this process to stop, and wait until their children have written checkpoints; jobs that had not begun
    return at once."""
    stopping.set()
    deadline = time.monotonic() + 2 * GRACE
    while time.monotonic() < deadline and not all(one.done() for one in submitted):
        time.sleep(0.05)


def publish(card: RunCard, tracker: Tracker, status: Status = "FINISHED") -> str:
    """Ship what the tracker lacks of a run that has ended so; returns what kept it from that, if anything."""
    return _close(Shipper(tracker, card), status)


def trained_elsewhere(folder: RunFolder) -> bool:
    """Tell whether another process has the run under way."""
    with file_lock(folder.lock, wait=False) as free:
        return not free


def _close(shipper: Shipper, status: Status) -> str:
    try:
        shipper.close(status, shipper.run.artifacts())
    except StoreError as error:
        return str(error)
    return ""


def _wait(child: ForkServerProcess, shipper: Shipper, folder: RunFolder) -> int:
    """Wait for the child, shipping what it writes; returns its exit status. What cannot be shipped now is when it ends."""
    while True:
        child.join(POLL)
        if stopping.is_set():
            child.terminate()
            child.join(GRACE)
            child.kill()
            child.join()
        if not child.is_alive():
            break
        try:
            shipper.pump()
        except StoreError:
            continue  # the shipper waits longer after a failure, and its last attempt is reported
    status = child.exitcode
    if status == ORPHANED and child.pid is not None:
        _outlast(child.pid, folder)
    child.close()  # and no sooner: it is by this that the child sees its driver alive
    return 1 if status is None else status


def _outlast(pid: int, folder: RunFolder) -> None:
    """Wait for a child whose fork server has died, which SIGTERM to a whole batch job does: it goes on, and nobody tells of its
    end but the lock that it holds until then."""
    deadline = float("inf")
    while trained_elsewhere(folder) and time.monotonic() < deadline:
        if stopping.is_set():
            deadline = min(deadline, time.monotonic() + GRACE)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(POLL)


def _outcome(ledger: Ledger, job: Job, status: int, started: float) -> Outcome:
    """How a child with this exit status has ended; one that could not say why is given a reason."""
    key = job.key
    if ledger.done(key):
        return Outcome(key, "done", trained=status != BUSY)
    if status in (PRUNED, ORPHANED) and ledger.pruned(key):
        return Outcome(key, "pruned", trained=True)
    if status in (BUSY, PRUNED):  # a pruned run that is open again goes on in another process
        return Outcome(key, "busy")
    if status == STOPPED or stopping.is_set():
        return Outcome(key, "stopped", reason=TOLD)
    reason = ledger.failure(key, since=started)
    if reason is None:
        reason = f"{SILENT} (exit status {status})"
        ledger.fail(key, reason, "", so_far=costs_so_far(job.spec, ledger, key))
    return Outcome(key, "failed", reason=reason)
