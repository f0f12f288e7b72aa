"""A suite as a job array: the keys of its runs for a batch system, and what one job says of its run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jetbench.api import Session
    from jetbench.engine.array import Remaining
    from jetbench.engine.events import Event

__all__ = ["show_one", "write_list"]

FAILED, AGAIN = 1, 75  # exit statuses; the second is EX_TEMPFAIL, by which batch systems know what is to be tried again


def write_list(session: Session) -> None:
    """Write the keys on standard output, and on the other one what is to be said of runs that are not among them."""
    left = session.remaining()
    for run in left.runs:
        click.echo(run.key)
    for name, reason in left.lost.items():
        click.echo(f"not listed: {name}: {reason}", err=True)
    if left.searches:
        click.echo(_more(left), err=True)
    elif not left.runs and not left.lost:
        click.echo("nothing is left; the command without --list publishes and compares what is there", err=True)


def _more(left: Remaining) -> str:
    """Say what a later list has."""
    from jetbench.report.words import count

    first, others = left.searches[0], len(left.searches) - 1
    whose = f"{count(others + 1)} searches, {first} among them, choose" if others else f"the search of {first} chooses"
    waiting = f", for which {count(left.waiting, 'run')} wait{'s' if left.waiting == 1 else ''}" if left.waiting else ""
    return f"not all is listed: {whose} further trials by what these come to{waiting}; list again when the jobs have ended"


def show_one(session: Session, what: str, jobs: int | None) -> int:
    """Execute one run and say what came of it; returns the exit status of the job."""
    from jetbench.cli.progress import display, resumable, told

    with resumable(), display() as show:
        show.line(f"{session.plan.instance.name}: results in {session.store.root}")
        # closed at once where an exception passes, so that the child has its checkpoint before anything is said
        with closing(session.run_one(what, jobs, show.update)) as events:
            for event in events:
                told.check()
                last = event
        show.line(_sentence(last))
    return {"failed": FAILED, "waiting": AGAIN, "elsewhere": AGAIN, "stopped": AGAIN}.get(last.kind, 0)


def _sentence(event: Event) -> str:
    ends = {
        "done": f"{event.name} is finished",
        "skipped": f"{event.name} had ended before{f' ({event.text})' if event.text else ''}",
        "diverged": f"{event.name} has diverged: {event.text}; it is the worst of its study",
        "pruned": f"{event.name} was stopped early for its study",
        "elsewhere": f"{event.name} is trained by another process; start this again, which then finds it finished or goes on",
        "waiting": f"{event.name} cannot begin yet: {event.text}; start this again when that has changed",
        "stopped": f"{event.name}: {event.text}",
    }
    return ends.get(event.kind, f"FAILED {event.name}: {event.text}")
