"""The plan of a dataset in chunks, each of which is made from its own seed alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from jetbench.seeds import derive, numpy_rng
from jetbench.simulation.recipe import SimulationRecipe

__all__ = ["MAX_SEED", "Chunk", "plan"]

CHUNK_JETS = 500  # seconds of work: long against the generator's start, short against an interrupt
SPLIT_JETS = 250  # more jets of a class than these make two chunks, which keep two workers busy to the end
EVENT_BITS, CHUNK_BITS = 24, 20
MAX_SEED = 900_000_000  # Pythia's limit (manual, "Random-Number Seed"), which other generators share

R = TypeVar("R", bound=SimulationRecipe, covariant=True)


@dataclass(frozen=True)
class Chunk(Generic[R]):
    """`jets` accepted jets of one class from one seed; `index` counts over all classes of the recipe."""

    recipe: R
    index: int
    label: int
    jets: int

    @property
    def seed(self) -> int:
        """The generator's seed, 1 to 900 000 000: derived from the recipe, and different for every chunk of it."""
        return 1 + (derive("simulation", self.recipe.seed_key) + self.index) % MAX_SEED

    @property
    def class_name(self) -> str:
        return self.recipe.class_names[self.label]

    def rng(self, purpose: str) -> np.random.Generator:
        """Seed random numbers of this chunk that no other purpose shares."""
        return numpy_rng(purpose, self.recipe.seed_key, self.index)

    def event_ids(self, events: np.ndarray) -> np.ndarray:
        """Turn the numbers (n,) of the chunk's events into ids (n,) int64.

        Ids are unique within a dataset. A few of their bits come from the recipe, so that two datasets rarely share one.
        """
        dataset = derive("event", self.recipe.seed_key) % (1 << (63 - CHUNK_BITS - EVENT_BITS))
        first = ((dataset << CHUNK_BITS) | self.index) << EVENT_BITS
        return first | np.asarray(events, np.int64)

    def file(self, folder: Path) -> Path:
        """Name the chunk's file in a folder by what its jets depend on."""
        return folder / f"{self.index:05d}-{self.class_name}-{self.jets}-{self.recipe.seed_key[:12]}.h5"


def plan(recipe: SimulationRecipe) -> tuple[Chunk[SimulationRecipe], ...]:
    """Divide a recipe into chunks of nearly equal size, class by class in turn; they depend on nothing but the recipe."""
    classes = len(recipe.class_names)
    each = recipe.jets // classes
    count = max(-(-each // CHUNK_JETS), min(2, -(-each // SPLIT_JETS)))
    sizes = [each // count + (i < each % count) for i in range(count)]
    return tuple(
        Chunk(recipe, index=classes * i + label, label=label, jets=size)
        for i, size in enumerate(sizes)
        for label in range(classes)
    )
