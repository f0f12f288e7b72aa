"""Plug-ins of installed packages, by their entry points: listed without being imported, imported when one is named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from jetbench.errors import PluginError
from jetbench.plugins.rows import TABLES, rows_of
from jetbench.registry import Entry
from jetbench.spec import PluginRef

__all__ = ["Installed", "find_installed"]


@dataclass(frozen=True)
class Installed:
    """An entry point in the group of a table: the name of what is added, and the module whose rows have it."""

    table: str
    name: str
    module: str
    distribution: str
    version: str

    @property
    def whose(self) -> str:
        return f"the plug-in {self.distribution} {self.version} ({self.module})"

    @property
    def plugin(self) -> PluginRef:
        """What runs are known by that rest on it. Raises `PluginError` where its source is not found."""
        return PluginRef(sha256=_digest(self), distribution=self.distribution, version=self.version)

    def load(self) -> Entry:
        """Import the module and return its row of the name. Raises `PluginError` where that fails, and where there is none."""
        if ":" in self.module:
            raise PluginError(f"{self.whose}: the entry point {self.name!r} names more than a module; leave out what follows it")
        try:
            module = import_module(self.module)
        except Exception as error:
            raise PluginError(f"{self.whose} cannot be imported: {type(error).__name__}: {error}") from error
        rows = rows_of(module, self.plugin, self.whose)
        row = next((row for row in rows if (row.table, row.name) == (self.table, self.name)), None)
        if row is None:
            others = ", ".join(f"{row.name} of {row.table}" for row in rows)
            raise PluginError(f"{self.whose} has no {self.name!r} of {self.table}, which its entry point promises, but {others}")
        return row


@cache
def find_installed() -> tuple[Installed, ...]:
    """List the plug-ins that are installed, table by table; nothing of theirs is imported."""
    found = entry_points()
    return tuple(
        Installed(table, one.name, one.value, one.dist.name if one.dist else "?", one.dist.version if one.dist else "?")
        for table in TABLES
        for one in found.select(group=f"jetbench.{table}")
    )


@cache
def _digest(one: Installed) -> str:
    """The sha256 of the Python files of the outermost package that the module is in, which no namespace is, or of a module that
    stands alone: rows may be in another file than the code that they name."""
    root = _root(one)
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
        digest.update(path.relative_to(root.parent).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _root(one: Installed) -> Path:
    parts = one.module.split(".")
    for depth in range(1, len(parts) + 1):
        try:
            spec = find_spec(".".join(parts[:depth]))
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            break
        if spec.origin is not None:
            path = Path(spec.origin)
            return path.parent if path.name == "__init__.py" else path
    raise PluginError(f"{one.whose}: there is no such module; install the package again")
