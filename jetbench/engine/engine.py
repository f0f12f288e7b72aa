"""Executes a plan: whatever is ready runs, in as many places as there are; the caller reads events."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, wait

from jetbench.engine.attend import attend
from jetbench.engine.books import Books
from jetbench.engine.child import PRELOAD
from jetbench.engine.custody import idle
from jetbench.engine.events import Event
from jetbench.engine.pool import MakePool, Places, Pool, local_pool
from jetbench.engine.prepare import Prepared
from jetbench.engine.survey import reopen_reclaimed
from jetbench.engine.worker import GRACE, Outcome
from jetbench.errors import StoreError
from jetbench.files import ask_first
from jetbench.processes import Crew, context
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

__all__ = ["Event", "execute"]

TICK = 0.5  # seconds between progress events, and between looks at what other processes train


def execute(
    plan: Graph,
    store: Store,
    tracker: Tracker,
    places: Places,
    prepare: Callable[[Crew | None], Prepared],
    pool: MakePool = local_pool,
    late: Callable[[], bool] = lambda: False,
) -> Generator[Event, None, None]:
    """Run what is not finished, in an order that respects who starts from whom and who waits for which study.

    The `pool` has a training at a time in each of the `places`, on the GPU that it names, or on workers elsewhere, and
    `prepare` makes the data, with the pool's crew where it has one; they are called where something is left to train. A
    failed run takes those that need it with it; the others go on. Where an exception passes through (Ctrl-C above all),
    children write their checkpoints first. Once it is `late`, studies open no further round of trials, and what has begun
    ends. Raises `BusyError` where another process executes the same instance.
    """
    with idle(store, [plan.instance.name]):
        books = Books(plan, store, tracker, late)
        reopen_reclaimed(plan, books.ledger)
        yield from books.open()
        if len(books.schedule):
            context(PRELOAD)  # its imports are done while jets are simulated
            yield from _connect(store, tracker)
            with pool(places) as workers:  # first: whether they are there is known before hours of simulation
                yield from _drive(books, prepare(workers.crew), workers)


def _connect(store: Store, tracker: Tracker) -> Iterator[Event]:
    """Learn what is wrong with the folder's own database. A server that is away may be back later, and nobody waits for it."""
    try:
        tracker.connect()
    except StoreError as error:
        if store.tracking_uri is None:
            raise
        yield Event("unpublished", "every run", str(error))


def _drive(books: Books, prepared: Prepared, pool: Pool) -> Iterator[Event]:
    """Keep every place busy until nothing is left. The work per event does not depend on how much is planned."""
    ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    running: dict[str, tuple[PlannedRun, Future[Outcome]]] = {}
    looked = time.monotonic()
    try:
        while True:
            while len(running) < pool.count() and (run := books.schedule.pop()):
                attended = attend(pool.submit(books.job(run, prepared)), books.card(run), books.tracker)
                running[run.key] = run, attended
                attended.add_done_callback(ended.put)
            if not running and not books.elsewhere and not books.schedule.ready:
                yield from books.close()
                return
            try:
                outcome = ended.get(timeout=TICK).result()
            except queue.Empty:
                ask_first()  # another machine may have taken the instance over while this one slept
                yield Event("tick")
            else:
                run, _ = running.pop(outcome.key)
                yield from books.book(run, outcome)
            if books.elsewhere and time.monotonic() - looked > TICK:
                looked = time.monotonic()
                yield from books.look_elsewhere()
    except BaseException:  # whatever it is, the children write their checkpoints
        pool.stop()
        wait([attended for _, attended in running.values()], 2 * GRACE)
        raise
