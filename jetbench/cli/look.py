"""What `inspect` and `compare` share: their pages go to the tracker as well; where that is away, they say so and go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jetbench.report.subjects import Subject
    from jetbench.tracking.store import Store

__all__ = ["publish_comparison", "publish_run"]


def publish_run(subject: Subject, store: Store) -> None:
    """Give the tracker the files that the folder of a subject's first run now has."""
    from jetbench.api import Execution
    from jetbench.engine.cards import run_card
    from jetbench.tracking.ledger import Ledger

    shown, tracker = subject.runs[0], Execution(subject.plan, store).tracker
    card = run_card(subject.plan, shown.planned, shown.spec, Ledger(store.work))

    def publish() -> None:
        tracker.publish(card)
        tracker.finish(card, "FINISHED", card.artifacts())

    _try(publish)


def publish_comparison(subject: Subject, store: Store, name: str, files: Iterable[Path]) -> None:
    """Give the tracker the files of a comparison, as a run of its own in the experiment of its first subject."""
    from jetbench.api import Execution

    tracker = Execution(subject.plan, store).tracker
    _try(lambda: tracker.log_report(files, name, kind="comparison"))


def _try(publish: Callable[[], object]) -> None:
    from jetbench.errors import StoreError

    try:
        publish()
    except StoreError as error:
        click.echo(f"not published: {error}; the same command does it when the tracker is there", err=True)
