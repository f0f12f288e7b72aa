"""Executes a plan: whatever is ready runs, on one single-threaded worker per core; the caller reads events."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from jetbench.engine.cards import run_card
from jetbench.engine.prepare import Prepared
from jetbench.engine.worker import GRACE, Outcome, run_task, settled, stopping
from jetbench.errors import BusyError
from jetbench.files import file_lock
from jetbench.runs.job import Job
from jetbench.spec import RunSpec
from jetbench.suites.plan import Plan, PlannedRun
from jetbench.suites.studies import Result, Study, Winner, walk, winner
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import Tracker

__all__ = ["Event", "execute"]

TICK = 0.5  # seconds between progress events


@dataclass(frozen=True)
class Event:
    """What the caller may show; a tick says that nothing has happened for a while."""

    kind: Literal["done", "diverged", "failed", "skipped", "stopped", "winner", "unpublished", "tick"]
    name: str = ""
    text: str = ""
    key: str = ""


@dataclass
class Execution:
    """The driver's books. A run is waiting, running or ended; a study is open until its winner is known."""

    plan: Plan
    store: Store
    tracker: Tracker
    prepared: Prepared
    ledger: Ledger
    waiting: dict[str, PlannedRun]
    running: dict[str, PlannedRun] = field(default_factory=dict)
    futures: list[Any] = field(default_factory=list)
    ended: dict[str, Outcome] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)  # studies without a winner
    trials: dict[str, set[str]] = field(default_factory=dict)  # by study, the keys of the trials that it waits for
    winners: dict[str, Winner] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def job(self, planned: PlannedRun) -> Job:
        spec = planned.spec
        study = self.plan.study_of(planned.key)
        if study is not None:
            spec = spec.with_values(self.winners[study].values)
        return Job(
            key=planned.key,
            instance=self.plan.instance.name,
            spec=spec,
            store=self.store.root,
            dataset=self.prepared.dataset,
            unlabelled=self.prepared.unlabelled if spec.unlabelled else None,
            table=self.prepared.tables.get(spec.view.name),
        )


def execute(plan: Plan, store: Store, tracker: Tracker, prepared: Prepared, workers: int) -> Iterator[Event]:
    """Run what is not finished, in an order that respects who starts from whom and who waits for which study.

    A failed run takes those that need it with it; the others go on. On KeyboardInterrupt children write their checkpoints,
    and the interrupt passes on. Raises `BusyError` where another process executes the same instance.
    """
    books = Execution(plan, store, tracker, prepared, Ledger(store.work), dict(plan.runs))
    with file_lock(store.work / f"{plan.instance.name}.lock", wait=False) as free:
        if not free:
            raise BusyError(f"another jetbench process runs {plan.instance.name} in {store.root}; wait for it, or stop it first")
        stopping.clear()
        yield from _open_studies(books)
        yield from _skip_finished(books)
        if books.waiting or books.open:
            with _cluster(workers) as submit:
                yield from _drive(books, submit)


def _open_studies(books: Execution) -> Iterator[Event]:
    """Open every study that a waiting run needs, and plan the trials of its open round."""
    for digest in books.plan.studies:
        books.open.add(digest)
        books.trials[digest] = set()
        yield from _advance(books, digest)


def _advance(books: Execution, digest: str) -> Iterator[Event]:
    """Ask for rounds until one has a trial that has not ended, or the study has its winner."""
    study, arm = books.plan.studies[digest], books.plan.study_arm(digest)
    trials, results = walk(study, lambda spec: _result(books, study, spec))
    for number, spec in trials.items():
        run = books.plan.trial(digest, spec)
        if number not in results:
            books.trials[digest].add(run.key)
        if run.key not in books.running and run.key not in books.ended:  # one from an earlier time is only published
            books.waiting.setdefault(run.key, run)
    if len(results) < study.trials:
        return
    books.open.discard(digest)
    if (found := winner(study, results)) is not None:
        books.winners[digest] = found
        edge = "; it is at the edge of what was tried: widen the range" if found.at_edge else ""
        text = f"{found.text} ({study.metric} {found.metric:.3f}){edge}"
        yield Event("winner", f"{arm}/n{study.template.labels}", text, digest)


