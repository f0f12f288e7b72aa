"""What a suite or study is doing now: how far each run is, how fast, and how long it takes still. Read from the store alone, so
that it is the same whoever runs it, and after a crash."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from jetbench.engine.forecast import duration, forecast, measure
from jetbench.engine.graph import counted
from jetbench.engine.pace import RUN_SECONDS, Measured, run_passes
from jetbench.engine.survey import ENDED, State, Survey, survey
from jetbench.errors import StoreError
from jetbench.files import is_locked
from jetbench.suites.graph import Graph, PlannedRun
from jetbench.tracking.journal import read
from jetbench.tracking.ledger import Ledger, RunFolder
from jetbench.tracking.store import Store

__all__ = ["Progress", "Status", "Watcher"]

PASSES = "train/passes"


@dataclass(frozen=True)
class Progress:
    """How far a run is: passes of those of its recipe as of its last epoch, passes per second of this attempt (None before its
    first epoch has ended), and the seconds that it still takes."""

    name: str
    passes: float
    total: float
    rate: float | None
    left: float

    @property
    def text(self) -> str:
        share = f"{100 * min(1.0, self.passes / self.total):3.0f} %" if self.total else "     "
        rate = "" if self.rate is None else f"  {self.rate:.0f} passes/s"
        left = f"  {_seconds(self.left)} left" if self.left else ""  # none: it takes longer than was estimated
        return f"{share}  {self.name}{rate}{left}"


@dataclass(frozen=True)
class Status:
    """An instance at one moment: the state of its runs, how far those under way are, and the seconds that all takes still.
    `active` tells whether a process runs the instance, or jobs of an array some of its runs."""

    found: Survey
    running: list[Progress]
    stopped: list[Progress]
    reasons: Mapping[str, str]
    left: float
    active: bool

    @property
    def finished(self) -> bool:
        """Whether nothing is left that could run: all has ended, or waits for what has failed. A search that can go on has asked
        for trials, so that those it has yet to choose need no look."""
        able = {key for key, state in self.found.states.items() if state not in ENDED and state != "failed"}
        return able <= self.found.blocked

    @property
    def line(self) -> str:
        """All in one line."""
        states = Counter(self.found.states.values())
        states["planned"] += sum(self.found.unknown.values())
        done = f"{states['done']} of {states.total()} runs done"
        rest = counted(state for state in states.elements() if state != "done")
        rate = sum(one.rate or 0.0 for one in self.running)
        ending = "finished" if not self.found.open else f"{duration(self.left)} left"
        return ", ".join(part for part in (done, rest, f"{rate:.0f} passes/s" if rate else "", ending) if part)

    def lines(self) -> Iterator[str]:
        """Yield the line of all, a line per run under way or stopped, and one per reason of failures, with the first run of it
        and how many more there are."""
        yield self.found.plan.instance.name
        yield self.line
        yield from (f"  running  {one.text}" for one in self.running)
        yield from (f"  stopped  {one.text}" for one in self.stopped)
        for (state, reason), names in self._failures().items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield f"  {state:<8} {names[0]}{more}: {reason}"
        if blocked := len(self.found.blocked):
            yield f"  {blocked} runs wait for what has failed"
        if not self.finished and not self.active:
            command = "jetbench run" if self.found.plan.instance.kind == "suite" else "jetbench study run"
            yield f"no process runs it; `{command}` with the same options goes on from here"

    def _failures(self) -> dict[tuple[State, str], list[str]]:
        """The names of failed runs by their state and reason."""
        found: dict[tuple[State, str], list[str]] = {}
        for key, reason in self.reasons.items():
            found.setdefault((self.found.states[key], " ".join(reason.split())), []).append(self.found.runs[key].name)
        return found


@dataclass
class Watcher:
    """Looks at an instance again and again; runs that have ended are looked at once."""

    plan: Graph
    store: Store
    trainings: int
    simulations: int
    clock: Callable[[], float] = time.time
    _ended: dict[str, State] = field(default_factory=dict)
    _measured: Measured | None = None
    _counted: set[str] = field(default_factory=set)

    def look(self) -> Status:
        """Return the status as it is now."""
        ledger = Ledger(self.store.work)
        driven = is_locked(self.store.lock_of(self.plan.instance.name))
        found = survey(self.plan, ledger, self._ended)
        done = {key for key, state in found.states.items() if state == "done"}
        if self._measured is None:
            self._measured = measure(found, self.store)
        else:  # what has ended meanwhile tells more of the rest
            self._measured.add(((key, found.runs[key].spec) for key in done - self._counted), ledger)
        self._counted = done
        running, stopped = (self._progress(found, ledger, state) for state in ("running", "stopped"))
        ill = [key for key, state in found.states.items() if state in ("failed", "diverged")]
        reasons = {key: ledger.failure(key) or "" for key in ill}
        left = forecast(found, self._measured)
        begun = {**running, **stopped}
        whole = sum(self._whole(found.runs[key]) for key in begun)
        training = left.training - whole + sum(one.left for one in begun.values())
        places = max(self.trainings, len(running))  # who runs it may have asked for more than there are cores
        seconds = replace(left, training=training).seconds(places, self.simulations)
        longest = max((one.left for one in running.values()), default=0.0)
        active = driven or bool(running)
        return Status(found, list(running.values()), list(stopped.values()), reasons, max(seconds, longest), active)

    def _whole(self, run: PlannedRun) -> float:
        """The seconds that all of a run should take."""
        assert self._measured is not None
        return self._measured.seconds(run.spec, run_passes(run.spec)) + RUN_SECONDS

    def _progress(self, found: Survey, ledger: Ledger, state: State) -> dict[str, Progress]:
        """How far the runs in a state are, by key."""
        runs = [found.runs[key] for key, one in found.states.items() if one == state]
        return {run.key: self._look_into(run, ledger.run(run.key), state == "running") for run in runs}

    def _look_into(self, run: PlannedRun, folder: RunFolder, running: bool) -> Progress:
        total, whole = float(run_passes(run.spec)), self._whole(run)
        points = _epochs(folder)
        passes = points[-1][1] if points else 0.0
        left = whole * (1 - passes / total) if total else whole
        if not running:
            return Progress(run.name, passes, total, None, max(0.0, left))
        rate, since = _rate(points, _began(folder))
        if rate is not None:
            left = (total - passes) / rate + RUN_SECONDS
        return Progress(run.name, passes, total, rate, max(0.0, left - (self.clock() - since)))


def _epochs(folder: RunFolder) -> list[tuple[float, float]]:
    """When each epoch has ended, in unix seconds, and the passes by then; none of a damaged journal, which is begun anew."""
    try:
        return [(one.time, one.metrics[PASSES]) for one in read(folder.journal)[0] if PASSES in one.metrics]
    except StoreError:
        return []


def _began(folder: RunFolder) -> float:
    """When this attempt at a run began, in unix seconds: it writes down its machine first of all."""
    try:
        return folder.environment.stat().st_mtime
    except OSError:
        return time.time()


def _rate(points: list[tuple[float, float]], began: float) -> tuple[float | None, float]:
    """Passes per second of an attempt as of its last epoch, and when that ended; None, and its beginning, before the first."""
    fresh = [point for point in points if point[0] > began]
    if not fresh:
        return None, began
    before = points[len(points) - len(fresh) - 1][1] if len(points) > len(fresh) else 0.0
    ended, passes = fresh[-1]
    return (passes - before) / (ended - began), ended


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
