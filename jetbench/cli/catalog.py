"""`jetbench ls` and `jetbench show`: what there is to combine."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import click

from jetbench.formats import FormatEntry
from jetbench.models import ModelEntry
from jetbench.plugins import TABLES
from jetbench.registry import Entry
from jetbench.spec import Recipe

if TYPE_CHECKING:
    from jetbench.suites.settings import ScaledFile

__all__ = ["ls", "show"]

# torch-free tables, imported when asked for
CLOSED = {
    "pipelines": "jetbench.recipes:pipelines",
    "faults": "jetbench.faults:faults",
    "recipes": "jetbench.recipes:recipes",
}
ORDER = ("tasks", "models", "regimes", "objectives", "views", "augmentations", *CLOSED, "datasets", "formats", "metrics")
KINDS = {kind: {**TABLES, **CLOSED}[kind] for kind in ORDER}


def _entries(kind: str) -> list[Entry]:
    module, attribute = KINDS[kind].split(":")
    return list(getattr(import_module(module), attribute))


class Row(NamedTuple):
    """What a list says of a name: one line, and where it comes from."""

    name: str
    summary: str
    origin: str


def _suites() -> list[Row]:
    from jetbench.suites.suite import find_suite, suite_names

    return [_of_file(name, find_suite(name)) for name in suite_names()]


def _studies() -> list[Row]:
    from jetbench.suites.study_file import find_study, study_names

    return [_of_file(name, find_study(name)) for name in study_names()]


NEAR = 3  # names that are suggested for one that nothing has
MIXES = "what a row mixes"
FILES = {"suites": _suites, "studies": _studies}  # what is shipped as a file


def _of_file(name: str, file: ScaledFile) -> Row:
    bases = {key: choice["base"] for key, choice in file.common.get("recipes", {}).items() if "base" in choice}
    return Row(name, file.question, _origin(file.source, ", ".join(dict.fromkeys(bases.values()))))


def _rows(kind: str) -> list[Row]:
    return FILES[kind]() if kind in FILES else [_row(entry) for entry in _entries(kind)]


def _row(entry: Entry) -> Row:
    recipe = getattr(entry, "recipe", "")
    mark = f" [plug-in {entry.plugin.text}]" if entry.plugin else ""
    origin = _origin(entry.source, recipe if isinstance(recipe, str) else "", getattr(entry, "mixes", ""))
    return Row(entry.name, f"{entry.summary}{mark}", origin)


def _origin(source: str, recipe: str, mixes: str = "") -> str:
    return "; ".join(f"{name}: {text}" for name, text in (("source", source), ("recipe", recipe), (MIXES, mixes)) if text)


@click.command()
@click.argument("kind", required=False, type=click.Choice([*KINDS, "suites", "studies"]))
def ls(kind: str | None) -> None:
    """List models, regimes, datasets, formats, suites, studies and more; of one KIND with sources and recipes.

    Piped, `ls KIND` has one name a line, and `ls` one line of kind, name and summary for each: a name may be of several kinds.
    """
    for each in [kind] if kind else [*FILES, *KINDS]:
        rows = _rows(each)
        if sys.stdout.isatty():
            click.secho(each, bold=True)
            _list(rows, origins=kind is not None)
        elif kind:
            click.echo("".join(f"{row.name}\n" for row in rows), nl=False)
        else:
            click.echo("".join(f"{each:<14}  {row.name:<28}  {row.summary}\n" for row in rows), nl=False)


def _list(rows: Iterable[Row], origins: bool = True) -> None:
    """A line for each, and below it, indented, where it comes from."""
    for row in rows:
        click.echo(f"  {row.name:<28}  {row.summary}")
        if origins and row.origin:
            click.echo(f"{'':<32}{row.origin}")


@click.command()
@click.argument("name")
def show(name: str) -> None:
    """Explain one name: what it is, where it comes from, how it is configured; of a kind, what there is.

    A plug-in's component is tried by the contract of its kind; the exit status is 1 where it breaks it.
    """
    from jetbench.errors import UnknownNameError
    from jetbench.suites.study_file import study_names, study_text
    from jetbench.suites.suite import suite_names, suite_text

    broken = False
    if of_kind := name in (*KINDS, *FILES):
        _list(_rows(name))
    found = [(kind, entry) for kind in KINDS for entry in _entries(kind) if entry.name == name]
    files = (("suite", suite_names(), suite_text), ("study", study_names(), study_text))
    texts: list[tuple[str, str, Entry | None]] = [(kind, read(name), None) for kind, names, read in files if name in names]
    texts += [(kind.removesuffix("s"), _explained(kind, entry), entry) for kind, entry in found]
    for kind, text, entry in texts:
        if len(texts) > 1 or of_kind:  # else what is shown of a suite is its file as it is
            click.secho(f"# {kind} {name}", bold=True)
        click.echo(text, nl=False)
        if entry is not None and entry.plugin:
            broken |= _contract_is_broken(kind, entry)
    if not texts and not of_kind:
        names = {entry.name for kind in KINDS for entry in _entries(kind)}
        close = get_close_matches(name, sorted({*names, *suite_names(), *study_names(), *KINDS}), n=NEAR, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise UnknownNameError(f"nothing is called {name!r}; {hint}`jetbench ls` lists all names", name)
    if broken:
        raise click.exceptions.Exit(1)


def _explained(kind: str, entry: Entry) -> str:
    """What is shown of a component: a description, or of a format that is a card the card, to be copied."""
    if isinstance(entry, FormatEntry) and entry.shipped:
        from jetbench.formats.shipped_cards import card_text

        return f"# format {entry.name}: {entry.summary}\n{card_text(entry.name)}"
    return "".join(f"{line}\n" for line in _describe(kind, entry))


def _describe(kind: str, entry: Entry) -> Iterable[str]:
    yield f"{kind.removesuffix('s')} {entry.name}, revision {entry.revision}: {entry.summary}"
    if entry.source:
        yield f"source: {entry.source}"
    if mixes := getattr(entry, "mixes", ""):
        yield f"{MIXES}: {mixes}"
    if entry.target:
        yield f"code: {entry.target}"
    if entry.plugin:
        yield f"plug-in: {entry.plugin.file or entry.plugin.name}, sha256 {entry.plugin.sha256}"
    if defaults := getattr(entry, "defaults", ()):
        yield f"options: {', '.join(f'{name}={value}' for name, value in defaults)}"
    if published := getattr(entry, "published", ()):
        yield f"published size: {', '.join(f'{name}={value}' for name, value in published)}"
    if isinstance(name := getattr(entry, "recipe", None), str) and name:
        yield f"recipe: {name}"
    if allowed := getattr(entry, "allowed", ()):
        yield f"allowed: {'; '.join(f'{name} is {values}' for name, values in allowed)}"
    if steps := getattr(entry, "steps", ()):
        yield f"steps: {_plain([step.model_dump() for step in steps])}"
    for stage in getattr(entry, "stages", ()):
        yield f"stage {stage.name}: {', '.join(f'{name} {value}' for name, value in stage if name != 'name' and value)}"
    if entry.table == "views" and entry.name in FEATURES:
        yield f"features, in this order: {FEATURES[entry.name]}"
    if needs := getattr(entry, "needs", ()):
        yield f"needs of the jets: {', '.join(needs)}"
    if getattr(entry, "carded", False):
        yield "needs a card, a YAML file that describes the data: `jetbench data convert --card`; its keys:"
        yield from _card_keys(entry.name)
    if isinstance(entry, ModelEntry) and entry.kind == "network" and entry.view in SHOWN:
        yield _size(entry)
    recipe = getattr(entry, "recipe", None)
    if isinstance(recipe, Recipe):
        yield from (f"  {key}: {_plain(value)}" for key, value in recipe.model_dump().items() if key != "name")


def _contract_is_broken(kind: str, entry: Entry) -> bool:
    """Print what the contract of its kind says of a plug-in's component, a line for each property as soon as it was tried: all of
    them take up to minutes. What fails for a reason that was told already is counted, and not told again."""
    from jetbench.testing import contract_of

    click.echo("contract:")
    told, again = set[tuple[str, str]](), 0
    for line, error in contract_of(kind, entry.name)[1].results(entry):
        reason = (type(error).__name__, str(error))
        if error is not None and reason in told:
            again += 1
            continue
        told |= {reason} if error is not None else set()
        click.echo(f"  {line}")
    if again:
        click.echo(f"  failed for a reason told above: {again} more")
    click.echo("contract: broken" if told else "contract: kept")
    return bool(told)


# of each element of a view's sets
FEATURES = {
    "constituents": "Δeta, Δphi [rad], distance from the axis, ln pT, ln of the share in the pT of the jet, and for each channel "
    "its share in the deposit's own pT; of features=jetnet: Δeta, Δphi [rad], share in the pT of the jet; all shifted and divided"
}
# the shapes of a view of jets with three channels, by which sizes are told
SHOWN: dict[str, dict[str, tuple[int, ...]]] = {"image": {"image": (3, 32, 32)}, "constituents": {"constituents": (80, 8)}}


def _size(entry: ModelEntry) -> str:
    """Parameters, operations and shapes of a network with its defaults, for two outputs."""
    from jetbench.models.cost import network_cost
    from jetbench.models.network import build_network
    from jetbench.spec import Component

    shapes = SHOWN[entry.view]
    try:
        cost = network_cost(build_network(Component(name=entry.name), shapes, 2, seed=0), shapes, 2)
    except Exception as error:  # of a plug-in's code, whose contract tells more
        if entry.plugin is None:
            raise
        return f"size: unknown, since the network cannot be tried: {type(error).__name__}: {error}"
    return f"size: {cost.shapes}; {cost.parameters:,} parameters, {cost.flops:,} FLOPs for a jet"


def _default(value: object) -> object:
    return "none" if value in (None, "", (), {}) else value


def _card_keys(kind: str) -> Iterable[str]:
    """The description of a kind of card, and each of its keys with its default."""
    from jetbench.formats.card import Card
    from jetbench.formats.cards import KINDS as CARDS

    card = CARDS[kind]
    for key, field in card.model_fields.items():
        yield f"  {key:<17}" + ("needed" if field.is_required() else f"default: {_default(field.default)}")
    yield inspect.cleandoc(Card.__doc__ or "")
    yield inspect.cleandoc(card.__doc__ or "")


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"{step['name']}({', '.join(f'{k}={v}' for k, v in step['options'])})" for step in value)
    return str(value)
