"""The driver's books: what waits, what runs here or elsewhere, what is done, and which studies have their winner."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from jetbench.engine.cards import run_card
from jetbench.engine.dispatch import Dispatch
from jetbench.engine.events import Event, told
from jetbench.engine.jobs import make_job
from jetbench.engine.prepare import Prepared
from jetbench.engine.schedule import Schedule, rank
from jetbench.engine.studies import Search
from jetbench.engine.worker import Outcome, trained_elsewhere
from jetbench.runs.job import Job
from jetbench.spec import RunSpec
from jetbench.suites.graph import Graph, Links, PlannedRun
from jetbench.suites.outcomes import failure_counts
from jetbench.suites.parameters import resolved
from jetbench.suites.winner import Winner
from jetbench.tracking.lease import LONGEST, leased_elsewhere
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import RunCard, Tracker

__all__ = ["Books"]


class Books:
    """The state of one execution. Each entry yields what the caller may show, and costs what it changes, not what is planned.
    Studies open no round once it is `late`."""

    def __init__(self, plan: Graph, store: Store, tracker: Tracker, late: Callable[[], bool] = lambda: False) -> None:
        self.plan, self.store, self.tracker = plan, store, tracker
        self.ledger = Ledger(store.work, notes=True)
        self.dispatch = Dispatch(self.ledger, tracker, self.card)
        self.searches = {digest: Search(plan, digest, self.ledger, self._counts, late) for digest in plan.studies}
        self.winners: dict[str, Winner] = {}
        self.schedule = Schedule(rank)
        self.elsewhere: dict[str, tuple[PlannedRun, float]] = {}
        self.known: dict[str, PlannedRun] = {}  # what was entered so far, trials that a study has asked for among it
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._lost: dict[str, str] = {}  # runs and studies that will not be there, and what is to be said of each
        self._open: dict[str, list[tuple[str, Links]]] = {}  # studies with their chain of runs, by the key of its last one
        self._tried: set[str] = set()  # what trials start from and train themselves
        self._pruned: set[str] = set()
        self._weighed: set[tuple[str, str]] = set()  # studies that have judged a pruned run, and its key
        self._needed = {run.spec.start for run in plan.runs.values() if run.kind != "trial"}

    def open(self) -> Iterator[Event]:
        """Enter every run; what is whole from an earlier time is only published where it is not yet."""
        for digest in self.searches:
            yield from self._advance(digest)
        for run in self.plan.runs.values():
            yield from self._admit(run)

    def book(self, run: PlannedRun, outcome: Outcome) -> Iterator[Event]:
        """Enter how a run has ended."""
        if outcome.unpublished:  # first: its study may make it a cell's last run, which is sent with more
            yield self.dispatch.keep(run, outcome.unpublished)
        if outcome.status == "busy":
            self.elsewhere[run.key] = run, time.time()
            yield Event("elsewhere", run.name, key=run.key)
        elif outcome.status == "moved":
            self.schedule.push(run)
        elif outcome.status == "done":
            yield Event("done" if outcome.trained else "skipped", run.name, key=run.key)
            yield from self._finish(run)
        elif outcome.status == "pruned":
            self._pruned.add(run.key)
            yield Event("pruned", run.name, key=run.key)
            yield from self._tell(run.key)
        else:
            yield from self._fail(run, outcome.reason)

    def look_elsewhere(self) -> Iterator[Event]:
        """Take back the runs that other processes no longer train: to publish, to fail or to train them here."""
        for key, (run, since) in list(self.elsewhere.items()):
            folder = self.ledger.run(key)
            if trained_elsewhere(folder) or (leased_elsewhere(folder.lease) and time.time() - since < LONGEST):
                continue
            del self.elsewhere[key]
            reason = self.ledger.failure(key, since)
            if reason is not None and not self.ledger.done(key):
                yield from self._fail(run, reason)
            else:
                self.schedule.push(run)

    def close(self) -> Iterator[Event]:
        """Fail what waits for something that nobody makes, and send again what the tracker could not take."""
        for run in self.schedule.drain():
            yield self._give_up(run, "a run that is not part of the plan")
        yield from self.dispatch.again()

    def card(self, run: PlannedRun) -> RunCard:
        return run_card(self.plan, run, self._resolved(run), self.ledger)

    def job(self, run: PlannedRun, prepared: Prepared) -> Job:
        return make_job(self.plan, self.store, run, self._resolved(run), prepared, self._limits(run))

    def trials_left(self, digest: str) -> list[PlannedRun]:
        """Return the last runs of a study's trials that have yet to end, of those that it has asked for."""
        return [chain[-1] for waiting in self._open.values() for study, chain in waiting if study == digest]

    def _limits(self, run: PlannedRun) -> tuple[tuple[int, float], ...]:
        """The limits of the study that waits for the run; none where several do, or where the plan needs the run in full."""
        waiting = self._open.get(run.key, [])
        if len(waiting) != 1 or run.key in self._needed or self.plan.runs.get(run.key, run).kind != "trial":
            return ()
        return self.searches[waiting[0][0]].limits(run.key)

    def _study(self, run: PlannedRun) -> str | None:
        """The study that decides a value of the run."""
        return self.plan.study_of(run.key) if run.key in self.plan.runs else None

    def _resolved(self, run: PlannedRun) -> RunSpec:
        """The spec with a value for all that studies decide."""
        study = self._study(run)
        return run.spec if study is None else resolved(run.spec, dict(self.winners[study].values))

    def _admit(self, run: PlannedRun) -> Iterator[Event]:
        if run.key in self.known:
            return
        self.known[run.key] = run
        if state := self._ended_early(run):
            yield Event("skipped", run.name, state, run.key)
            yield from self.dispatch.offer(run) if state == "pruned" else ()
            return
        study, start = self._study(run), run.spec.start
        needs = [study] if study is not None and study not in self.winners else []
        if not self.ledger.done(run.key):
            needs += [start] if start is not None else []
        elif not needs:
            yield from self._skip(run)
            return
        if not self.schedule.add(run, needs):
            yield self._give_up(run, next(self._lost[need] for need in needs if need in self._lost))

    def _skip(self, run: PlannedRun) -> Iterator[Event]:
        yield Event("skipped", run.name, key=run.key)
        yield from self.dispatch.offer(run)
        yield from self._finish(run)

    def _ended_early(self, run: PlannedRun) -> str:
        """How a run that only trials need has ended, "diverged" or "pruned"; empty where it is done or has yet to be trained."""
        if not self._only_tried(run) or self.ledger.done(run.key):
            return ""
        if self.ledger.pruned(run.key):
            self._pruned.add(run.key)
            return "pruned"
        own = [key for key in (run.key, run.spec.start) if key is not None and key in self._tried | {run.key}]
        return "diverged" if any(self.ledger.diverged(key) and not self.ledger.done(key) for key in own) else ""

    def _only_tried(self, run: PlannedRun) -> bool:
        """Whether a run is a trial, or what trials alone start from."""
        tried = run.key in self._tried or self.plan.runs.get(run.key, run).kind == "trial"
        return tried and run.key not in self._needed

    def _counts(self, key: str) -> bool:
        """Whether the failure of a run is an outcome for its study. One of an earlier time is tried again."""
        return key in self._failed and failure_counts(self.plan, self.ledger, key)

    def _advance(self, digest: str) -> Iterator[Event]:
        """Open the trials that a study asks for, and note its winner where all of them have ended."""
        search = self.searches[digest]
        while isinstance(step := search.advance(), list):
            for chain in step:
                yield from self._open_trial(digest, chain)
        if isinstance(step, Winner):
            yield from self._decide(digest, search, step)
        elif search.hopeless:
            why = "whose trials have all diverged; smaller `tuning.factors` may help unless their reasons say otherwise"
            yield from self._lose(digest, f"the study of {search.name}, {why}")
            if self.plan.seeds_tune:
                yield Event("failed", search.name, f"it needs its study, {why}")
            if self.plan.failures_count:
                yield Event("failed", search.name, "all its trials have diverged or failed; other ranges under `search` may help")

    def _open_trial(self, digest: str, chain: Links) -> Iterator[Event]:
        """Plan a chain of runs of a trial, and book it where it has ended before."""
        last = chain[-1]
        self._tried |= {run.key for run in chain[:-1]}
        for run in chain:
            yield from self._admit(run)
        if last.key in self._pruned and (digest, last.key) in self._weighed:
            self._pruned.discard(last.key)  # it goes on, for this study
            self.schedule.push(last)
        if self._over(chain):
            self._book(digest, chain)
        elif last.key in self._failed:
            yield from self._lose(digest, f"{last.name}, which has failed")
        else:
            self._open.setdefault(last.key, []).append((digest, chain))

    def _over(self, chain: Links) -> bool:
        """Whether a trial's runs at a seed have ended, whatever came of them."""
        last = chain[-1].key
        return last in self._done | self._pruned or self._diverged(chain) or any(self._counts(run.key) for run in chain)

    def _diverged(self, chain: Sequence[PlannedRun]) -> bool:
        return any(self.ledger.diverged(run.key) and not self.ledger.done(run.key) for run in chain)

    def _book(self, digest: str, chain: Links) -> None:
        self.searches[digest].book(chain)
        if chain[-1].key in self._pruned:
            self._weighed.add((digest, chain[-1].key))

    def _decide(self, digest: str, search: Search, won: Winner) -> Iterator[Event]:
        """Note what a study has decided; where it is that of a cell, the trial is now the cell's last run."""
        self.winners[digest] = won
        self.schedule.meet(digest)
        if won.left or not self.plan.seeds_tune:
            yield Event("winner", search.name, told(won), digest)
        if self.plan.seeds_tune:
            yield from self.dispatch.offer(self.plan.final(digest, search.trials[won.key]))

    def _finish(self, run: PlannedRun) -> Iterator[Event]:
        self._done.add(run.key)
        self.schedule.meet(run.key)
        yield from self._tell(run.key)

    def _tell(self, key: str) -> Iterator[Event]:
        """Tell the studies that asked for it that a trial has ended."""
        for digest, chain in self._open.pop(key, ()):
            self._book(digest, chain)
            yield from self._advance(digest)

    def _fail(self, run: PlannedRun, reason: str) -> Iterator[Event]:
        """Enter a run that has come to nothing. That is no failure of a trial that has diverged, nor of a pretraining that only
        trials start from."""
        self._failed.add(run.key)
        diverged = self._only_tried(run) and self.ledger.diverged(run.key)
        yield Event("diverged" if diverged else "failed", run.name, reason, run.key)
        yield from self._lose(run.key, f"{run.name}, which has failed")

    def _lose(self, need: str, what: str) -> Iterator[Event]:
        """Fail what needs a run or a study that will not be there. For a study a trial without it has ended, where that counts;
        else the study decides nothing."""
        pending, over = [need], []
        while pending:
            lost = pending.pop()
            self._lost.setdefault(lost, what)
            for run in self.schedule.lose(lost):
                pending.append(run.key)
                yield self._give_up(run, what)
            for digest, chain in self._open.pop(lost, ()):
                if self._over(chain):
                    over.append((digest, chain))
                else:
                    pending.append(digest)
        for digest, chain in over:
            self._book(digest, chain)
            yield from self._advance(digest)

    def _give_up(self, run: PlannedRun, what: str) -> Event:
        waiting = self._open.get(run.key, ())
        self._failed.add(run.key)
        self._lost[run.key] = f"{run.name}, which has failed"
        diverged = bool(waiting) and all(self._diverged(chain) for _, chain in waiting)
        return Event("diverged" if diverged else "failed", run.name, f"it needs {what}", run.key)
