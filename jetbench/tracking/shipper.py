"""Ships a run's journal while it trains, so rarely that it costs less than a hundredth of the time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from jetbench.tracking.tracker import RunCard, Status, Tracker

__all__ = ["Shipper"]

SHORTEST, LONGEST, RATIO = 5.0, 600.0, 100.0


class Shipper:
    """Used by the job that watches one training child; one Shipper per attempt.

    `pump` may be called as often as one likes: it ships when max(5 s, 100 × the last cost) have passed, at most 10 min, so that
    a store that was away is tried again. StoreError from the tracker passes through `pump` and `close`; nothing is lost by it.
    """

    def __init__(self, tracker: Tracker, run: RunCard) -> None:
        self.tracker = tracker
        self.run = run
        self.cost = 0.0
        self._since = 0
        self._due = 0.0

    def pump(self) -> bool:
        """Ship if it is time to; tells whether it was."""
        if time.monotonic() < self._due:
            return False
        self._ship()
        return True

    def close(self, status: Status, artifacts: Sequence[Path] = ()) -> None:
        """Ship what is left and close the run in the tracker."""
        self._ship()
        self.tracker.finish(self.run, status, artifacts)

    def _ship(self) -> None:
        start = time.monotonic()
        try:
            self.tracker.awake()
            self._since = self.tracker.publish(self.run, self._since)
        finally:
            end = time.monotonic()
            self.cost = end - start
            self._due = end + min(max(SHORTEST, RATIO * self.cost), LONGEST)
