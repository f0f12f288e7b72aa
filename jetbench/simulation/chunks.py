"""The plan of a dataset in chunks, each made from its own seed alone and kept in its own file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
from pydantic import SerializeAsAny

from jetbench.errors import DataFileError, SimulationError
from jetbench.jets import Jets, concatenate, open_jets, save_jets
from jetbench.registry import Entry
from jetbench.seeds import derive, numpy_rng
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.values import Value

__all__ = ["MAX_SEED", "Chunk", "assemble", "plan", "read_chunk"]

log = logging.getLogger(__name__)

CHUNK_JETS = 500  # seconds of work: long against the generator's start, short against an interrupt
SPLIT_JETS = 250  # more jets of a class than these make two chunks, which keep two workers busy to the end
EVENT_BITS, CHUNK_BITS = 24, 20
MAX_SEED = 900_000_000  # Pythia's limit (manual, "Random-Number Seed"), which other generators share


class Chunk(Value):
    """`jets` accepted jets of one class from one seed; `index` counts over all classes of the recipe."""

    recipe: SerializeAsAny[SimulationRecipe]
    index: int
    label: int
    jets: int

    @property
    def seed(self) -> int:
        """The generator's seed, 1 to 900 000 000: derived from the recipe, and different for every chunk of it."""
        return 1 + (derive("simulation", self.recipe.digest()) + self.index) % MAX_SEED

    @property
    def class_name(self) -> str:
        return self.recipe.class_names[self.label]

    def file(self, folder: Path) -> Path:
        return folder / f"{self.index:05d}-{self.class_name}-{self.digest()[:12]}.h5"

    def event_ids(self, events: np.ndarray) -> np.ndarray:
        """Ids (n,) int64 of the chunk's events by their number (n,): unique within a dataset, and with a few bits of the
        recipe, so that datasets rarely share one."""
        dataset = derive("event", self.recipe.digest()) % (1 << (63 - CHUNK_BITS - EVENT_BITS))
        first = ((dataset << CHUNK_BITS) | self.index) << EVENT_BITS
        return first | np.asarray(events, np.int64)

    def request(self) -> dict[str, Any]:
        """JSON from which another process makes the same chunk."""
        kind = type(self.recipe)
        return {"recipe": f"{kind.__module__}:{kind.__qualname__}", "chunk": self.model_dump(mode="json")}

    @classmethod
    def requested(cls, request: dict[str, Any]) -> Self:
        """The chunk of a `request`."""
        recipe = Entry("recipe", request["recipe"], summary="").load()
        return cls(**{**request["chunk"], "recipe": recipe.model_validate(request["chunk"]["recipe"])})


def plan(recipe: SimulationRecipe) -> tuple[Chunk, ...]:
    """The chunks of a recipe, class by class in turn, of nearly equal size; they depend on nothing but the recipe."""
    classes = len(recipe.class_names)
    each = recipe.jets // classes
    count = max(-(-each // CHUNK_JETS), min(2, -(-each // SPLIT_JETS)))
    sizes = [each // count + (i < each % count) for i in range(count)]
    return tuple(
        Chunk(recipe=recipe, index=classes * i + label, label=label, jets=size)
        for i, size in enumerate(sizes)
        for label in range(classes)
    )


def read_chunk(chunk: Chunk, folder: Path) -> Jets | None:
    """The stored chunk in memory, or None where there is none or it is damaged: then it is made again."""
    path = chunk.file(folder)
    if not path.exists():
        return None
    try:
        stored = open_jets(path)
        jets = stored.read()
        if jets.meta != chunk.recipe.meta() or len(jets) != chunk.jets or jets.content_digest() != stored.stored_digest:
            raise DataFileError(f"{path}: not the chunk that it should be")
    except DataFileError as error:
        log.warning("a stored chunk of the simulation is made again: %s", error)
        path.unlink(missing_ok=True)
        return None
    return jets


def assemble(chunks: tuple[Chunk, ...], folder: Path, path: Path) -> str:
    """Write the final file from the stored chunks and return its digest. The classes are mixed: each stretch of the file
    holds one chunk of every class, in an order drawn from the recipe."""
    return save_jets(path, _mixed(chunks, folder))


def _mixed(chunks: tuple[Chunk, ...], folder: Path) -> Iterator[Jets]:
    classes = len(chunks[0].recipe.class_names)
    for first in range(0, len(chunks), classes):
        parts = [read_chunk(chunk, folder) for chunk in chunks[first : first + classes]]
        if any(part is None for part in parts):
            raise SimulationError(f"{folder}: a finished chunk has vanished or was damaged; run the simulation again to make it")
        jets = concatenate([part for part in parts if part is not None])
        yield jets.take(numpy_rng("order", chunks[first].recipe.digest(), first).permutation(len(jets)))
