"""`jetbench data`: make datasets, look into them, and see what views do to them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from jetbench.cli.options import dataset_argument

if TYPE_CHECKING:
    from jetbench.data.catalog import Dataset

__all__ = ["data"]


@click.group()
def data() -> None:
    """Make datasets, look into them, see what views do to them."""


jets_option = click.option("--jets", type=click.IntRange(min=10), default=2000, show_default=True, help="Of a simulated dataset.")
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the simulation.")
set_option = click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of a simulated dataset, as in --set mpi=true."
)


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
@click.option("--jobs", type=click.IntRange(min=1), help="Processes. [default: one per core]")
def make(dataset: str, jets: int, seed: int, options: tuple[str, ...], jobs: int | None) -> None:
    """Simulate a named dataset into the cache; an interrupted one goes on where it was."""
    found = _find(dataset, jets, seed, options)
    _simulate(found, jobs)
    click.echo(found.path)


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
def info(dataset: str, jets: int, seed: int, options: tuple[str, ...]) -> None:
    """Classes, channels, targets, provenance and digest of a dataset or file."""
    from jetbench.data.summary import summarise
    from jetbench.errors import DataFileError

    found = _find(dataset, jets, seed, options)
    if not found.ready:
        command = " ".join([f"jetbench data make {dataset} --jets {jets} --seed {seed}", *(f"--set {o}" for o in options)])
        raise DataFileError(f"{dataset!r} with {jets} jets is not simulated yet; `{command}`")
    for name, value in summarise(found.path):
        click.echo(f"{name:<14}{value}")


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
def views(dataset: str, jets: int, seed: int, options: tuple[str, ...]) -> None:
    """The invariance card: what each view does to mass, pT, multiplicity, tau32 and a fixed tree model."""
    from jetbench.evaluation.invariance import card_text, make_card, spread
    from jetbench.jets import open_jets

    found = _find(dataset, jets, seed, options)
    _simulate(found)
    click.echo(card_text(make_card(spread(open_jets(found.path), jets))))


def _find(dataset: str, jets: int, seed: int, options: tuple[str, ...]) -> Dataset:
    from jetbench.data.catalog import find_dataset
    from jetbench.harness.suite import parse_override

    return find_dataset(dataset, jets, seed, {key: value for text in options for key, value in parse_override(text).items()})


def _simulate(found: Dataset, jobs: int | None = None) -> None:
    """Make the dataset where it is not there yet, with progress on standard error."""
    from rich.console import Console

    from jetbench.cli.progress import make_display

    display = make_display(Console(stderr=True))
    with display.bar:
        found.make(jobs or len(os.sched_getaffinity(0)), lambda done, total: display.update("simulating jets", done, total))
