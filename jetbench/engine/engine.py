"""Executes a plan: whatever is ready runs, in as many places as there are; the caller reads events."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from jetbench.engine.books import Books
from jetbench.engine.child import PRELOAD
from jetbench.engine.custody import idle
from jetbench.engine.events import Event
from jetbench.engine.pool import Pool, Submit, Submitted, local_cluster
from jetbench.engine.prepare import Prepared
from jetbench.engine.survey import reopen_reclaimed
from jetbench.engine.worker import run_job, stop_jobs, stopping
from jetbench.errors import StoreError
from jetbench.processes import context
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

__all__ = ["Event", "execute"]

TICK = 0.5  # seconds between progress events, and between looks at what other processes train


def execute(
    plan: Graph,
    store: Store,
    tracker: Tracker,
    places: Callable[[], Sequence[str | None]],
    prepare: Callable[[], Prepared],
    pool: Pool = local_cluster,
    late: Callable[[], bool] = lambda: False,
) -> Generator[Event, None, None]:
    """Run what is not finished, in an order that respects who starts from whom and who waits for which study.

    There is a training at a time in each of the `places`, on the GPU that it names, and `prepare` makes the data; both are
    called where something is left to train. A failed run takes those that need it with it; the others go on. Where an exception
    passes through (Ctrl-C above all), children write their checkpoints first. Once it is `late`, studies open no further round of
    trials, and what has begun ends. Raises `BusyError` where another process executes the same instance.
    """
    with idle(store, [plan.instance.name]):
        stopping.clear()
        books = Books(plan, store, tracker, late)
        reopen_reclaimed(plan, books.ledger)
        yield from books.open()
        if len(books.schedule):
            context(PRELOAD)  # its imports are done while jets are simulated
            yield from _connect(store, tracker)
            prepared, free_places = prepare(), list(places())
            with pool(len(free_places)) as submit:
                yield from _drive(books, prepared, free_places, submit)


def _connect(store: Store, tracker: Tracker) -> Iterator[Event]:
    """Learn what is wrong with the folder's own database. A server that is away may be back later, and nobody waits for it."""
    try:
        tracker.connect()
    except StoreError as error:
        if store.tracking_uri is None:
            raise
        yield Event("unpublished", "every run", str(error))


def _drive(books: Books, prepared: Prepared, free: list[str | None], submit: Submit) -> Iterator[Event]:
    """Keep every place busy until nothing is left. The work per event does not depend on how much is planned."""
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
    running: dict[str, tuple[PlannedRun, str | None, Submitted]] = {}
    looked = time.monotonic()
    try:
        while True:
            while free and (run := books.schedule.pop()):
                place = free.pop()
                submitted = submit(run_job, books.job(run, prepared), books.card(run), books.tracker, place)
                running[run.key] = run, place, submitted
                submitted.add_done_callback(ended.put)
            if not running and not books.elsewhere:
                yield from books.close()
                return
            try:
                outcome = ended.get(timeout=TICK).result()
            except queue.Empty:
                yield Event("tick")
            else:
                run, place, _ = running.pop(outcome.key)
                free.append(place)
                yield from books.book(run, outcome)
            if books.elsewhere and time.monotonic() - looked > TICK:
                looked = time.monotonic()
                yield from books.look_elsewhere()
    except BaseException:  # whatever it is, the children write their checkpoints
        stop_jobs([submitted for _, _, submitted in running.values()])
        raise
