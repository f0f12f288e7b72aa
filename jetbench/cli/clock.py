"""How long a running suite takes still, as far as its finished runs tell."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jetbench.engine.events import Event
    from jetbench.spec import RunSpec
    from jetbench.suites.graph import Graph
    from jetbench.tracking.ledger import Ledger

__all__ = ["ENDED", "Clock", "in_words", "unknown_runs"]

ENDED = ("done", "diverged", "pruned", "failed", "skipped")  # events by which a run has come to its end


class Clock:
    """The time that the runs of a plan take still: at the rate since the first of them was begun, model by model as the finished
    ones have turned out."""

    def __init__(self, plan: Graph, ledger: Ledger) -> None:
        from jetbench.engine.pace import Remaining

        self.ledger, self.unknown = ledger, unknown_runs(plan)
        self.specs = {key: run.spec for key, run in plan.runs.items()}
        self.remaining = Remaining([*self.specs.values(), *self.unknown])
        self.start: float | None = None

    def book(self, event: Event) -> None:
        """Take the run of an event by which it has ended from what is left."""
        if not event.key or event.kind not in ENDED:
            return
        if (spec := self.specs.get(event.key)) is not None:
            self.remaining.book(spec, trained=event.kind != "skipped")
            self.remaining.measured.add([(event.key, spec)], self.ledger)
        elif self.unknown:
            self.remaining.book(self.unknown.pop(), trained=event.kind != "skipped")

    def left(self) -> str:
        """Say the time left; nothing before the first run has ended. The clock starts when it is asked first."""
        now = time.monotonic()
        self.start = now if self.start is None else self.start
        seconds = self.remaining.left(now - self.start)
        return "" if not seconds else in_words(seconds)


def unknown_runs(plan: Graph) -> list[RunSpec]:
    """Return the runs of the trials that searches have yet to choose."""
    from jetbench.engine.survey import searched

    return [run for digest, count in searched(plan).items() for _ in range(count) for run in plan.studies[digest].chain]


def in_words(seconds: float) -> str:
    """Say a time left."""
    return f"{seconds:.0f} s left" if seconds < 90 else f"{seconds / 60:.0f} min left"
