"""`jetbench compare`: two or more runs or arms on the same jets."""

from __future__ import annotations

from pathlib import Path

import click

from jetbench.cli.naming import suite_option, tell_remarks
from jetbench.cli.options import store_option, tracking_option
from jetbench.cli.output import output_option

__all__ = ["compare"]


@click.command()
@click.argument("what", metavar="A B ...", nargs=-1, required=True)
@suite_option
@store_option
@tracking_option
@output_option
def compare(what: tuple[str, ...], suite: str | None, store: str | None, tracking_uri: str | None, output: Path | None) -> None:
    """Set runs or arms side by side on the same test jets; the first is the baseline of the others. Names are those of `inspect`.

    Paired test, differences of their specs, ROC, correlation of their scores, likeness of their encoders, and the jets on which
    they disagree, with what each network looks at.
    """
    from jetbench.cli.look import publish_comparison
    from jetbench.cli.output import page_folder
    from jetbench.errors import StoreError
    from jetbench.insight.compare import compare_subjects, comparison_folder, comparison_name
    from jetbench.report.subjects import find_subject
    from jetbench.tracking.server import tracking_server
    from jetbench.tracking.store import Store, store_root

    if len(what) < 2:
        raise StoreError(
            f"only {what[0]!r} is named; name two or more runs or arms to compare, or look at it with `jetbench inspect`"
        )
    root = Store(store_root(store), tracking_server(tracking_uri))
    subjects = [find_subject(one, root, suite) for one in what]
    for subject in subjects:
        subject.refuse_lost()
        tell_remarks(subject)
    folder = page_folder(output, comparison_folder(subjects, root))
    found = compare_subjects(subjects, root, folder)
    for sentence in found.told:
        click.echo(sentence)
    for warning in found.warnings:
        click.secho(f"! {warning}", fg="yellow")
    if output is None:
        publish_comparison(subjects[0], root, comparison_name(subjects), found.files)
    click.echo(f"page: {found.files[0]}")
