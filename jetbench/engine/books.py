"""The driver's books: what waits, what runs here or elsewhere, what is done, and which studies have their winner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jetbench.engine.cards import run_card
from jetbench.engine.prepare import Prepared
from jetbench.engine.schedule import Schedule
from jetbench.engine.studies import Search
from jetbench.engine.survey import reopen_reclaimed
from jetbench.engine.worker import Outcome, publish, trained_elsewhere
from jetbench.errors import StoreError
from jetbench.runs.job import Job
from jetbench.spec import RunSpec
from jetbench.suites.parameters import decided
from jetbench.suites.plan import Plan, PlannedRun
from jetbench.suites.winner import Winner
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import RunCard, Tracker

__all__ = ["Books", "Event"]


@dataclass(frozen=True)
class Event:
    """What the caller may show. A "done" run was trained here, a "skipped" one before or by another process. A "diverged" one is
    a trial whose loss did not stay finite: the worst of its study, and no failure. "elsewhere" says that another process trains
    it now, "tick" that nothing has happened for a while."""

    kind: Literal["done", "diverged", "failed", "skipped", "elsewhere", "winner", "unpublished", "tick"]
    name: str = ""
    text: str = ""
    key: str = ""


RANK = {"pretrain": 0, "trial": 1, "final": 2, "check": 2}


def _rank(run: PlannedRun) -> tuple[int, int]:
    """What others wait for goes first, the longest first among equals."""
    return RANK[run.kind], -run.spec.recipe.passes


class Books:
    """The state of one execution. Each entry yields what the caller may show, and costs what it changes, not what is planned."""

    def __init__(self, plan: Plan, store: Store, tracker: Tracker) -> None:
        self.plan, self.store, self.tracker = plan, store, tracker
        self.ledger = Ledger(store.work)
        self.searches = {digest: Search(plan, digest, self.ledger) for digest in plan.studies}
        self.winners: dict[str, Winner] = {}
        self.schedule = Schedule(_rank)
        self.elsewhere: dict[str, tuple[PlannedRun, float]] = {}
        self._known: set[str] = set()
        self._done: set[str] = set()
        self._failed: set[str] = set()
        self._lost: dict[str, str] = {}  # runs and studies that will not be there, and what is to be said of each
        self._studies_of: dict[str, list[str]] = {}  # by the key of an open trial

    def open(self) -> Iterator[Event]:
        """Enter every run; what is whole from an earlier time is only published where it is not yet."""
        reopen_reclaimed(self.plan, self.ledger)
        for digest in self.searches:
            yield from self._advance(digest)
        for run in self.plan.runs.values():
            yield from self._admit(run)

    def book(self, run: PlannedRun, outcome: Outcome) -> Iterator[Event]:
        """Enter how a run has ended."""
        if outcome.status == "busy":
            self.elsewhere[run.key] = run, time.time()
            yield Event("elsewhere", run.name, key=run.key)
        elif outcome.status == "done":
            yield Event("done" if outcome.trained else "skipped", run.name, key=run.key)
            yield from self._finish(run)
        elif run.kind == "trial" and self.ledger.diverged(run.key):
            yield Event("diverged", run.name, outcome.reason, run.key)
            yield from self._tell(run.key)
        else:
            yield from self._fail(run, outcome.reason)
        if outcome.unpublished:
            yield Event("unpublished", run.name, outcome.unpublished, run.key)

    def look_elsewhere(self) -> Iterator[Event]:
        """Take back the runs that other processes no longer train: to publish, to fail or to train them here."""
        for key, (run, since) in list(self.elsewhere.items()):
            if trained_elsewhere(self.ledger.run(key)):
                continue
            del self.elsewhere[key]
            reason = self.ledger.failure(key, since)
            if reason is not None and run.kind == "trial" and self.ledger.diverged(key):
                yield from self.book(run, Outcome(key, "failed", reason=reason))
            elif reason is not None and not self.ledger.done(key):
                yield from self._fail(run, reason)
            else:
                self.schedule.push(run)

    def close(self) -> Iterator[Event]:
        """Fail what waits for something that nobody makes."""
        for run in self.schedule.drain():
            yield self._give_up(run, "a run that is not part of the plan")

    def card(self, run: PlannedRun) -> RunCard:
        return run_card(self.plan, run, self._resolved(run), self.ledger)

    def job(self, run: PlannedRun, prepared: Prepared) -> Job:
        spec = self._resolved(run)
        return Job(
            key=run.key,
            instance=self.plan.instance.name,
            spec=spec,
            store=self.store.root,
            dataset=prepared.dataset,
            unlabelled=prepared.unlabelled if spec.unlabelled else None,
            table=prepared.tables.get(spec.view.name),
            also_test=prepared.also_test if spec.also_test else None,
            also_table=prepared.also_tables.get(spec.view.name),
        )

    def _study(self, run: PlannedRun) -> str | None:
        """The study that decides a value of the run."""
        return self.plan.study_of(run.key) if run.key in self.plan.runs else None

    def _resolved(self, run: PlannedRun) -> RunSpec:
        """The spec with a value for all that studies decide."""
        study = self._study(run)
        return run.spec if study is None else decided(run.spec, dict(self.winners[study].values))

    def _admit(self, run: PlannedRun) -> Iterator[Event]:
        if run.key in self._known:
            return
        self._known.add(run.key)
        if run.kind == "trial" and self.ledger.diverged(run.key):
            yield Event("skipped", run.name, "diverged", run.key)
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
        yield from self._publish(run)
        yield from self._finish(run)

    def _publish(self, run: PlannedRun) -> Iterator[Event]:
        """Ship what the tracker lacks of a finished run."""
        try:
            held = self.tracker.holds(run.key, self.ledger.run(run.key), sealed=run.kind == "trial")
            trouble = "" if held else publish(self.card(run), self.tracker)
        except StoreError as error:
            trouble = str(error)
        if trouble:
            yield Event("unpublished", run.name, trouble, run.key)

    def _advance(self, digest: str) -> Iterator[Event]:
        """Plan the open round of a study, and note its winner where all rounds are finished."""
        search = self.searches[digest]
        while isinstance(step := search.advance(), list):
            for trial in step:
                yield from self._admit(trial)
                if trial.key in self._done or self.ledger.diverged(trial.key):
                    search.book(trial.key)
                elif trial.key in self._failed:
                    yield from self._lose(digest, f"{trial.name}, which has failed")
                else:
                    self._studies_of.setdefault(trial.key, []).append(digest)
        if isinstance(step, Winner):
            yield from self._decide(digest, search, step)
        elif search.hopeless:
            why = "whose trials have all diverged; smaller `tuning.factors` may help"
            yield from self._lose(digest, f"the study of {search.name}, {why}")
            if self.plan.seeds_tune:
                yield Event("failed", search.name, f"it needs its study, {why}")

    def _decide(self, digest: str, search: Search, won: Winner) -> Iterator[Event]:
        """Note what a study has decided; where it is that of a cell, the trial is now the cell's last run."""
        self.winners[digest] = won
        self.schedule.meet(digest)
        if won.left or not self.plan.seeds_tune:
            yield Event("winner", search.name, _told(won), digest)
        if self.plan.seeds_tune:
            yield from self._publish(self.plan.final(digest, search.trials[won.key]))

    def _finish(self, run: PlannedRun) -> Iterator[Event]:
        self._done.add(run.key)
        self.schedule.meet(run.key)
        yield from self._tell(run.key)

    def _tell(self, key: str) -> Iterator[Event]:
        """Tell the studies that asked for it that a trial has ended."""
        for digest in self._studies_of.pop(key, ()):
            self.searches[digest].book(key)
            yield from self._advance(digest)

    def _fail(self, run: PlannedRun, reason: str) -> Iterator[Event]:
        self._failed.add(run.key)
        yield Event("failed", run.name, reason, run.key)
        yield from self._lose(run.key, f"{run.name}, which has failed")

    def _lose(self, need: str, what: str) -> Iterator[Event]:
        """Fail what needs a run or a study that will not be there; a study that lacks a trial decides nothing."""
        pending = [need]
        while pending:
            lost = pending.pop()
            self._lost.setdefault(lost, what)
            pending += self._studies_of.pop(lost, ())
            for run in self.schedule.lose(lost):
                pending.append(run.key)
                yield self._give_up(run, what)

    def _give_up(self, run: PlannedRun, what: str) -> Event:
        self._failed.add(run.key)
        self._lost[run.key] = f"{run.name}, which has failed"
        return Event("failed", run.name, f"it needs {what}", run.key)


def _told(won: Winner) -> str:
    if not won.left:
        return f"{won.text}, the recipe's own"
    lead = f", ahead of the recipe by {won.gain:.2g} ± {won.gain_error:.1g} in the validation loss" if won.gain else ""
    edge = "; it is at the edge of what was tried: widen the range" if won.at_edge else ""
    return f"{won.text}{lead}{edge}"
