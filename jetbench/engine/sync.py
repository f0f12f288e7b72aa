"""Filling a tracker from run folders, after a server was away or another one was chosen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

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
    """Ship what the tracker lacks of every run of a plan that has ended or was stopped, and train nothing; events tell of it as
    it goes: "skipped" of each run that is looked at, "published" or "unpublished" of what the tracker lacks. What it has already
    is not sent again.

    Raises `StoreError` where it cannot be reached, and `BusyError` where another process executes the instance, which then ships
    its runs itself.
    """
    with idle(store, [plan.instance.name]):
        tracker.connect()
        books = Books(plan, store, tracker)
        told = set[str]()
        for event in chain(books.open(), _unfinished(plan, books)):
            yield event
            yield from _sent(books, told)
        yield from _sent(books, told)


def _unfinished(plan: Graph, books: Books) -> Iterator[Event]:
    found = survey(plan, books.ledger)
    for key, state in found.states.items():
        if state in UNFINISHED:
            yield from books.dispatch.offer(found.runs[key])


def _sent(books: Books, told: set[str]) -> Iterator[Event]:
    """What was sent and is not among the keys that were told."""
    for key, run in books.dispatch.sent.items():
        if key not in told:
            told.add(key)
            yield Event("published", run.name, key=key)
