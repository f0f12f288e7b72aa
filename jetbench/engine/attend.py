"""What the driver does of a run that is under way, wherever it is trained: it ships the journal, and closes the run in the
tracker as it has ended. Workers need no tracker."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from jetbench.engine.pool import Submitted
from jetbench.engine.worker import POLL, Outcome
from jetbench.errors import StoreError
from jetbench.tracking.shipper import Shipper
from jetbench.tracking.tracker import RunCard, Status, Tracker

__all__ = ["attend", "publish"]

CLOSED: dict[str, Status] = {  # what a run is in the tracker
    "done": "FINISHED",
    "pruned": "FINISHED",
    "failed": "FAILED",
    "stopped": "KILLED",
    "moved": "KILLED",
}
ENDED = ("done", "pruned", "failed")


def attend(submitted: Submitted, card: RunCard, tracker: Tracker) -> Future[Outcome]:
    """Ship what a run writes until it has ended, in a thread of its own; returns how it has ended, and is then in the tracker.
    Trouble with that does not end it."""
    attended: Future[Outcome] = Future()

    def work() -> None:
        try:
            attended.set_result(_attended(submitted, card, tracker))
        except BaseException as error:
            attended.set_exception(error)

    threading.Thread(target=work, daemon=True, name=card.key[:16]).start()
    return attended


def publish(card: RunCard, tracker: Tracker, status: Status = "FINISHED") -> str:
    """Ship what the tracker lacks of a run that has ended so; returns what kept it from that, if anything."""
    return _close(Shipper(tracker, card), status)


def _attended(submitted: Submitted, card: RunCard, tracker: Tracker) -> Outcome:
    shipper, began, ended = Shipper(tracker, card), False, threading.Event()
    submitted.add_done_callback(lambda _: ended.set())
    while not (ended.wait(POLL) or submitted.done()):
        began = True
        with suppress(StoreError):  # the shipper waits longer after a failure, and its last attempt is reported
            shipper.pump()
    with suppress(OSError):  # NFS remembers for a while which files were not there, until their folder is opened
        for folder in (card.folder.parent, card.folder):
            os.scandir(folder).close()
    outcome: Outcome = submitted.result()
    if outcome.status == "busy" or not (began or outcome.status in ENDED):
        return outcome  # it is another process's, or nothing of it was shipped
    return replace(outcome, unpublished=_close(shipper, CLOSED[outcome.status]))


def _close(shipper: Shipper, status: Status) -> str:
    try:
        shipper.close(status, shipper.run.artifacts())
    except StoreError as error:
        return str(error)
    return ""
