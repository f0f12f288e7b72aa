"""`jetbench study`: search parameters of an arm, see what mattered, hand the winner to a suite."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jetbench.cli.duration import Duration
from jetbench.cli.options import dataset_items, scale_option, store_option, study_items, tracking_option, workers_option
from jetbench.cli.output import output_option, page_folder

if TYPE_CHECKING:
    from jetbench.api import StudySession
    from jetbench.suites.trials import Searching

__all__ = ["study"]

study_argument = click.argument("study", metavar="NAME|FILE", shell_complete=study_items)
DASHBOARD = "optuna-dashboard"


@click.group()
def study() -> None:
    """Search parameters of an arm, see what mattered, hand the winner to a suite."""


@study.command("ls")
def list_studies() -> None:
    """List the shipped studies with their questions; piped, one name a line."""
    from jetbench.suites.study_file import find_study, study_names

    for name in study_names():
        click.echo(f"  {name:<28}  {find_study(name).question}" if sys.stdout.isatty() else name)


@study.command()
@study_argument
@scale_option
@click.option("--dataset", shell_complete=dataset_items, help="Another dataset by name, or a file of jets.")
@store_option
@tracking_option
@click.option("--trials", type=click.IntRange(min=1), help="Trials of each arm. [default: the study's]")
@click.option("--timeout", type=Duration(), help="Start no new round of trials after it, as in 20m or 1h30m.")
@click.option("--jobs", type=click.IntRange(min=1), help="Trainings at a time. [default: one per GPU, or per core]")
@workers_option
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a value, as in --set seeds=3.")
@click.option("--dry-run", is_flag=True, help="Print the plan and end.")
@click.pass_context
def run(
    ctx: click.Context,
    study: str,
    scale: str | None,
    dataset: str | None,
    store: str | None,
    tracking_uri: str | None,
    trials: int | None,
    timeout: float | None,
    jobs: int | None,
    elsewhere: dict[str, Any],
    overrides: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Run a study. What is finished is skipped; after Ctrl-C or the timeout the same command goes on where it was."""
    from jetbench.api import open_study

    more = () if trials is None else (f"trials={trials}",)
    session = open_study(
        study, scale=scale, dataset=dataset, overrides=(*overrides, *more), store=store, tracking_uri=tracking_uri
    )
    if dry_run:
        click.echo(session.forecast(jobs))
        return
    from jetbench.cli.progress import resumable, show_progress
    from jetbench.report.study.spent import ended

    with resumable():
        failed = show_progress(session, jobs, timeout, elsewhere)
    found = show_study(session)
    if timeout is not None and any(len(ended(one)) < one.study.trials for one in found):
        click.echo("the time was over, and no new round was started; the same command goes on from there", err=True)
    if failed:
        click.echo(f"{failed} runs failed; the same command tries again those that did not diverge", err=True)
        ctx.exit(1)


@study.command()
@study_argument
@scale_option
@store_option
@tracking_option
@output_option
def show(study: str, scale: str | None, store: str | None, tracking_uri: str | None, output: Path | None) -> None:
    """Print the trials of a study that was run, by its name or that of an instance, and write its page again."""
    show_study(_latest(study, scale, store, tracking_uri), output)


@study.command()
@study_argument
@scale_option
@store_option
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Suite file to write.")
def export(study: str, scale: str | None, store: str | None, output: Path) -> None:
    """Write the winner as a suite: against the recipe's own values, at the same budget, on fresh seeds."""
    from jetbench.files import write_atomically
    from jetbench.report.study.suite_file import suite_text

    session = _latest(study, scale, store)
    write_atomically(output, suite_text(session.plan.instance, session.searchings()).encode())
    click.echo(f"suite: {output}")
    click.echo(f"run it: jetbench run --suite {output}{_store(session)}")


@study.command()
@study_argument
@scale_option
@store_option
@output_option
def dashboard(study: str, scale: str | None, store: str | None, output: Path | None) -> None:
    """Write a study for optuna-dashboard, and say how to start that."""
    from importlib.util import find_spec

    from jetbench.report.study.dashboard import write_journal

    session = _latest(study, scale, store)
    path = page_folder(output, session.folder) / "optuna.journal"
    write_journal(session.searchings(), path)
    click.echo(f"{DASHBOARD} {path}")
    if find_spec("optuna_dashboard") is None:
        click.echo(f"{DASHBOARD} is not installed: pip install 'jetbench[dashboard]' does that", err=True)


def show_study(session: StudySession, output: Path | None = None) -> list[Searching]:
    """Print the trials of every arm, write the page, and publish it, unless it has an `output` of its own; returns the
    searches."""
    from rich.console import Console

    from jetbench.cli.progress import publish_page
    from jetbench.report.study.table import print_trials

    found = session.searchings()
    click.echo(f"{session.plan.instance.name}\n")
    for searching in found:
        print_trials(searching, Console())
        click.echo()
    click.echo(f"page: {session.write(found, page_folder(output, session.folder))[0]}")
    if output is None:
        publish_page(session, lambda: session.publish(found))
        click.echo(f"every trial in MLflow: {session.pages}")
    return found


def _latest(study: str, scale: str | None, store: str | None, tracking_uri: str | None = "local") -> StudySession:
    """The instance that was run last, of a study by its name or its file."""
    from jetbench.api import latest_study
    from jetbench.suites.study_file import find_study

    name = find_study(study).study if Path(study).is_file() else study
    return latest_study(name, scale=scale, store=store, tracking_uri=tracking_uri)


def _store(session: StudySession) -> str:
    return "" if session.default_store else f" --store {session.store.root}"
