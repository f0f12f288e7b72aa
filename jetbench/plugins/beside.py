"""What a local file imports from beside it is refused: runs are known by the file alone, and no store keeps more of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from jetbench.errors import PluginError

__all__ = ["refuse_beside"]


def refuse_beside(path: Path, content: bytes) -> None:
    """Raise `PluginError` where a plug-in's file, which holds this content, imports a file or folder that lies beside it. A file
    that is no Python passes: its import tells more."""
    for name in _imports(content):
        if (found := _beside(path.absolute().parent, name)) is not None:
            raise PluginError(
                f"the plug-in {path} imports {name} from {found.name} beside it, whose changes no run would know of and which no "
                "store would keep; put all of it into the one file, or both into a package with an entry point"
            )


def _imports(content: bytes) -> Iterator[str]:
    """The outermost names that are imported anywhere in a file, relative ones too."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (one.name.split(".")[0] for one in node.names)


def _beside(folder: Path, name: str) -> Path | None:
    """What lies in a folder under a name that nothing installed has; jetbench itself may lie there, in a checkout."""
    own = next((one for one in (folder / f"{name}.py", folder / name) if one.exists()), None)
    if own is None or name == "jetbench":
        return None
    try:
        spec = find_spec(name)
    except ValueError:  # of a module that something has put there by hand
        spec = None
    places = [] if spec is None else [spec.origin, *(spec.submodule_search_locations or ())]
    return own if spec is None or own in [Path(one).absolute() for one in places if one] else None
