"""`jetbench inspect`: what a run has learnt, what it looks at and where it fails."""

from __future__ import annotations

from pathlib import Path

import click

from jetbench.cli.naming import suite_option, tell_remarks
from jetbench.cli.options import store_option, tracking_option
from jetbench.cli.output import output_option

__all__ = ["inspect"]


@click.command()
@click.argument("what", metavar="RUN|ARM")
@suite_option
@click.option(
    "--layer", "layers", multiple=True, help="A layer of the encoder to show, as in --layer layer2.1. [default: its stages]"
)
@store_option
@tracking_option
@output_option
def inspect(
    what: str, suite: str | None, layers: tuple[str, ...], store: str | None, tracking_uri: str | None, output: Path | None
) -> None:
    """Show what a finished run has learnt: curves, wrongest jets, what the network looks at, what its encoder knows.

    \b
    jetbench inspect simclr            an arm at its largest budget, all seeds
    jetbench inspect simclr/n100       at 100 labels
    jetbench inspect simclr/n100/s0    one of its runs; a run's name or key do as well

    The page and its pictures stand in the run's folder, and so among the run's artifacts in MLflow.
    """
    from jetbench.cli.look import publish_run
    from jetbench.cli.output import page_folder
    from jetbench.insight.inspect import inspect_subject
    from jetbench.report.subjects import find_subject
    from jetbench.tracking.server import tracking_server
    from jetbench.tracking.store import Store, store_root

    root = Store(store_root(store), tracking_server(tracking_uri))
    subject = find_subject(what, root, suite)
    subject.refuse_lost()
    tell_remarks(subject)
    folder = page_folder(output, subject.runs[0].folder.path)
    found = inspect_subject(subject, root.root, layers, folder)
    for sentence in found.told:
        click.echo(sentence)
    for warning in found.warnings:
        click.secho(f"! {warning}", fg="yellow")
    if output is None:
        publish_run(subject, root)
    click.echo(f"page: {found.files[0]}")
