"""Local files as plug-ins: the ones that count in this process, each imported under a name that its content decides."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from jetbench.errors import PluginError
from jetbench.plugins.beside import refuse_beside
from jetbench.plugins.rows import TABLES, rows_of
from jetbench.registry import Entry
from jetbench.spec import PluginRef

__all__ = ["Given", "activate", "active", "changes", "find_given", "make_given", "restore", "scope", "snapshot", "use"]


@dataclass(frozen=True, eq=False)
class Given:
    """A file by what it held when it was read, and the entries that it adds."""

    plugin: PluginRef
    content: bytes
    entries: tuple[Entry, ...]

    @property
    def names(self) -> set[tuple[str, str]]:
        """Table and name of each entry."""
        return {(entry.table, entry.name) for entry in self.entries}


_active: list[Given] = []
_changes = 0  # how often that has changed: what was made of it is then made anew


def active() -> tuple[Given, ...]:
    """Return the files that count, in the order in which they were given."""
    return tuple(_active)


def changes() -> int:
    """Return a number that is another one whenever other files count."""
    return _changes


def find_given(sha256: str) -> Given | None:
    """Return the file of this content where it counts."""
    return next((one for one in _active if one.plugin.sha256 == sha256), None)


def use(path: str | Path) -> None:
    """Import a local file, so that what it adds is there beside what is built in, for as long as the process lives, or until the
    same file is given again with other content.

    Raises `PluginError` for a file that cannot be read or imported, that adds nothing or imports another one beside it, and for
    a name that is taken.
    """
    with _kept_on_error():
        content = _read(Path(path).expanduser())
        refuse_beside(Path(path).expanduser(), content)
        given = make_given(PluginRef(sha256=hashlib.sha256(content).hexdigest(), file=str(path)), content)
        _set([one for one in _active if one is given or one.plugin.file != str(path)])
        activate(given)
        for table in {entry.table for entry in given.entries} | {"regimes"}:  # objectives bring regimes
            module, attribute = TABLES[table].split(":")
            getattr(import_module(module), attribute).check()


def make_given(plugin: PluginRef, content: bytes) -> Given:
    """Import the content of a file. Raises `PluginError` as `use` does."""
    known = find_given(plugin.sha256)
    return known or Given(plugin, content, rows_of(_imported(plugin, content), plugin, f"the plug-in {plugin.file}"))


def activate(given: Given, replacing: bool = False) -> None:
    """Let a file count too, and where it is `replacing` others, none of those that add one of its names."""
    if given not in _active:
        _set([*(one for one in _active if not (replacing and one.names & given.names)), given])


def restore(files: Iterable[tuple[PluginRef, bytes]]) -> None:
    """Let these files and no others count."""
    _set([make_given(plugin, content) for plugin, content in files])


def snapshot() -> tuple[tuple[PluginRef, bytes], ...]:
    """Return the files that count as `restore` takes them, in another process too."""
    return tuple((one.plugin, one.content) for one in _active)


@contextmanager
def scope() -> Iterator[None]:
    """Let the files that count now count again at the end."""
    before = list(_active)
    try:
        yield
    finally:
        _set(before)


@contextmanager
def _kept_on_error() -> Iterator[None]:
    before = list(_active)
    try:
        yield
    except BaseException:
        _set(before)
        raise


def _set(files: list[Given]) -> None:
    global _changes
    if files != _active:
        _active[:] = files
        _changes += 1


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PluginError(f"the plug-in {path} cannot be read ({error.strerror}); name a Python file with --plugin") from error


def _imported(plugin: PluginRef, content: bytes) -> ModuleType:
    """The module that a file is, under a name by which every process finds it that was given the same content."""
    name = f"jetbench_plugin_{plugin.sha256[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = plugin.file
    sys.modules[name] = module  # before it is executed: classes look up the module that they are of
    try:
        exec(compile(content, plugin.file, "exec", dont_inherit=True), vars(module))
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception | SystemExit):
            raise
        raise PluginError(
            f"the plug-in {plugin.file} cannot be imported{_place(error, plugin.file)}: {type(error).__name__}: {error}"
        ) from error
    return module


def _place(error: BaseException, file: str) -> str:
    """The line of the file that an error comes of, ", line 7"; empty where none is known."""
    line, trace = None, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == file else line
        trace = trace.tb_next
    return f", line {line}" if line is not None else ""
