"""Tables of components that plug-ins add to."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from jetbench.errors import PluginError, UnknownNameError
from jetbench.plugins import installed
from jetbench.plugins.given import active, changes
from jetbench.plugins.rows import Offer
from jetbench.registry import E, Entry, Registry, nearest

__all__ = ["OpenRegistry"]


class OpenRegistry(Registry[E]):
    """A table of built-in entries, its `own`, beside which those of plug-ins stand: of files that were given, and of installed
    packages, whose code is imported when one of its names is asked for, or all are listed."""

    def __init__(self, kind: str, own: list[E]) -> None:
        super().__init__(kind, own)
        self.table = f"{kind}s"
        self._added: dict[str, Offer] = {}
        self._made_at = -1

    @property
    def own(self) -> list[E]:
        """The built-in entries."""
        return list(self._entries.values())

    def __iter__(self) -> Iterator[E]:
        yield from self.own
        yield from (entry for offer in self.added().values() if (entry := offer.load()) is not None)

    def __contains__(self, name: object) -> bool:
        offer = self.added().get(name) if isinstance(name, str) else None
        return name in self._entries or (offer is not None and offer.load() is not None)

    def __getitem__(self, name: str) -> E:
        offer = self.added().get(name)
        entry: E | None = self._entries.get(name) if offer is None else offer.load()
        if entry is None:
            raise UnknownNameError(f"no {self.kind} {name!r}; {nearest(name, [*self._entries, *self.added()])}", name)
        return entry

    def check(self) -> None:
        """Raise `PluginError` for a name of a plug-in that is taken by a built-in entry or another plug-in."""
        self.added()

    def added(self) -> dict[str, Offer]:
        """Return what plug-ins add, by name. Raises `PluginError` as `check` does."""
        if self._made_at != changes():
            found: dict[str, Offer] = {}
            for offer in self.offers():
                if (other := self._taken(offer, found)) is not None:
                    raise PluginError(f"the {self.kind} {offer.name!r} of {offer.whose} has the name of {other}; rename it")
                found[offer.name] = offer
            self._added, self._made_at = found, changes()
        return self._added

    def offers(self) -> Iterator[Offer]:
        """Yield what plug-ins add, names that are taken included."""
        for given in active():
            for entry in given.entries:
                if entry.table == self.table:
                    yield Offer(entry.name, f"the plug-in {given.plugin.file}", partial(_itself, entry))
        for one in installed.find_installed():
            if one.table == self.table:
                yield Offer(one.name, one.whose, one.load)

    def _taken(self, offer: Offer, found: dict[str, Offer]) -> str | None:
        """Whose a name is already, in words."""
        if (own := self._entries.get(offer.name)) is not None:
            return f"a built-in one ({own.target or own.summary})" if offer.load() is not None else None
        other = found.get(offer.name)
        return other.whose if other is not None and offer.load() is not None and other.load() is not None else None


def _itself(entry: Entry) -> Entry:
    return entry
