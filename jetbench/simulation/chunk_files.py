"""Chunks in files: each is made into its own, found again after an interrupt, and at the end all are mixed into one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from jetbench.errors import DataFileError, SimulationError
from jetbench.jets import Jets, concatenate, open_jets, save_jets
from jetbench.seeds import numpy_rng
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.simulation.simulators import make_meta, simulate_chunk, simulators

__all__ = ["assemble", "make_chunk", "read_chunk"]

log = logging.getLogger(__name__)

AnyChunk = Chunk[SimulationRecipe]


def make_chunk(chunk: AnyChunk, progress: Callable[[int], None], folder: Path) -> None:
    """Simulate a chunk into its file in `folder`; `progress` hears of the number of jets so far. Raises `SimulationError` where
    there is no such folder, as on a machine that has a cache of its own, and where the plug-in that makes the jets is another."""
    if not folder.is_dir():
        raise SimulationError(f"{folder}: no such folder here; machines that work together need the same JETBENCH_CACHE")
    _refuse_other_code(chunk.recipe)
    save_jets(chunk.file(folder), [simulate_chunk(chunk, progress)])


def _refuse_other_code(recipe: SimulationRecipe) -> None:
    """What is installed may differ from machine to machine, and a recipe names the code that it stands for."""
    here = simulators[recipe.name].plugin
    if recipe.plugin and (here is None or here.sha256 != recipe.plugin):
        found = f"that of {here.text}" if here else "the built-in one"
        told = f"{recipe.name} is to be made by the plug-in of digest {recipe.plugin[:12]}, and the code here is {found}"
        raise SimulationError(f"{told}; install the same version on all machines that work together")


def read_chunk(chunk: AnyChunk, folder: Path) -> Jets | None:
    """Read a stored chunk into memory, or return None where it is to be made (again): missing, damaged, or of another version."""
    path = chunk.file(folder)
    if not path.exists():
        return None
    try:
        stored = open_jets(path)
        jets = stored.read()
        if jets.meta != make_meta(chunk.recipe) or len(jets) != chunk.jets or jets.content_digest() != stored.digest:
            raise DataFileError(f"{path}: not the chunk that it should be")
    except DataFileError as error:
        log.warning("a stored chunk of the simulation is made again: %s", error)
        path.unlink(missing_ok=True)
        return None
    return jets


def assemble(chunks: tuple[AnyChunk, ...], folder: Path, path: Path) -> str:
    """Write the final file from the stored chunks and return its digest.

    The classes are mixed: each stretch of the file holds one chunk of every class, in an order drawn from the recipe.
    """
    return save_jets(path, _mixed(chunks, folder))


def _mixed(chunks: tuple[AnyChunk, ...], folder: Path) -> Iterator[Jets]:
    recipe = chunks[0].recipe
    classes = len(recipe.class_names)
    for first in range(0, len(chunks), classes):
        parts = [read_chunk(chunk, folder) for chunk in chunks[first : first + classes]]
        if any(part is None for part in parts):
            raise SimulationError(f"{folder}: a finished chunk has vanished or was damaged; run the simulation again to make it")
        jets = concatenate([part for part in parts if part is not None])
        yield jets.take(numpy_rng("order", recipe.seed_key, first).permutation(len(jets)))
