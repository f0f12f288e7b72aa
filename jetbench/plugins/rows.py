"""What a plug-in's module says that it adds: rows like those of the built-in tables, in its list `JETBENCH`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any

from jetbench.errors import PluginError
from jetbench.registry import Entry
from jetbench.spec import PluginRef

__all__ = ["ROWS", "TABLES", "Offer", "rows_of"]

ROWS = "JETBENCH"
NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")  # names are parts of names of runs and files, and are given in a shell
PAIRS = ("defaults", "allowed", "spaces", "published")  # of an option's name and something of it
# the tables that plug-ins add to, imported when they are asked for; "jetbench.models" is the group of entry points of "models"
TABLES = {
    "tasks": "jetbench.tasks:tasks",
    "models": "jetbench.models:models",
    "regimes": "jetbench.suites.stages:regimes",
    "objectives": "jetbench.objectives:objectives",
    "views": "jetbench.views:views",
    "augmentations": "jetbench.views:augmentations",
    "datasets": "jetbench.data.catalog:datasets",
    "formats": "jetbench.formats:formats",
    "metrics": "jetbench.evaluation.metrics:metrics",
}


@dataclass(frozen=True)
class Offer:
    """A name that a plug-in adds to a table. `whose` is the plug-in in words; `load` imports its code and gives the entry, None
    where there turns out to be none."""

    name: str
    whose: str
    load: Callable[[], Any]


def rows_of(module: ModuleType, plugin: PluginRef, whose: str) -> tuple[Entry, ...]:
    """Return the entries that a module adds, each with the plug-in that it is of.

    Raises `PluginError`, with the words for `whose` it is, where the module adds nothing, something else than entries of the
    tables, or an entry whose name or fields make no sense or whose code it has not.
    """
    rows = getattr(module, ROWS, None)
    if not isinstance(rows, list | tuple) or not rows:
        raise PluginError(f"{whose} adds nothing: give it a list {ROWS} of entries, as in {ROWS} = [ModelEntry(...)]")
    for row in rows:
        if not isinstance(row, Entry) or row.table not in TABLES:
            found = f"a {type(row).__name__}" if not isinstance(row, type) else f"the class {row.__name__} itself"
            raise PluginError(f"{whose}: {ROWS} holds {found}; what can be added are entries of {', '.join(TABLES)}")
        _check_fields(row, whose)
        _check_target(module, row, whose)
    return tuple(replace(row, plugin=plugin) for row in rows)


def _check_fields(row: Entry, whose: str) -> None:
    """The name can be written everywhere, and what is a tuple in a row is one."""
    if not isinstance(row.name, str) or not NAME.fullmatch(row.name):
        raise PluginError(f"{whose}: {row.name!r} is no name; write letters, digits and - _ . + without spaces, as in 'my-model'")
    for field in fields(row):
        value, paired = getattr(row, field.name), field.name in PAIRS
        if isinstance(field.default, tuple) and not (isinstance(value, tuple) and (not paired or all(map(_is_pair, value)))):
            form = "(('NAME', …), …)" if paired else "(…,)"
            raise PluginError(f"{whose}: {field.name} of {row.name!r} is {value!r}; write {field.name}={form}")


def _is_pair(one: object) -> bool:
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str)


def _check_target(module: ModuleType, row: Entry, whose: str) -> None:
    """The code of the module's own is there; that of others is imported when it is used."""
    if not row.target and row.table == "regimes":  # which is data
        return
    name, colon, attribute = str(row.target).partition(":")
    if not colon:
        raise PluginError(
            f'{whose}: the target of {row.name!r} is {row.target!r}; write f"{{__name__}}:NAME" for a NAME of the file'
        )
    if name == module.__name__ and not hasattr(module, attribute):
        raise PluginError(f"{whose}: {row.name!r} is to be {attribute}, which is not in it")
