"""Tables of named components that cost nothing to read: the code behind a name is imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from jetbench.errors import PluginError, UnknownNameError
from jetbench.spec import Component, Options, PluginRef

__all__ = ["Entry", "Registry", "nearest"]


def nearest(name: str, valid: Iterable[str], unlisted: Iterable[str] = ()) -> str:
    """Return a sentence that suggests the valid name closest to `name` and lists them all, but for the `unlisted` ones, which are
    valid too and too many."""
    names = sorted(valid)
    close = difflib.get_close_matches(name, [*names, *sorted(unlisted)], n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}valid names: {', '.join(names)}"


@dataclass(frozen=True)
class Entry:
    """One named component.

    `target` is "module:attribute", empty for one that is data and no code; `revision` is raised by hand whenever the component's
    numbers change, and is part of every run's digest. `plugin` is the plug-in that it comes from, None for a built-in one;
    `table` is what plug-ins call the table of such entries, empty where they add none.
    """

    table: ClassVar[str] = ""

    name: str
    target: str
    summary: str
    source: str = ""
    revision: int = 1
    plugin: PluginRef | None = field(default=None, kw_only=True)

    def load(self) -> Any:
        """Import the code behind the name. Raises `PluginError` where that of a plug-in cannot be imported."""
        module, attribute = self.target.split(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except Exception as error:
            if self.plugin is None:
                raise
            raise PluginError(
                f"{self.plugin.text}: {self.name!r} is {self.target}, which fails: {type(error).__name__}: {error}"
            ) from error

    def component(self, options: Options = ()) -> Component:
        """Return it with options as part of a run's spec."""
        return Component(name=self.name, revision=self.revision, options=options, plugin=self.plugin)


E = TypeVar("E", bound=Entry)


class Registry(Generic[E]):
    """Entries of one kind ("model", "regime", …) by name."""

    def __init__(self, kind: str, entries: Iterable[E]) -> None:
        self.kind = kind
        self._entries: dict[str, E] = {}
        for entry in entries:
            if other := self._entries.get(entry.name):
                one, two = (each.target or each.summary for each in (other, entry))
                raise ValueError(f"{kind} {entry.name!r} is registered twice: {one} and {two}")
            self._entries[entry.name] = entry

    def __iter__(self) -> Iterator[E]:
        return iter(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __getitem__(self, name: str) -> E:
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(f"no {self.kind} {name!r}; {nearest(name, self._entries)}") from None
