"""What weights are called where others publish them, and what jetbench calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["ENCODER", "HEAD", "Layout", "layout_of", "own_name"]

HEAD, ENCODER = "head.", "encoder."

Begins = str | Callable[[re.Match[str]], str]


@dataclass(frozen=True)
class Layout:
    """How names of a file begin, as patterns, and how in a network those tensors do; nothing stands for what the file has twice.
    `told` says in words what is done."""

    told: str
    names: tuple[tuple[str, Begins], ...]

    def own(self, name: str) -> str | None:
        """Return the name in a network of what the file has by this name, None of what it has twice."""
        for pattern, begins in self.names:
            if found := re.match(pattern, name):
                begin = begins if isinstance(begins, str) else begins(found)
                return begin + name[found.end() :] if begin else None
        return own_name(name)


def own_name(name: str) -> str:
    """Return a name of no layout in particular as a network has it: whatever is not the head's is the encoder's."""
    return name if name.startswith((HEAD, ENCODER)) else ENCODER + name


def _edge_layer(found: re.Match[str]) -> str:
    return f"{ENCODER}layer{int(found[1]) + 1}.edge."


LAYOUTS = (
    Layout("'linear' is the head", ((r"linear\.", HEAD),)),  # of the electron/photon network
    Layout(
        "the names are those of jetnet's ParticleNet: its edge_nets are the layers, fc1 is connected, fc2 the head",
        (
            (r"edge_nets\.(\d+)\.model\.", _edge_layer),
            (r"edge_convs\.\d+\.nn\.model\.", ""),  # the same modules once more
            (r"fc1\.", f"{ENCODER}connected."),
            (r"fc2\.", HEAD),
        ),
    ),
)


def layout_of(names: Iterable[str]) -> Layout | None:
    """Return the published layout that one of these names tells; None where none does."""
    known = list(names)
    return next((one for one in LAYOUTS if any(re.match(one.names[0][0], name) for name in known)), None)
