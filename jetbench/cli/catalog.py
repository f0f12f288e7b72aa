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


def _studies() -> list[tuple[str, str]]:
    from jetbench.suites.study_file import find_study, study_names

    return [(name, find_study(name).question) for name in study_names()]


FILES = {"suites": _suites, "studies": _studies}  # names and questions of what is shipped as a file


def _rows(kind: str) -> list[tuple[str, str]]:
    return FILES[kind]() if kind in FILES else [(entry.name, entry.summary) for entry in _entries(kind)]


@click.command()
@click.argument("kind", required=False, type=click.Choice([*KINDS, "suites", "studies"]))
def ls(kind: str | None) -> None:
    """List models, regimes, datasets, formats, suites, studies and more.

    Piped, `ls KIND` has one name a line, and `ls` one line of kind, name and summary for each: a name may be of several kinds.
    """
    for each in [kind] if kind else [*FILES, *KINDS]:
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
    from jetbench.suites.study_file import study_names, study_text
    from jetbench.suites.suite import suite_names, suite_text

    if name in (*KINDS, *FILES):
        _list(_rows(name))
        return
    found = [(kind, entry) for kind in KINDS for entry in _entries(kind) if entry.name == name]
    texts = [read(name) for names, read in ((suite_names(), suite_text), (study_names(), study_text)) if name in names]
    for text in texts:
        click.echo(text, nl=False)
    for kind, entry in found:
        click.echo("\n".join(_describe(kind, entry)))
    if not found and not texts:
        names = {entry.name for kind in KINDS for entry in _entries(kind)}
        raise UnknownNameError(f"nothing is called {name!r}; {nearest(name, {*names, *suite_names(), *study_names(), *KINDS})}")


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
