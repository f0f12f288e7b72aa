"""`jetbench run`: plan a suite, run what is not finished, show the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jetbench.cli.options import dataset_items, scale_option, store_option, suite_items, tracking_option, workers_option

if TYPE_CHECKING:
    from jetbench.api import Session

__all__ = ["run"]


@click.command()
@click.option("--suite", required=True, shell_complete=suite_items, help="A shipped suite by name, or a suite file.")
@scale_option
@click.option("--dataset", shell_complete=dataset_items, help="Another dataset by name, or a file of jets.")
@click.option("--unlabelled", shell_complete=dataset_items, help="Another dataset or file for self-supervised pretraining.")
@click.option("--also-test", shell_complete=dataset_items, help="Another dataset or file, on which every arm is tested as well.")
@store_option
@tracking_option
@click.option("--jobs", type=click.IntRange(min=1), help="Trainings at a time. [default: one per GPU, or per core]")
@workers_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value, as in --set seeds=3.")
@click.option(
    "--rerun", metavar="failed|all|RUN", help="Train again: RUN is a run or arm, by name or key, with all that start from it."
)
@click.option("--dry-run", is_flag=True, help="Print the plan and end.")
@click.option("--list", "listing", is_flag=True, help="Write the keys of what is not finished, one a line, and end: a job array.")
@click.option(
    "--only", metavar="KEY", help="Execute one run, by key or name, as a job of an array does; MLflow is left to `store sync`."
)
@click.pass_context
def run(
    ctx: click.Context,
    suite: str,
    scale: str | None,
    dataset: str | None,
    unlabelled: str | None,
    also_test: str | None,
    store: str | None,
    tracking_uri: str | None,
    jobs: int | None,
    elsewhere: dict[str, Any],
    overrides: tuple[str, ...],
    rerun: str | None,
    dry_run: bool,
    listing: bool,
    only: str | None,
) -> None:
    """Run a suite. What is finished is skipped; after Ctrl-C the same command goes on where it was.

    \b
    A job array, where jobs of a batch system reach nothing but the results folder:
      jetbench run --suite NAME --list > keys.txt   each run after all that it needs
      jetbench run --suite NAME --only KEY          a job per line, in this order
      jetbench run --suite NAME                     at the end: MLflow and the comparison

    A job ends with 0 where its run is finished, now or before, with 1 where that has failed, with 75 where it is to be started
    again: the run needs others that are not finished, another process trains it, or it was told to stop; with 143 after SIGTERM.
    """
    _refuse_together({"--list": listing, "--only": only, "--dry-run": dry_run, "--rerun": rerun})
    for name, value in {"--list": listing, "--only": only}.items():
        _refuse_together({name: value, "workers elsewhere (--scheduler, --cluster)": elsewhere})
    from jetbench.api import open_session

    session = open_session(
        suite,
        scale=scale,
        dataset=dataset,
        unlabelled=unlabelled,
        also_test=also_test,
        overrides=overrides,
        store=store,
        tracking_uri=tracking_uri,
    )
    if dry_run:
        click.echo(session.forecast(jobs))
        if rerun is not None:
            click.echo(f"--rerun {rerun} would train {len(session.rerun(rerun))} runs again that have begun or ended")
        return
    if listing:
        from jetbench.cli.array import write_list

        write_list(session)
        return
    if only is not None:
        from jetbench.cli.array import show_one

        ctx.exit(show_one(session, only, jobs))
    from jetbench.cli.progress import resumable, show_progress

    if rerun is not None:
        click.echo("\n".join(session.set_aside(rerun)))
    with resumable():
        failed = show_progress(session, jobs, elsewhere=elsewhere)
    show_results(session)
    if failed:
        click.echo(f"{failed} runs failed; the same command tries them again", err=True)
        ctx.exit(1)


def _refuse_together(given: dict[str, object]) -> None:
    """Refuse two options of which each is a command of its own; `--dry-run` tells what `--rerun` would do."""
    names = [name for name, value in given.items() if value]
    if len(names) > 1 and names != ["--dry-run", "--rerun"]:
        raise click.UsageError(f"{' and '.join(names)} do not go together; give one of them")


def show_results(session: Session, output: Path | None = None) -> None:
    """Print table and answer, write the report, and publish it; only write it where it has an `output` of its own."""
    from rich.console import Console

    from jetbench.cli.output import page_folder
    from jetbench.cli.progress import publish_page
    from jetbench.report.sentences import answer
    from jetbench.report.table import print_table
    from jetbench.tracking.ui import ADDRESS, chart_link

    results = session.results()
    print_table(results, Console())
    click.echo(f"\n{answer(results)}\n")
    page = session.write_report(results, page_folder(output, session.folder))[0]
    click.echo(f"report: {page}")
    if output is not None or not publish_page(session, lambda: session.publish_report(results)):
        return
    link = chart_link(session.store.tracking_uri or ADDRESS, *session.tracker.place())
    if session.store.tracking_uri:
        click.echo(f"the comparison in MLflow: {link}")
        return
    click.echo(f"every run in MLflow: {session.pages}")
    click.echo(f"and there the comparison: {link}")
