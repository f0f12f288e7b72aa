"""What a running suite shows: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

import click

from jetbench.cli.clock import ENDED, Clock, in_words, unknown_runs
from jetbench.errors import StoreError

if TYPE_CHECKING:
    from jetbench.api import Execution
    from jetbench.engine.events import Event
    from jetbench.suites.graph import Graph

__all__ = ["display", "publish_page", "resumable", "show_progress", "show_shipping", "told"]

INTERRUPTED, TERMINATED = 130, 143  # what a shell reports of a command that Ctrl-C or SIGTERM ended
EVERY = 10.0  # seconds between lines where there is no terminal


@dataclass
class Work:
    """One thing that is being done, `done` of `total`, since `start` [s]; `begun` was there before."""

    what: str
    total: float
    start: float = field(default_factory=time.monotonic)
    begun: float = 0.0
    done: float = 0.0

    def left(self) -> str:
        """Say the time left at the rate so far."""
        now = time.monotonic()
        if self.done <= self.begun or self.done >= self.total:
            return ""
        return in_words((now - self.start) * (self.total - self.done) / (self.done - self.begun))


class Display:
    """Prints lines to a rich console, with a bar below them where it is a terminal."""

    def __init__(self, console: Any, bar: Any) -> None:
        self.console, self.bar = console, bar
        self.work: Work | None = None
        self.task: Any = None
        self.printed = 0.0

    def update(self, what: str, done: float, total: float, text: str = "", left: str | None = None) -> None:
        """Show that `done` of `total` of `what` is done, and the time `left` where somebody knows better than the rate so far; a
        new `what` begins anew."""
        if self.work is None or self.work.what != what:
            self._finish()
            self.work = Work(what, total, begun=done)
            self.printed = time.monotonic()
            self.task = self.bar.add_task(what, total=total, notes="")
        ended = done == total and self.work.done != total
        self.work.done, self.work.total = done, total
        notes = "  ".join(part for part in (text or self._rate(), self.work.left() if left is None else left) if part)
        self.bar.update(self.task, completed=done, total=total, notes=notes)
        if not self.console.is_terminal and (time.monotonic() - self.printed > EVERY or ended):
            self.printed = time.monotonic()
            self.line(f"{what}: {100 * done / max(total, 1):.0f} %  {notes}")

    def _rate(self) -> str:
        assert self.work is not None
        seconds = time.monotonic() - self.work.start
        rate = (self.work.done - self.work.begun) / seconds if seconds > 1 else 0
        return f"{self.work.done:.0f}/{self.work.total:.0f}" + (f"  {rate:.0f}/s" if rate else "")

    def line(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def _finish(self) -> None:
        if self.task is not None:
            self.bar.remove_task(self.task)


@contextmanager
def display(stderr: bool = False) -> Iterator[Display]:
    """Show a display while inside; on standard error where the command's output is a result that may be piped."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[notes]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Display(console, bar)


class Terminated(KeyboardInterrupt):
    """SIGTERM, as a batch system sends it before it takes a machine back."""


class Told:
    """What a signal has told the command. The exception that it raises may get lost: Python drops one that comes up within a
    callback of its garbage collector, and libraries have such."""

    def __init__(self) -> None:
        self.stop: type[KeyboardInterrupt] | None = None

    def check(self) -> None:
        """Raise again what was told."""
        if self.stop is not None:
            raise self.stop


told = Told()


@contextmanager
def resumable() -> Iterator[None]:
    """End the command on Ctrl-C or SIGTERM inside with a sentence in place of a traceback, once what it interrupts is safe. What
    goes on for long asks `told` now and then."""
    try:
        with _hearing():
            yield
    except KeyboardInterrupt as stop:
        click.echo("stopped; what is finished is kept, and the same command goes on from there", err=True)
        raise click.exceptions.Exit(TERMINATED if isinstance(stop, Terminated) else INTERRUPTED) from None
    finally:
        told.stop = None