def _result(books: Execution, study: Study, spec: RunSpec) -> Result | None:
    """What a trial came to, None where it has not ended; a diverged one is a result, any other failure is none."""
    key = spec.digest()
    if books.ledger.done(key):
        return Result.read(study, books.ledger.metrics(key))
    return Result(None) if books.ledger.diverged(key) else None


def _skip_finished(books: Execution) -> Iterator[Event]:
    """Runs that are whole from an earlier time are only published where they are not yet."""
    for key, planned in list(books.waiting.items()):
        if settled(books.ledger, planned.kind, key) and _decided(books, planned):
            del books.waiting[key]
            outcome = run_task(books.job(planned), _card(books, planned), books.tracker)
            books.ended[key] = outcome
            yield Event("skipped", planned.name, key=key)
            if outcome.unpublished:
                yield Event("unpublished", planned.name, outcome.unpublished, key)


def _card(books: Execution, planned: PlannedRun) -> Any:
    return run_card(books.plan, planned, books.job(planned).spec, books.ledger)


def _decided(books: Execution, planned: PlannedRun) -> bool:
    study = books.plan.study_of(planned.key) if planned.key in books.plan.runs else None
    return study is None or study in books.winners


def _ready(books: Execution, planned: PlannedRun) -> bool:
    start = planned.spec.start
    return _decided(books, planned) and (start is None or (start in books.ended and books.ended[start].status == "done"))


PRIORITY = {"pretrain": 2, "trial": 1, "final": 0}  # what others wait for goes first, longest first among equals


def _drive(books: Execution, submit: Callable[..., Any]) -> Iterator[Event]:
    ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
    try:
        while books.waiting or books.running:
            ready = [run for run in books.waiting.values() if _ready(books, run)]
            for run in sorted(ready, key=lambda r: (PRIORITY[r.kind], r.spec.recipe.passes), reverse=True):
                del books.waiting[run.key]
                books.running[run.key] = run
                future = submit(run_task, books.job(run), _card(books, run), books.tracker, key=run.key, priority=_priority(run))
                books.futures.append(future)
                future.add_done_callback(ended.put)
            if not books.running:
                yield from _give_up(books)
                return
            try:
                future = ended.get(timeout=TICK)
            except queue.Empty:
                yield Event("tick")
                continue
            yield from _book(books, future.result())
    except BaseException:  # Ctrl-C above all; whatever it is, the children write their checkpoints
        stopping.set()
        _wait_for_children(books.futures)
        raise


def _priority(run: PlannedRun) -> int:
    return PRIORITY[run.kind]


def _book(books: Execution, outcome: Outcome) -> Iterator[Event]:
    run = books.running.pop(outcome.key)
    books.ended[outcome.key] = outcome
    yield Event(outcome.status, run.name, outcome.reason, outcome.key)
    if outcome.unpublished:
        yield Event("unpublished", run.name, outcome.unpublished, outcome.key)
    if outcome.status != "stopped":
        for digest in [d for d, keys in books.trials.items() if outcome.key in keys and d in books.open]:
            yield from _advance(books, digest)


def _give_up(books: Execution) -> Iterator[Event]:
    """What is left needs something that failed."""
    for key, run in books.waiting.items():
        reason = "a run that it needs has failed"
        if not _decided(books, run) and books.plan.study_of(key) not in books.open:
            reason = "every trial of its study has diverged; smaller `tuning.factors` may help"
        books.ended[key] = Outcome(key, "failed", reason)
        yield Event("failed", run.name, reason, key)
    books.waiting.clear()


def _wait_for_children(futures: list[Any]) -> None:
    """Until every running child has written its checkpoint; tasks that had not begun return at once. The futures are asked one
    by one: an interrupt between two lines of the loop may have lost what it had just taken from the queue."""
    deadline = time.monotonic() + 2 * GRACE
    while time.monotonic() < deadline and not all(future.done() for future in futures):
        time.sleep(0.05)


@contextmanager
def _cluster(workers: int) -> Iterator[Callable[..., Any]]:
    """A local cluster of threads, one per core: each task waits for a child process, which does the work."""
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)
    settings = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.worker-ttl": None}
    with (
        dask.config.set(settings),
        LocalCluster(
            processes=False, n_workers=workers, threads_per_worker=1, memory_limit=0, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):

        def submit(function: Callable[..., Any], *arguments: Any, key: str, priority: int) -> Any:
            return client.submit(function, *arguments, key=key, priority=priority, pure=False)

        yield submit
