"""Files that a store keeps of the plug-ins that its runs rest on: by them it is read, and goes on, wherever it is."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

from jetbench.errors import PluginError
from jetbench.files import write_atomically
from jetbench.plugins import installed
from jetbench.plugins.given import activate, find_given, make_given
from jetbench.spec import PluginRef

__all__ = ["adopt", "keep", "kept_files", "kept_with"]

FOLDER = "plugins"


def keep(root: Path, plugins: Iterable[PluginRef]) -> None:
    """Write the files among these plug-ins, which count here, below a folder. Raises `StoreError` where it cannot be written."""
    for plugin in plugins:
        given = find_given(plugin.sha256)
        if given is not None and not (path := _path(root, plugin)).exists():
            write_atomically(path, given.content)


def adopt(plugins: Iterable[PluginRef], *roots: Path) -> None:
    """Let these plug-ins count: files as one of the folders keeps them, in place of others that add the same names, as an older
    or a newer form of theirs does.

    Raises `PluginError` for a file that no folder has and that was not given, or that is not what was kept, and for an installed
    package that is gone or has changed.
    """
    for plugin in plugins:
        if plugin.file:
            _adopt_file(plugin, roots)
        else:
            _refuse_changed(plugin)


def kept_files(root: Path) -> dict[str, Path]:
    """Return the files that a folder keeps by the sha256 of their content, the latest first."""
    files = [path for path in root.glob(f"{FOLDER}/*/*") if path.is_file()]
    return {path.parent.name: path for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)}


def kept_with(root: Path, name: str) -> list[Path]:
    """Return the kept files that write a name, or that of the objective which brings a regime of that name, the latest first.
    They are read and not run: nobody has asked for them."""
    names = {name, *(name.removesuffix(ending) for ending in ("-frozen", "-lpft"))}
    return [path for path in kept_files(root).values() if names & _texts(path)]


def _texts(path: Path) -> set[str]:
    """The texts that a Python file writes; none of one that is none."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return set()
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _adopt_file(plugin: PluginRef, roots: tuple[Path, ...]) -> None:
    if find_given(plugin.sha256) is not None:
        return
    path = next((path for root in roots if (path := _path(root, plugin)).is_file()), None)
    if path is None:
        where = " nor in ".join(str(root) for root in roots)
        raise PluginError(f"the plug-in {plugin.text} is not kept in {where}; give the file as it was with --plugin")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != plugin.sha256:
        raise PluginError(f"{path} has changed since it was kept; give the plug-in as it was with --plugin, or remove the file")
    activate(make_given(plugin, content), replacing=True)


def _refuse_changed(plugin: PluginRef) -> None:
    there = [one for one in installed.find_installed() if one.distribution == plugin.distribution]
    if any(one.plugin.sha256 == plugin.sha256 for one in there):
        return
    found = f"is {there[0].plugin.text} now" if there else "is not installed"
    raise PluginError(f"the plug-in {plugin.text} {found}; install it as it was, or run the suite anew with what there is")


def _path(root: Path, plugin: PluginRef) -> Path:
    return root / FOLDER / plugin.sha256 / plugin.name
