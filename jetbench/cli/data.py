"""`jetbench data`: make datasets, look into them, and see what augmentations do to them."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jetbench.cli.options import dataset_argument, scale_option, suite_items
from jetbench.cli.progress import display, resumable

if TYPE_CHECKING:
    from jetbench.data.catalog import Dataset
    from jetbench.spec import Component

__all__ = ["data"]


@click.group()
def data() -> None:
    """Make datasets, look into them, see what augmentations do to them."""


jets_option = click.option("--jets", type=click.IntRange(min=10), default=2400, show_default=True, help="Of a simulated dataset.")
seed_option = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the simulation.")
set_option = click.option(
    "--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of a simulated dataset, as in --set mpi=true."
)


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write. [default: in the cache]")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes. [default: one per core]")
def make(dataset: str, jets: int, seed: int, options: tuple[str, ...], output: Path | None, jobs: int | None) -> None:
    """Simulate a named dataset; an interrupted one goes on where it was."""
    found = _find(dataset, jets, seed, options)
    _simulate(found, jobs, output)
    click.echo(output or found.path)


def _png_only(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """The one format that pictures are written in."""
    if path is not None and path.suffix.lower() != ".png":
        raise click.BadParameter(f"{path} does not end in .png", ctx, parameter)
    return path


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON; draw only where --plot says so.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_png_only,
    help="PNG file to draw. [default: NAME-info.png in this folder]",
)
def info(dataset: str, jets: int, seed: int, options: tuple[str, ...], as_json: bool, plot: Path | None) -> None:
    """Print and draw classes, channels, spectra, duplicates and possible leaks of a dataset or file."""
    from jetbench.datainfo.summary import summarise
    from jetbench.datainfo.text import summary_text
    from jetbench.datainfo.warnings import with_warnings
    from jetbench.errors import DataFileError
    from jetbench.jets import open_jets

    found = _find(dataset, jets, seed, options)
    if not found.ready:
        command = " ".join([f"jetbench data make {dataset} --jets {jets} --seed {seed}", *(f"--set {o}" for o in options)])
        raise DataFileError(f"{dataset!r} with {jets} jets is not simulated yet; `{command}`")
    with display(stderr=True) as show:
        summary, sample = summarise(
            open_jets(found.path), str(found.path), lambda done, total: show.update("reading jets", done, total)
        )
    summary = with_warnings(summary, sample)
    click.echo(summary.model_dump_json(indent=2) if as_json else summary_text(summary))
    path = plot or (None if as_json else Path(f"{found.path.stem}-info.png"))
    if path is not None:
        from jetbench.datainfo.plots import dataset_plot
        from jetbench.evaluation.plots import save_png

        save_png(dataset_plot(summary, sample), path)
        click.echo(f"plot: {path}", err=as_json)


@data.command()
@dataset_argument
@jets_option
@seed_option
@set_option
@click.option("--suite", shell_complete=suite_items, help="Show the augmentations of this suite, at the strengths of its runs.")
@scale_option
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), callback=_png_only, help="PNG file to draw. [default: none]"
)
def views(
    dataset: str, jets: int, seed: int, options: tuple[str, ...], suite: str | None, scale: str | None, plot: Path | None
) -> None:
    """Print the invariance card: what each augmentation does to mass, pT, multiplicity, tau32 and a fixed tree model.

    With --suite it is what the suite does to its jets before they are seen, step by step and all together.
    """
    from jetbench.datainfo.card_text import card_text
    from jetbench.datainfo.invariance import make_card, spread
    from jetbench.jets import open_jets

    if scale and not suite:
        raise click.UsageError("--scale is that of a suite; name one with --suite")
    found = _find(dataset, jets, seed, options)
    _simulate(found)
    pipelines, skipped = _of_suite(suite, scale, found.path) if suite else (None, {})
    card = make_card(spread(open_jets(found.path), jets), pipelines, skipped)
    click.echo(card_text(card))
    if plot is not None:
        from jetbench.datainfo.card_plot import card_plot
        from jetbench.evaluation.plots import save_png

        save_png(card_plot(card, found.path.name), plot)
        click.echo(f"plot: {plot}")


def _of_suite(name: str, scale: str | None, path: Path) -> tuple[dict[str, tuple[Component, ...]], dict[str, str]]:
    """The augmentations of a suite on these jets, and those that they do not allow with the reason."""
    from jetbench.suites.needs import skipped_augmentations
    from jetbench.suites.options import check_options
    from jetbench.suites.pipelines import suite_pipelines
    from jetbench.suites.suite import find_suite, instantiate

    instance = instantiate(find_suite(name), scale, str(path))
    check_options(instance.settings)
    return suite_pipelines(instance), skipped_augmentations(instance.settings, instance.meta)


def _names(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _part(ctx: click.Context, parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not (found := re.fullmatch(r"(\d+)/(\d+)", text)):
        raise click.BadParameter(f"{text!r} is not like 2/8, the second of eight parts", ctx, parameter)
    return int(found[1]), int(found[2])


@data.command()
@click.argument("files", nargs=-1, required=True, metavar="FILES...")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File of jets to write.")
@click.option("--guess", is_flag=True, help="Print the arrays of one file and the draft of its card, and convert nothing.")
@click.option("--format", help="A format of `jetbench ls formats`. [default: by the files' content]")
@click.option("--card", type=click.Path(exists=True, dir_okay=False), help="YAML file that describes images or constituents.")
@click.option("--label-from-files", is_flag=True, help="FILES are of one class each, as in qcd='background*.h5' top=signal.h5.")
@click.option(
    "--class-names",
    callback=_names,
    help="Names of the labels 0, 1, …, with commas; one name alone: the class of files that do not tell theirs.",
)
@click.option("--channels", callback=_names, help="Channels to keep, with commas. [default: all]")
@click.option("--unlabelled", is_flag=True, help="Leave the labels out, for a pool to pretrain on.")
@click.option(
    "--drop", type=click.Choice(["bad"]), help="Leave out and count rows that cannot be jets: empty, NaN, without label."
)
@click.option("--part", callback=_part, metavar="I/N", help="Convert one of N parts, as a job of its own; open them together.")
def convert(
    files: tuple[str, ...],
    output: Path | None,
    guess: bool,
    format: str | None,
    card: str | None,
    label_from_files: bool,
    class_names: tuple[str, ...],
    channels: tuple[str, ...],
    unlabelled: bool,
    drop: Literal["bad"] | None,
    part: tuple[int, int] | None,
) -> None:
    """Convert files of the field into one file of jets, which every command takes as a dataset.

    FILES are paths and globs of one format, and make one dataset. A conversion that was stopped goes on where it was.
    """
    if guess:
        _guess(files, any((output, format, card, label_from_files, class_names, channels, unlabelled, drop, part)))
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output'.")
    from jetbench.formats.conversion import Request, convert

    request = Request(
        format=format, card=card, class_names=class_names, channels=channels, unlabelled=unlabelled, drop=drop, part=part
    )
    with display(stderr=True) as show, resumable():
        done = convert(_by_class(files) if label_from_files else files, output, request, show.update)
    for remark in done.remarks:
        click.echo(f"note: {remark}", err=True)
    if done.duplicates:
        click.echo(f"note: {done.duplicates} jets are copies of another one; splits keep them on one side", err=True)
    click.echo(f"{output}: {done.jets} jets, digest {done.digest}")


def _guess(files: tuple[str, ...], asked: bool) -> None:
    """Print what a file seems to hold; the exit status is 1 where no card can be drafted, and one is needed. Whatever else is
    `asked` of a conversion is an error."""
    from jetbench.formats.guess import guess

    if len(files) > 1 or asked:
        usage = "jetbench data convert --guess FILE > card.yaml"
        raise click.UsageError(f"--guess looks at one file, takes no other option, and prints: {usage}")
    found = guess(Path(files[0]).expanduser())
    click.echo(found.text)
    if not (found.card or found.known):
        raise SystemExit(1)


def _by_class(texts: tuple[str, ...]) -> dict[str, list[str]]:
    """Paths and globs by the name of their class, of texts NAME=FILE."""
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, pattern = text.partition("=")
        if not (name and equals and pattern):
            raise click.UsageError(f"with --label-from-files each of FILES is NAME=FILE, and {text!r} is not")
        found.setdefault(name, []).append(pattern)
    return found


def _find(dataset: str, jets: int, seed: int, options: tuple[str, ...]) -> Dataset:
    from jetbench.data.catalog import find_dataset
    from jetbench.suites.instance import parse_override

    return find_dataset(dataset, jets, seed, {key: value for text in options for key, value in parse_override(text).items()})


def _simulate(found: Dataset, jobs: int | None = None, output: Path | None = None) -> None:
    """Make the dataset where it is not there yet, or write it to a file of its own, with progress on standard error."""
    make = found.make if output is None else partial(found.write, output)
    with display(stderr=True) as show, resumable():
        make(jobs or len(os.sched_getaffinity(0)), lambda done, total: show.update("simulating jets", done, total))
