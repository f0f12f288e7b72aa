"""Who waits for whom. Every operation costs what it changes, never what is planned."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from jetbench.suites.graph import PlannedRun

__all__ = ["Schedule", "rank"]

RANK = {"pretrain": 0, "trial": 1, "final": 2, "check": 2}


def rank(run: PlannedRun) -> tuple[int, int]:
    """Order runs that are ready: what others wait for goes first, the longest first among equals."""
    return RANK[run.kind], -run.spec.recipe.passes


class Schedule:
    """Runs that are yet to begin, each with the number of things that it still needs.

    A need is the key of a run that it starts from, or of a study that decides one of its values. Ready runs come by `rank`,
    smallest first, among equals in the order in which they became ready.
    """

    def __init__(self, rank: Callable[[PlannedRun], Any]) -> None:
        self._rank = rank
        self._order = count()
        self._met: set[str] = set()
        self._lost: set[str] = set()
        self._waiting: dict[str, tuple[PlannedRun, int]] = {}
        self._needed_by: dict[str, list[str]] = {}
        self._ready: list[tuple[Any, int, PlannedRun]] = []

    def __len__(self) -> int:
        """How many runs have not been handed out."""
        return len(self._waiting) + len(self._ready)

    @property
    def ready(self) -> bool:
        """Whether a run waits for a place alone."""
        return bool(self._ready)

    def add(self, run: PlannedRun, needs: Iterable[str]) -> bool:
        """Plan a run that begins once all that it needs is met. False, and no run planned, where some of it is lost."""
        missing = [need for need in dict.fromkeys(needs) if need not in self._met]
        if not self._lost.isdisjoint(missing):
            self._lost.add(run.key)
            return False
        if not missing:
            self.push(run)
            return True
        self._waiting[run.key] = run, len(missing)
        for need in missing:
            self._needed_by.setdefault(need, []).append(run.key)
        return True

    def push(self, run: PlannedRun) -> None:
        """Declare a run ready, whatever it needs; one that was handed out may come back."""
        heapq.heappush(self._ready, (self._rank(run), next(self._order), run))

    def pop(self) -> PlannedRun | None:
        """Hand out the first of the runs that are ready; None where none is."""
        return heapq.heappop(self._ready)[2] if self._ready else None

    def take(self, key: str) -> PlannedRun | None:
        """Hand out a certain run; None where it is not ready."""
        found = next((entry for entry in self._ready if entry[2].key == key), None)
        if found is None:
            return None
        self._ready.remove(found)
        heapq.heapify(self._ready)
        return found[2]

    def needs(self, key: str) -> list[str]:
        """Return what a run still waits for."""
        return [need for need, keys in self._needed_by.items() if key in keys]

    def meet(self, need: str) -> None:
        """Note that something is there: runs that needed nothing else are ready."""
        self._met.add(need)
        for key in self._needed_by.pop(need, ()):
            if key in self._waiting:  # else it has been lost for another need
                run, left = self._waiting.pop(key)
                if left == 1:
                    self.push(run)
                else:
                    self._waiting[key] = run, left - 1

    def lose(self, need: str) -> Iterator[PlannedRun]:
        """Note that something will not be there; yield the runs that needed it, and those that needed them, which are out."""
        pending = [need]
        while pending:
            lost = pending.pop()
            self._lost.add(lost)
            for key in self._needed_by.pop(lost, ()):
                if key in self._waiting:
                    run, _ = self._waiting.pop(key)
                    pending.append(key)
                    yield run

    def drain(self) -> Iterator[PlannedRun]:
        """Yield and forget the runs that wait for something that nobody makes."""
        while self._waiting:
            yield self._waiting.popitem()[1][0]
