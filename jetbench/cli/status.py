"""`jetbench status`: where a suite or study stands, once or as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from jetbench.cli.options import instance_argument, scale_option, store_option

if TYPE_CHECKING:
    from jetbench.engine.status import Status, Watcher

__all__ = ["status"]

LOOK = 2.0  # seconds between looks; where there is no terminal, between lines at the least
LINE = 10.0
IDLE = 60.0  # seconds after which nobody is expected any more


@click.command()
@instance_argument
@scale_option
@store_option
@click.option("--watch", is_flag=True, help="Go on until it is finished, or no process has been at work for a minute.")
def status(suite: str, scale: str | None, store: str | None, watch: bool) -> None:
    """Show how far a suite or study is: every run under way, the time left, what has failed and why."""
    from jetbench.api import latest_execution
    from jetbench.tracking.server import LOCAL

    watcher = latest_execution(suite, scale=scale, store=store, tracking_uri=LOCAL).watcher()
    if not watch:
        click.echo("\n".join(watcher.look().lines()))
        return
    try:
        follow(watcher)
    except KeyboardInterrupt:
        click.echo("stopped watching; what runs goes on", err=True)


def follow(watcher: Watcher) -> None:
    """Show the status until it is final: in place in a terminal, a line now and then elsewhere."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        _print_lines(watcher)
        return
    with Live(console=console, auto_refresh=False) as live:
        for now in _moments(watcher):
            live.update(Text("\n".join(now.lines())), refresh=True)


def _moments(watcher: Watcher) -> Iterator[Status]:
    """Look until all is finished, or until no process has been at work for a while: a training may outlive the one that began
    it, and jobs of an array begin one after the other."""
    worked = time.monotonic()
    while True:
        now = watcher.look()
        yield now
        if now.finished:
            return
        if now.active or now.running:
            worked = time.monotonic()
        elif time.monotonic() - worked > IDLE:
            return
        time.sleep(LOOK)


def _print_lines(watcher: Watcher) -> None:
    printed, text = -LINE, ""
    for now in _moments(watcher):
        if time.monotonic() - printed >= LINE and now.line != text:
            printed, text = time.monotonic(), now.line
            click.echo(f"{time.strftime('%H:%M:%S')} {text}")
    click.echo("\n".join(now.lines()))
