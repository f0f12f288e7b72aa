"""A simulator of toy jets that keeps its contract, and recipes for each way of breaking it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from jetbench.jets import Jets, Meta
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.testing.toys import toy_jets

COUNT = itertools.count(1)


class Good(SimulationRecipe):
    class_names: ClassVar[tuple[str, ...]] = ("qcd", "top")
    fault: ClassVar[str] = ""
    name: Literal["broken"] = "broken"

    @property
    def rate(self) -> float:
        return 1000.0


class Slow(Good):
    @property
    def rate(self) -> float:
        return 0.0


class Lenient(Good):
    """Takes what makes no sense, and a number of jets that classes cannot share."""

    def __init__(self, jets: int, **given: Any) -> None:
        whole = max(2, jets - jets % 2)
        super().__init__(jets=whole, seed=given["seed"])


class Keyless(Good):
    @property
    def seed_key(self) -> str:
        return "0" * 64


class Renamed(Good):
    fault = "meta"


class Mislabelled(Good):
    fault = "label"


class Restless(Good):
    fault = "seed"


class Mute(Good):
    fault = "progress"


class Stuck(Good):
    def __reduce__(self) -> Any:
        raise TypeError("cannot be sent")


def make_meta(recipe: Good) -> Meta:
    meta: Meta = toy_jets(2).meta
    names = ("a", "b") if recipe.fault == "meta" else recipe.class_names
    provenance = meta.provenance.replace(source=recipe.name, seed=recipe.seed, remarks=recipe.remarks)
    return meta.replace(class_names=names, provenance=provenance)


def simulate_chunk(chunk: Chunk[Good], progress: Callable[[int], None]) -> Jets:
    seed = next(COUNT) if chunk.recipe.fault == "seed" else chunk.seed
    jets = toy_jets(chunk.jets, seed)
    label = np.full(chunk.jets, 0 if chunk.recipe.fault == "label" else chunk.label, np.int32)
    if chunk.recipe.fault != "progress":
        progress(chunk.jets)
    targets = {**jets.targets, "label": label}
    return replace(jets, meta=make_meta(chunk.recipe), event=chunk.event_ids(np.arange(chunk.jets)), targets=targets)
