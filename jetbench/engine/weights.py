"""Imported weights of a plan, tried on the networks that are to start from them before anything is trained or simulated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jetbench.suites.graph import Graph

__all__ = ["Tried", "try_weights", "weights_folders"]


class Tried(NamedTuple):
    """An arm by its name, the folder of its weights as the suite has it, the model and file that they come from, and what has to
    be adapted of them, in words."""

    name: str
    folder: str
    origin: str
    adaptations: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"{self.name} starts from the weights in {self.folder}, of {self.origin}"
        yield from (f"{self.name}: adapted: {text}" for text in self.adaptations)


def weights_folders(plan: Graph) -> dict[str, Path]:
    """Return the folders of imported weights by the sha256 of their file."""
    return {one.sha256: Path(one.name).expanduser().absolute() for one in plan.instance.weights}


def try_weights(plan: Graph) -> Iterator[Tried]:
    """Load the weights of every arm that starts from some. Raises `DataFileError` for what does not fit or is no import."""
    folders = weights_folders(plan)
    tried = {(run.arm, one): run.spec for run in plan.runs.values() if (one := run.spec.weights) is not None}
    if tried:
        from jetbench.runs.external import adaptations  # torch, which a plan without such an arm does without

        for (arm, weights), spec in tried.items():
            origin, adapted = adaptations(spec, folders[weights.sha256], plan.instance.meta)
            yield Tried(arm, weights.name, origin, adapted)
