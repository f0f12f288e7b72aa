"""One run as the driver's cluster sees it: start the child, ship its journal, report how it ended."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

from jetbench.engine.child import STOPPED, start_child
from jetbench.errors import StoreError
from jetbench.runs.job import Job
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.tracker import RunCard, Status, Tracker

__all__ = ["GRACE", "Outcome", "run_task", "settled", "stopping"]

SILENT = "its process ended without a word; is there enough memory and disk space?"
POLL = 0.2  # seconds between looks at a child
GRACE = 20.0  # seconds for a child to write its checkpoint

# set by the driver on Ctrl-C; tasks of a local cluster are threads of the driver's process
stopping = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """How a run ended; a trial that has diverged has a result all the same. `reason` explains a failure; `unpublished` is what
    kept the tracker from having all of it."""

    key: str
    status: Literal["done", "diverged", "failed", "stopped"]
    reason: str = ""
    unpublished: str = ""


def run_task(job: Job, card: RunCard, tracker: Tracker) -> Outcome:
    """Run the job to its end, or to a checkpoint where the driver is stopping. Trouble with the tracker does not end it."""
    ledger = Ledger(job.work)
    shipper = Shipper(tracker, card)
    trouble = ""
    if not settled(ledger, card.kind, job.key):
        if stopping.is_set():
            return Outcome(job.key, "stopped")
        trouble = _train(job, shipper)
    if ledger.done(job.key):
        status: Status = "FINISHED"
        outcome = Outcome(job.key, "done")
    elif settled(ledger, card.kind, job.key):
        status, outcome = "FAILED", Outcome(job.key, "diverged", ledger.failure(job.key) or "")
    elif stopping.is_set():
        status, outcome = "KILLED", Outcome(job.key, "stopped")
    else:
        status, outcome = "FAILED", Outcome(job.key, "failed", ledger.failure(job.key) or SILENT)
    try:
        shipper.close(status, ledger.run(job.key).artifacts())
    except StoreError as error:
        trouble = str(error)
    return Outcome(job.key, outcome.status, outcome.reason, trouble)


def settled(ledger: Ledger, kind: str, key: str) -> bool:
    """Say whether a run of a plan needs no training any more: it is finished, or it is a trial that has diverged, which is the
    worst of its study and no failure."""
    return ledger.done(key) or (kind == "trial" and ledger.diverged(key))


def _train(job: Job, shipper: Shipper) -> str:
    """Start the child and wait; returns what went wrong with shipping, if anything."""
    ledger, trouble = Ledger(job.work), ""
    ledger.run(job.key).failed.unlink(missing_ok=True)
    try:
        child = start_child(job)
    except (OSError, EOFError) as error:
        ledger.fail(job.key, f"its process could not be started: {error}", "")
        return trouble
    while child.is_alive():
        child.join(POLL)
        if stopping.is_set():
            child.terminate()
            child.join(GRACE)
            child.kill()
        try:
            shipper.pump()
        except StoreError as error:
            trouble = str(error)
    if child.exitcode not in (0, STOPPED) and ledger.failure(job.key) is None and not stopping.is_set():
        ledger.fail(job.key, f"{SILENT} (exit status {child.exitcode})", "")
    child.close()
    return trouble
