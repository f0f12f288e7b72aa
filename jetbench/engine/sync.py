"""Filling a tracker from run folders, after a server was away or another one was chosen."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.engine.books import Books
from jetbench.engine.custody import idle
from jetbench.engine.events import Event
from jetbench.engine.survey import survey
from jetbench.suites.graph import Graph
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

__all__ = ["sync"]

UNFINISHED = ("failed", "diverged", "stopped")


def sync(plan: Graph, store: Store, tracker: Tracker) -> Iterator[Event]:
    """Ship what the tracker lacks of every run of a plan that has ended or was stopped, and train nothing; "published" and
    "unpublished" events tell of it. What the tracker has already is not sent again.

    Raises `StoreError` where it cannot be reached, and `BusyError` where another process executes the instance, which then ships
    its runs itself.
    """
    with idle(store, [plan.instance.name]):
        tracker.connect()
        books = Books(plan, store, tracker)
        yield from books.open()
        found = survey(plan, books.ledger)
        for key, state in found.states.items():
            if state in UNFINISHED:
                yield from books.dispatch.offer(found.runs[key])
        for key, run in books.dispatch.sent.items():
            yield Event("published", run.name, key=key)
