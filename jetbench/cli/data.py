"""`jetbench data`: make datasets, look into them, and see what views do to them."""

from __future__ import annotations

import os
from pathlib import Path

import click

from jetbench.cli.options import dataset_argument

__all__ = ["data"]


def png_only(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """The one format that pictures are written in."""
    if path is not None and path.suffix.lower() != ".png":
        raise click.BadParameter(f"{path} does not end in .png", ctx, parameter)
    return path


@click.group()
def data() -> None:
    """Make datasets, look into them, see what views do to them."""


jets_option = click.option("--jets", type=click.IntRange(min=10), default=2000, show_default=True, help="Of a simulated dataset.")
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the simulation.")


@data.command()
@dataset_argument
@jets_option
@seed_option
@click.option("--jobs", type=click.IntRange(min=1), help="Processes. [default: one per core]")
def make(dataset: str, jets: int, seed: int, jobs: int | None) -> None:
    """Simulate a named dataset into the cache; an interrupted one goes on where it was."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    from jetbench.data.catalog import find_dataset

    found = find_dataset(dataset, jets, seed)
    with Progress(
        *Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("simulating jets", total=jets)
        found.make(jobs or len(os.sched_getaffinity(0)), lambda done, total: bar.update(task, completed=done, total=total))
    click.echo(found.path)


@data.command()
@dataset_argument
@jets_option
@seed_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON; draw only where --figure says so.")
@click.option(
    "--figure",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=png_only,
    help="PNG file to draw. [default: NAME-info.png in this folder]",
)
def info(dataset: str, jets: int, seed: int, as_json: bool, figure: Path | None) -> None:
    """Classes, channels, spectra, duplicates and possible leaks of a dataset or file: printed and drawn."""
    from jetbench.data.catalog import find_dataset
    from jetbench.errors import DataFileError
    from jetbench.evaluation.dataset import summarise
    from jetbench.evaluation.dataset_text import summary_text
    from jetbench.jets import open_jets

    found = find_dataset(dataset, jets, seed)
    if not found.ready:
        raise DataFileError(f"{dataset!r} with {jets} jets is not simulated yet; `jetbench data make {dataset} --jets {jets}`")
    summary, sample = summarise(open_jets(found.path), str(found.path))
    click.echo(summary.model_dump_json(indent=2) if as_json else summary_text(summary))
    path = figure or (None if as_json else Path(f"{found.path.stem}-info.png"))
    if path is not None:
        from jetbench.evaluation.dataset_figures import dataset_figure
        from jetbench.evaluation.figures import save_png

        save_png(dataset_figure(summary, sample), path)
        click.echo(f"figure: {path}", err=as_json)


@data.command()
@dataset_argument
@jets_option
@seed_option
def views(dataset: str, jets: int, seed: int) -> None:
    """The invariance card: what each view does to mass, pT, multiplicity, tau32 and a fixed tree model."""
    from jetbench.data.catalog import find_dataset
    from jetbench.evaluation.invariance import card_rows, card_text
    from jetbench.jets import open_jets

    found = find_dataset(dataset, jets, seed)
    found.make(len(os.sched_getaffinity(0)))
    click.echo(card_text(card_rows(open_jets(found.path)[:jets])))
