"""`jetbench predict`: what a finished run, or an arm's seeds together, say of other jets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jetbench.cli.naming import suite_option, tell_remarks
from jetbench.cli.options import dataset_items, store_option
from jetbench.cli.progress import display
from jetbench.errors import StoreError

if TYPE_CHECKING:
    from jetbench.inference import Ensemble
    from jetbench.inference.output import Judged
    from jetbench.inference.sources import JetSource
    from jetbench.report.subjects import Subject

__all__ = ["predict"]


@click.command()
@click.argument("run", metavar="RUN|ARM")
@click.argument("data", shell_complete=dataset_items)
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="HDF5 file to write.")
@click.option("--jets", type=click.IntRange(min=10), default=2400, show_default=True, help="Of a simulated dataset.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the simulation.")
@click.option("--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of a simulated dataset.")
@suite_option
@store_option
def predict(
    run: str,
    data: str,
    output: Path,
    jets: int,
    seed: int,
    options: tuple[str, ...],
    suite: str | None,
    store: str | None,
) -> None:
    """Predict the jets of a file or dataset by a finished run, with the preprocessing that it was trained with.

    RUN is a name such as scratch/n1000/s0, or a key or its beginning; an ARM such as scratch/n1000 predicts by all its seeds
    together. DATA is a file of jets or of a format of `jetbench ls formats`, a folder or glob of such files, or the name of a
    simulated dataset. Jets are read block by block.
    """
    from jetbench.files import refuse_output
    from jetbench.inference.output import judged, write_predictions
    from jetbench.inference.sources import find_source
    from jetbench.report.loading import load_subject
    from jetbench.report.subjects import find_subject
    from jetbench.suites.instance import parse_override
    from jetbench.tracking.store import Store, store_root

    refuse_output(output)  # before anything is loaded or simulated
    root = Store(store_root(store))
    found = find_subject(run, root, suite)
    tell_remarks(found)
    ensemble = load_subject(found, root)
    given = {key: value for text in options for key, value in parse_override(text).items()}
    with display(stderr=True) as show:
        source = find_source(data, jets, seed, given, len(os.sched_getaffinity(0)), show.update)
        _refuse_sealed(found, ensemble, source)
        write_predictions(ensemble, source, output, lambda done, total: show.update("predicting jets", done, total))
    _tell(found, ensemble, source, output, judged(ensemble, output, source.meta))


def _refuse_sealed(found: Subject, ensemble: Ensemble, source: JetSource) -> None:
    """Raise `StoreError` for a run that is not reported where the jets are those of its suite, the test jets among them."""
    for spec in (member.spec for member in ensemble.members.values()):
        own = {spec.dataset.sha256, *(one.dataset.sha256 for one in spec.variations if one.dataset)}
        if source.digest in own and not found.reported:
            raise StoreError(
                f"{found.name} is no run whose results {found.instance.name} shows, and the test jets are among these jets: what "
                "it says of them stays sealed; predict other jets, or name a run of an arm"
            )


def _tell(found: Subject, ensemble: Ensemble, source: JetSource, output: Path, judgement: Judged) -> None:
    """Say what was written and how good it is, beside the metric on the test jets; and what a reader must know."""
    seeds = len(ensemble.members)
    mean = f", the mean of the {ensemble.task.averaged} of {seeds} seeds" if seeds > 1 else ""
    click.echo(f"{output}: {source.jets} jets of {source.name} by {ensemble.name} of {found.instance.name}{mean}")
    own = ensemble.tested() if found.reported else {}
    for where, values in ((f"on {source.name}", judgement.metrics), ("on the test jets of the suite", own)):
        if values:
            click.echo(f"{_metric(ensemble, values)} {where}")
    for note in _notes(found, ensemble, source, judgement):
        click.echo(f"note: {note}", err=True)


def _metric(ensemble: Ensemble, values: Mapping[str, float]) -> str:
    metric = ensemble.task.headline_of(ensemble.meta)
    value, error = (f"{values[key]:.{metric.digits}f}" for key in (metric.key, f"{metric.key}_se"))
    return f"{metric.name} {value} ± {error}{f' {metric.unit}' if metric.unit else ''}"


def _notes(found: Subject, ensemble: Ensemble, source: JetSource, judgement: Judged) -> list[str]:
    from jetbench.inference.output import pools

    notes = [f"left out, {reason}" for reason in found.missing]
    spec = next(iter(ensemble.members.values())).spec
    if len(ensemble.members) > 1:
        notes.append(
            f"each seed has {spec.labels} labels of its own: their mean has seen more, and is no number of the comparison"
        )
    if source.digest == spec.dataset.sha256:
        notes.append(
            "these are the jets of the suite, some of which the runs were trained on; scores.h5 of a run has its test jets"
        )
    elif source.digest in pools(ensemble):
        notes.append(
            "these are the jets of the pool, which the encoder was pretrained on: it has seen them, if without their labels"
        )
    if not judgement.metrics:
        notes.append(f"no metric: {judgement.reason}")
    return [*notes, *source.remarks]
