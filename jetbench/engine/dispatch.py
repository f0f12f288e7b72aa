"""What the tracker is sent of runs that are not under way, and what it could not take."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jetbench.engine.attend import publish
from jetbench.engine.events import Event
from jetbench.errors import StoreError
from jetbench.suites.graph import PlannedRun
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.tracker import RunCard, Status, Tracker

__all__ = ["Dispatch"]


class Dispatch:
    """Sends runs by their `card`. By key, `sent` are those that it has sent, and `left` those that the tracker could not take."""

    def __init__(self, ledger: Ledger, tracker: Tracker, card: Callable[[PlannedRun], RunCard]) -> None:
        self.ledger, self.tracker, self.card = ledger, tracker, card
        self.sent: dict[str, PlannedRun] = {}
        self.left: dict[str, PlannedRun] = {}
        self._absence = ""  # why nobody could be reached: where packets are dropped, each question costs seconds

    def offer(self, run: PlannedRun) -> Iterator[Event]:
        """Send a run that has ended where the tracker lacks something of it; once nobody was to be reached, keep it unasked."""
        if self._absence:
            yield self.keep(run, self._absence)
            return
        try:
            held = self.tracker.holds(run.key, self.ledger.run(run.key), sealed=run.kind == "trial", status=self._status(run.key))
        except StoreError as error:
            yield self.keep(run, str(error))
            return
        if not held:
            yield from self._send(run)

    def keep(self, run: PlannedRun, trouble: str) -> Event:
        """Note that a run is to be sent again."""
        self.left[run.key] = run
        return Event("unpublished", run.name, trouble, run.key)

    def again(self) -> Iterator[Event]:
        """Send what is left, unless nobody can be reached; "published" events tell of what is no longer."""
        self._absence = self._look()
        for run in list(self.left.values()):
            if self._absence:
                return
            if not self.ledger.run(run.key).under_way():
                yield from self._send(run)

    def _send(self, run: PlannedRun) -> Iterator[Event]:
        """As what it has ended: finished, failed or stopped; of what was kept it is told."""
        trouble = publish(self.card(run), self.tracker, self._status(run.key))
        if trouble:
            self._absence = self._look()  # the trouble may be this run's alone
            yield self.keep(run, trouble)
        else:
            self.sent[run.key] = run
            if self.left.pop(run.key, None):
                yield Event("published", run.name, key=run.key)

    def _look(self) -> str:
        """Why nobody can be reached; empty where somebody can."""
        try:
            self.tracker.awake()
        except StoreError as error:
            return str(error)
        return ""

    def _status(self, key: str) -> Status:
        if self.ledger.done(key) or self.ledger.pruned(key):
            return "FINISHED"
        return "KILLED" if self.ledger.failure(key) is None else "FAILED"