@contextmanager
def _hearing() -> Iterator[None]:
    """SIGTERM raises `Terminated` inside, and Ctrl-C is remembered; only a process's first thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # batch systems send it twice, and the way out must not be cut short
        told.stop = Terminated
        raise Terminated

    def interrupt(number: int, frame: FrameType | None) -> None:
        told.stop = KeyboardInterrupt
        raise KeyboardInterrupt

    handlers = {signal.SIGTERM: terminate}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started the command has it ignored
        handlers[signal.SIGINT] = interrupt
    before = {sign: signal.signal(sign, handler) for sign, handler in handlers.items()}
    try:
        yield
    finally:
        for sign, handler in before.items():
            if signal.getsignal(sign) is handlers[sign]:
                signal.signal(sign, handler)


def show_progress(
    session: Execution, jobs: int | None, timeout: float | None = None, elsewhere: Mapping[str, Any] | None = None
) -> int:
    """Run the session to its end, or after `timeout` seconds to that of what has begun, here or on workers `elsewhere`;
    returns how many runs failed."""
    from jetbench.engine.changed import changed_lines
    from jetbench.suites.compared import compared_lines
    from jetbench.suites.contradictions import contradictions
    from jetbench.tracking.ledger import Ledger

    plan = session.plan
    failed = 0
    tally, clock = Tally.of(plan), Clock(plan, Ledger(session.store.work))
    with display() as show:
        show.line(f"{plan.instance.name}: {tally.runs} runs, results in {session.store.root}")
        for line in plan.skipped_lines():
            show.line(f"skipped {line}")
        for line in compared_lines(plan):
            show.line(line)
        for line in (*contradictions(plan), *changed_lines(plan, session.store)):
            show.line(f"! {line}")
        # closed at once where an exception passes, so that the children have their checkpoints before anything is said
        with closing(session.run(jobs, progress=show.update, timeout=timeout, **(elsewhere or {}))) as events:
            for event in events:
                told.check()
                failed += event.kind == "failed"
                _tell(show.line, event, first=tally.first(event))
                tally.book(event)
                clock.book(event)
                if tally.running or event.kind == "tick":
                    show.update("training", tally.done, tally.total, f"{tally.ended}/{tally.runs} runs", clock.left())
        for line in tally.alike():
            show.line(line)
        if tally.skipped:
            also = " or by another process" if tally.elsewhere else ""
            show.line(f"{tally.skipped} runs were finished before{also}")
        if tally.unpublished:
            show.line(f"{len(tally.unpublished)} runs are not in MLflow yet; `jetbench store sync` ships them")
    return failed


def show_shipping(session: Execution) -> tuple[str, int]:
    """Ship what the tracker lacks; returns in words what was sent, and how many runs it could not take."""
    from jetbench.report.words import count, joined

    runs, name = Tally.of(session.plan).runs, session.plan.instance.name
    seen, sent, unsent, others = set[str](), set[str](), set[str](), list[str]()
    with display(stderr=True) as show:
        show.line(f"{name}: asking {session.store.uri} for {runs} runs and the page")
        for event in session.sync():
            if event.kind == "unpublished":
                unsent.add(event.key)
                show.line(f"not in MLflow yet: {event.name}: {event.text}")
            elif event.kind == "published":
                sent.add(event.key) if event.key else others.append(event.name)
            seen |= {event.key} if event.kind == "skipped" else set()
            show.update(name, min(len(seen), runs), runs, f"{count(len(sent), 'run')} shipped")
    return joined([*([count(len(sent), "run")] if sent else []), *others]), len(unsent)


def publish_page(session: Execution, publish: Callable[[], object]) -> bool:
    """Ship a page that is written, and tell whether that was done; of a server that cannot take it now people are told."""
    try:
        publish()
    except StoreError as error:
        if session.store.tracking_uri is None:
            raise
        click.echo(f"the page is not in MLflow yet: {error}", err=True)
        return False
    return True


@dataclass
class Tally:
    """Costs of the runs that have ended, and which are `unpublished`, for what was `told`. A search chooses its trials as it
    goes: `unknown` are what these will cost, one by one, and each is booked with their mean. `failures` are the names of failed
    runs by the text of their failure."""

    costs: dict[str, float]
    unknown: list[float] = field(default_factory=list)
    done: float = 0.0
    ended: int = 0
    skipped: int = 0
    running: bool = False
    elsewhere: bool = False
    unpublished: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    failures: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Graph) -> Self:
        from jetbench.engine.pace import run_cost

        unknown = [run_cost(run) for run in unknown_runs(plan)]
        return cls({key: run_cost(run.spec) for key, run in plan.runs.items()}, unknown)

    def __post_init__(self) -> None:
        self.total = sum(self.costs.values()) + sum(self.unknown)
        self.runs = len(self.costs) + len(self.unknown)

    def first(self, event: Event) -> bool:
        """Tell whether nothing like it was told before: of runs that others train, one cause keeps back, or fail alike."""
        if event.kind == "failed":
            return event.text not in self.failures
        return event.text not in self.told if event.kind == "unpublished" else not self.elsewhere

    def alike(self) -> list[str]:
        """Say how many runs have failed in the same way as one that was told of."""
        counted = [(names[0], len(names) - 1) for names in self.failures.values() if len(names) > 1]
        return [f"{more} more run{'' if more == 1 else 's'} FAILED as {name} has" for name, more in counted]

    def book(self, event: Event) -> None:
        self.elsewhere |= event.kind == "elsewhere"
        if event.kind == "failed":
            self.failures.setdefault(event.text, []).append(event.name)
        if event.kind == "unpublished":
            self.told.add(event.text)
            self.unpublished |= {event.key} if event.key else set()
        elif event.kind == "published":
            self.unpublished.discard(event.key)
        if event.key and event.kind in ENDED:
            self.done += self.costs[event.key] if event.key in self.costs else sum(self.unknown) / len(self.unknown)
            self.ended += 1
            self.skipped += event.kind == "skipped"
            self.running |= event.kind != "skipped"


def _tell(line: Callable[[str], None], event: Event, first: bool) -> None:
    """A line for what a user wants to know at once; finished runs are counted by the bar."""
    if event.kind == "elsewhere" and first:
        line(f"another process trains {event.name} and perhaps others of these runs; they are taken from it when it has them")
    if event.kind == "winner":
        line(f"tuned {event.name}: {event.text}")
    elif event.kind == "diverged":
        line(f"diverged {event.name}: {event.text}; it is the worst of its study")
    elif event.kind == "failed" and first:
        line(f"FAILED {event.name}: {event.text}")
    elif event.kind == "unpublished" and first:
        line(f"not in MLflow yet: {event.name}: {event.text}")
