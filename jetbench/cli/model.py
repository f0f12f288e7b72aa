"""`jetbench model`: weights from elsewhere, and finished runs for elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from jetbench.cli.naming import suite_option, tell_remarks
from jetbench.cli.options import dataset_items, store_option, tracking_option

__all__ = ["model"]


@click.group()
def model() -> None:
    """Take over weights from elsewhere, and hand on what was trained."""


@model.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", "name", required=True, help="Whose weights they are: a network of `jetbench ls models`.")
@click.option("--set", "options", multiple=True, metavar="KEY=VALUE", help="An option of the model, as in --set head=mlp.")
@click.option(
    "--outputs",
    type=click.IntRange(min=1),
    help="Of the head. [default: those of the file; the one of a linear head becomes two]",
)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write.")
def import_file(file: Path, name: str, options: tuple[str, ...], outputs: int | None, output: Path) -> None:
    """Store a PyTorch state dict as safetensors with a bundle, and list what had to be adapted.

    FILE holds the weights of the model under their published names, or a checkpoint that has them under "state_dict" or
    "model_state_dict". Nothing but tensors is loaded. `jetbench.build_model(NAME, …, weights=FOLDER)` gives the network.
    """
    from jetbench.models import models
    from jetbench.models.imported import import_model
    from jetbench.models.plain import network_component
    from jetbench.suites.instance import parse_override

    component = network_component(name, {key: value for text in options for key, value in parse_override(text).items()})
    stored = import_model(file, component, output, outputs)
    for adaptation in stored.adaptations:
        click.echo(f"adapted: {adaptation}")
    seen = "channels" if models[name].view == "image" else "features"
    click.echo(f"{output}: {name}, {stored.channels} {seen}, {stored.outputs} outputs")


@model.command()
@click.argument("run")
@click.option("--format", type=click.Choice(["onnx", "pt2"]), default="onnx", show_default=True, help="ONNX, or PyTorch's own.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write.")
@click.option("--check", shell_complete=dataset_items, help="File of jets to check it on. [default: the jets of its suite]")
@suite_option
@store_option
def export(
    run: str, format: Literal["onnx", "pt2"], output: Path, check: str | None, suite: str | None, store: str | None
) -> None:
    """Write the network of a run with its preprocessing for other programs, and a card in Markdown beside it.

    RUN is a name such as scratch/n1000/s0, or a key or its beginning. The file maps the tensors of the run's view before scaling,
    which the card describes, to predictions; it is checked against the network on real jets, and not written where it differs.
    """
    from jetbench.report.exporting import card_path, export_run
    from jetbench.report.subjects import find_subject
    from jetbench.tracking.store import Store, store_root

    root = Store(store_root(store))
    found = find_subject(run, root, suite)
    tell_remarks(found)
    done = export_run(found, root, format, output, check)
    click.echo(
        f"{output}: inputs {', '.join(done.inputs)}; checked on {done.jets} jets, largest difference {done.difference:.1e}"
    )
    click.echo(f"card: {card_path(output)}")


@model.command()
@click.argument("run", metavar="RUN|ARM")
@click.argument("name")
@click.option("--alias", help="To point to the version, as in models:/NAME@ALIAS.")
@suite_option
@store_option
@tracking_option
def register(run: str, name: str, alias: str | None, suite: str | None, store: str | None, tracking_uri: str | None) -> None:
    """Register a run, or the seeds of an arm together, as a version of the model NAME in the store's MLflow registry.

    Where jetbench is installed, mlflow.pyfunc.load_model("models:/NAME@ALIAS").predict("jets.h5") gives what `jetbench predict`
    does. No code is stored with it, and the same runs make no second version.
    """
    from jetbench.report.registering import register_subject
    from jetbench.report.subjects import find_subject
    from jetbench.tracking.server import tracking_server
    from jetbench.tracking.store import Store, store_root

    place = Store(store_root(store), tracking_server(tracking_uri))
    found = find_subject(run, place, suite)
    tell_remarks(found)
    done = register_subject(found, place, name, alias)
    told = "is new" if done.new else "was there already, with the same weights"
    click.echo(f"{name}: version {done.version} {told}{f'; alias {alias}' if alias else ''}; in {place.uri}")
    click.echo(f"models:/{name}{f'@{alias}' if alias else f'/{done.version}'}")
