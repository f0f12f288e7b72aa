"""Commands that look at what has been run: report, results, ui. Each takes the suite's latest instance by default."""

from __future__ import annotations

from pathlib import Path

import click

from jetbench.cli.options import instance_argument, instance_items, scale_option, store_option, tracking_option
from jetbench.cli.output import output_option

__all__ = ["report", "results", "ui"]


@click.command()
@instance_argument
@scale_option
@store_option
@tracking_option
@output_option
def report(suite: str, scale: str | None, store: str | None, tracking_uri: str | None, output: Path | None) -> None:
    """Print the comparison of a suite and write its report again."""
    from jetbench.api import latest_session
    from jetbench.cli.run import show_results

    show_results(latest_session(suite, scale=scale, store=store, tracking_uri=tracking_uri), output)


@click.command()
@instance_argument
@scale_option
@store_option
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="csv", show_default=True)
def results(suite: str, scale: str | None, store: str | None, form: str) -> None:
    """Print the tidy table: one row per run and metric."""
    from jetbench.api import latest_session
    from jetbench.report.export import to_csv, to_json
    from jetbench.tracking.server import LOCAL

    found = latest_session(suite, scale=scale, store=store, tracking_uri=LOCAL).results()  # nobody is told of it
    click.echo(to_json(found) if form == "json" else to_csv(found), nl=False)


@click.command()
@click.argument("suite", required=False, shell_complete=instance_items)
@scale_option
@store_option
@tracking_option
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True)
@click.option("--auth", is_flag=True, help="Ask for a random password, which is printed: for machines with other users.")
def ui(suite: str | None, scale: str | None, store: str | None, tracking_uri: str | None, port: int, auth: bool) -> None:
    """Open MLflow's pages on the results; the link leads to the charts of a suite or study, or of what was run last."""
    from jetbench.api import latest_execution
    from jetbench.errors import StoreError
    from jetbench.tracking.server import tracking_server
    from jetbench.tracking.store import Store, store_root
    from jetbench.tracking.ui import servable
    from jetbench.tracking.ui import ui as serve

    root = store_root(store)
    if not root.is_dir():
        raise StoreError(f"{root}: there is no such folder of results; name another with --store, or `jetbench run` makes one")
    with servable(Store(root, tracking_server(tracking_uri)), click.echo) as place:
        try:
            session = latest_execution(suite, scale=scale, store=store, tracking_uri=tracking_uri)
        except StoreError:
            if suite is not None or scale is not None:
                raise
            serve(place, port=port, echo=click.echo, auth=auth)
            return
        session.store = place
        experiment_id, view = session.tracker.place()
        serve(place, port=port, experiment_id=experiment_id, view=view, echo=click.echo, auth=auth)
