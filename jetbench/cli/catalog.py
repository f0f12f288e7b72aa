"""`jetbench ls` and `jetbench show`: what there is to combine."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from importlib import import_module

import click

from jetbench.registry import Entry, nearest
from jetbench.spec import Recipe

__all__ = ["ls", "show"]

# torch-free tables, imported when asked for
KINDS = {
    "tasks": "jetbench.tasks:tasks",
    "models": "jetbench.models:models",
    "regimes": "jetbench.suites.stages:regimes",
    "objectives": "jetbench.objectives:objectives",
    "views": "jetbench.views:views",
    "augmentations": "jetbench.views:augmentations",
    "recipes": "jetbench.recipes:recipes",
    "datasets": "jetbench.data.catalog:datasets",
    "formats": "jetbench.formats:formats",
}


def _entries(kind: str) -> list[Entry]:
    module, attribute = KINDS[kind].split(":")
    return list(getattr(import_module(module), attribute))


def _suites() -> list[tuple[str, str]]:
    from jetbench.suites.suite import find_suite, suite_names

    return [(name, find_suite(name).question) for name in suite_names()]


def _rows(kind: str) -> list[tuple[str, str]]:
    return _suites() if kind == "suites" else [(entry.name, entry.summary) for entry in _entries(kind)]


@click.command()
@click.argument("kind", required=False, type=click.Choice([*KINDS, "suites"]))
def ls(kind: str | None) -> None:
    """List models, regimes, datasets, formats, suites and more.

    Piped, `ls KIND` has one name a line, and `ls` one line of kind, name and summary for each: a name may be of several kinds.
    """
    for each in [kind] if kind else ["suites", *KINDS]:
        rows = _rows(each)
        if sys.stdout.isatty():
            click.secho(each, bold=True)
            _list(rows)
        elif kind:
            click.echo("".join(f"{name}\n" for name, _ in rows), nl=False)
        else:
            click.echo("".join(f"{each:<14}  {name:<28}  {summary}\n" for name, summary in rows), nl=False)


def _list(rows: Iterable[tuple[str, str]]) -> None:
    for name, summary in rows:
        click.echo(f"  {name:<28}  {summary}")


@click.command()
@click.argument("name")
def show(name: str) -> None:
    """Explain one name: what it is, where it comes from, how it is configured; of a kind, what there is."""
    from jetbench.errors import UnknownNameError
    from jetbench.suites.suite import suite_names, suite_text

    if name in (*KINDS, "suites"):
        _list(_rows(name))
        return
    found = [(kind, entry) for kind in KINDS for entry in _entries(kind) if entry.name == name]
    if name in suite_names():
        click.echo(suite_text(name), nl=False)
    for kind, entry in found:
        click.echo("\n".join(_describe(kind, entry)))
    if not found and name not in suite_names():
        names = {entry.name for kind in KINDS for entry in _entries(kind)}
        raise UnknownNameError(f"nothing is called {name!r}; {nearest(name, {*names, *suite_names(), *KINDS})}")


def _describe(kind: str, entry: Entry) -> Iterable[str]:
    yield f"{kind.removesuffix('s')} {entry.name}, revision {entry.revision}: {entry.summary}"
    if entry.source:
        yield f"source: {entry.source}"
    if entry.target:
        yield f"code: {entry.target}"
    if defaults := getattr(entry, "defaults", ()):
        yield f"options: {', '.join(f'{name}={value}' for name, value in defaults)}"
    if allowed := getattr(entry, "allowed", ()):
        yield f"allowed: {'; '.join(f'{name} is {values}' for name, values in allowed)}"
    for stage in getattr(entry, "stages", ()):
        yield f"stage {stage.name}: {', '.join(f'{name} {value}' for name, value in stage if name != 'name' and value)}"
    if needs := getattr(entry, "needs", ()):
        yield f"needs of the jets: {', '.join(needs)}"
    if getattr(entry, "carded", False):
        yield "needs a card, a YAML file that describes the data: `jetbench data convert --card`; its keys:"
        yield from _card_keys(entry.name)
    recipe = getattr(entry, "recipe", None)
    if isinstance(recipe, Recipe):
        yield from (f"  {key}: {_plain(value)}" for key, value in recipe.model_dump().items() if key != "name")


def _card_keys(kind: str) -> Iterable[str]:
    """The description of a kind of card, and each of its keys with its default."""
    from jetbench.formats.cards import KINDS as CARDS

    card = CARDS[kind]
    for key, field in card.model_fields.items():
        yield f"  {key:<14}" + ("needed" if field.is_required() else f"default: {field.default or 'none'}")
    yield inspect.cleandoc(card.__doc__ or "")


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"{step['name']}({', '.join(f'{k}={v}' for k, v in step['options'])})" for step in value)
    return str(value)
