"""Job arrays: what is left of a plan as a list of runs, and one of them by itself, beside processes that execute the others.

None of these processes owns the instance: the lock of a run keeps it from being trained twice. Nothing is sent to a tracker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from jetbench.engine.books import Books
from jetbench.engine.child import PRELOAD
from jetbench.engine.events import Event
from jetbench.engine.prepare import Prepared
from jetbench.engine.survey import key_called, reopen_reclaimed
from jetbench.engine.worker import GRACE, Outcome, run_job, stopping
from jetbench.errors import StoreError, UnknownNameError
from jetbench.plugins import scope
from jetbench.processes import context
from jetbench.suites.graph import PlannedRun
from jetbench.suites.instance import AnyInstance
from jetbench.suites.instances import begun, remembered
from jetbench.suites.names import arm_called, cells_called, unknown_name
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.plans import plan_remembered
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

__all__ = ["Remaining", "execute_one", "remaining"]

TICK = 0.5  # seconds between progress events
MOST = 8  # runs that an error names


@dataclass(frozen=True)
class Remaining:
    """What is left of a plan: `runs` that can end one after the other, each after all that it needs; `searches`, the names of
    those that choose further trials once these have ended, and how many planned runs are `waiting` for them; `lost`, the names of
    runs that cannot be trained, with the reason."""

    runs: list[PlannedRun]
    searches: list[str]
    waiting: int
    lost: dict[str, str]


def remaining(plan: Plan, store: Store) -> Remaining:
    """List what is not finished in the order in which a single place would execute it."""
    books, told = _opened(plan, store)
    lost = {event.name: event.text for event in told if event.kind == "failed"}
    trials = {digest: books.trials_left(digest) for digest in books.searches if digest not in books.winners}
    left = {digest: len(asked) for digest, asked in trials.items()}
    asked_by: dict[str, list[str]] = {}
    for digest, asked in trials.items():
        for trial in asked:
            asked_by.setdefault(trial.key, []).append(digest)
    runs: list[PlannedRun] = []
    while run := books.schedule.pop():
        runs.append(run)
        books.schedule.meet(run.key)
        for digest in asked_by.get(run.key, ()):
            left[digest] -= 1
            if not left[digest] and books.searches[digest].in_last_round:
                books.schedule.meet(digest)
    open_searches = [books.searches[digest] for digest, asked in trials.items() if asked]
    names = [search.name for search in open_searches if not search.in_last_round]
    return Remaining(runs, names, len(books.schedule), lost)


def execute_one(
    plan: Plan, store: Store, what: str, place: Callable[[], str | None], prepare: Callable[[], Prepared]
) -> Generator[Event, None, None]:
    """Execute the run of a name, key or beginning of a key, to the same bits as within the whole plan; the last event says what
    came of it. It is trained in a `place`, on the GPU that it names, and `prepare` makes the data; both are called where it is to
    be trained. Nobody waits here for what the run needs: an event "waiting" says what that is.

    Where an exception passes through, its child writes a checkpoint first. Raises `UnknownNameError` where no run is called so,
    `StoreError` where several are.
    """
    stopping.clear()
    books, told = _opened(plan, store)
    run = books.known[_key(plan, books, store, what)]
    if books.schedule.take(run.key) is None:
        yield _not_now(books, run, told, begun(store.root, plan.instance) or time.time())
        return
    context(PRELOAD)  # its imports are done while jets are simulated
    job, free = books.job(run, prepare()), place()
    with ThreadPoolExecutor(1) as pool:
        submitted = pool.submit(run_job, job, free)
        try:
            while not wait([submitted], TICK).done:
                yield Event("tick")
        except BaseException:  # whatever it is, the child writes its checkpoint
            stopping.set()
            wait([submitted], 2 * GRACE)
            raise
    yield _told(books, run, submitted.result())


def _opened(plan: Plan, store: Store) -> tuple[Books, list[Event]]:
    """The books of a plan, of which nothing is published, and what was to be said as they were opened."""
    books = Books(plan, store, Tracker())
    reopen_reclaimed(plan, books.ledger)
    return books, list(books.open())


def _told(books: Books, run: PlannedRun, outcome: Outcome) -> Event:
    """How the run has ended; what follows from that for others is for their own processes."""
    if outcome.status == "stopped":
        return Event("stopped", run.name, outcome.reason, run.key)
    return next(books.book(run, outcome))


def _not_now(books: Books, run: PlannedRun, told: list[Event], since: float) -> Event:
    """Why a run is not trained here: it has ended, or needs something that has not, or that has failed `since` [unix seconds].
    What failed before that is to be trained again, by its own process."""
    if event := next((event for event in told if event.key == run.key), None):
        return event
    missing = _missing(books, run.key)
    if not missing:
        return Event("failed", run.name, "it needs a run that is not part of the plan", run.key)
    trained = [one for one in missing if books.ledger.run(one.key).under_way()]
    for one in missing:
        reason = None if one in trained else books.ledger.failure(one.key, since)
        if reason is not None:
            return Event("failed", run.name, f"it needs {one.name}, which has failed: {reason}", run.key)
    first, more = (trained or missing)[0], len(missing) - 1
    others = f" and {more} more run{'' if more == 1 else 's'}, which are" if more else ", which is"
    return Event("waiting", run.name, f"it needs {first.name}{others} not finished", run.key)


def _missing(books: Books, key: str) -> list[PlannedRun]:
    """What a run waits for, trials of its study and all that these need among it."""
    found: dict[str, PlannedRun] = {}
    pending = [key]
    while pending:
        for need in books.schedule.needs(pending.pop()):
            needed = books.trials_left(need) if need in books.searches else [books.known[need]] if need in books.known else []
            pending += [run.key for run in needed if run.key not in found]
            found |= {run.key: run for run in needed}
    return list(found.values())


def _key(plan: Plan, books: Books, store: Store, what: str) -> str:
    """The key of the one run of a name."""
    if (key := key_called(what, books.known)) is not None:
        return key
    name = arm_called(plan, what)
    cells = [] if name is None else cells_called(plan, name)
    if len(cells) == 1 and not plan.seeds_tune:
        return plan.cells[cells[0]]
    if cells:
        runs = [run for run in books.known.values() if any(_is_of(run, cell) for cell in cells)]
        told = [f"{run.key[:12]} ({run.name})" for run in runs[:MOST]]
        more = [f"{len(runs) - MOST} more"] if len(runs) > MOST else []
        raise StoreError(f"{what} stands for several runs: {', '.join(told + more)}; name one of them by its key")
    raise UnknownNameError(_of_another(plan, store, what) or unknown_name(what, plan.instance.name, [plan]))


def _is_of(run: PlannedRun, cell: CellKey) -> bool:
    """Whether a run is that of a cell, or a trial for it."""
    return run.arm == cell.arm and f"/n{cell.labels}/s{cell.seed}/" in f"{run.name}/"


def _of_another(plan: Plan, store: Store, what: str) -> str:
    """Whose run it is that this plan has not: that of other options, or of a machine with another precision; empty where it is
    nobody's."""
    own = plan.instance
    for other in reversed(remembered(store.root).values()):
        if not _has(other, store, what):
            continue
        told = f"{what} is a run of {other.name}, and with these options this is {own.name}"
        if (other.title, other.scale) == (own.title, own.scale) and other.precision != own.precision:
            here = f"it was listed on a machine that computes in {other.precision}, and this one computes in {own.precision}"
            return f"{told}: {here}; list and run with --set precision={other.precision}, or precision={own.precision}"
        return f"{told}; give the options that it was listed with"
    return ""


def _has(instance: AnyInstance, store: Store, what: str) -> bool:
    with scope(), suppress(StoreError):
        return key_called(what, plan_remembered(instance, store.root).runs) is not None
    return False
