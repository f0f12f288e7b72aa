"""Datasets made in parallel, resumed chunk by chunk, and made once even when two processes ask for them."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from jetbench.errors import SimulationError, WorkerError, with_notes_of
from jetbench.files import file_lock
from jetbench.jets import open_jets
from jetbench.processes import Workers, run_jobs
from jetbench.simulation.chunk_files import assemble, make_chunk, read_chunk
from jetbench.simulation.chunks import Chunk, plan
from jetbench.simulation.recipe import SimulationRecipe

__all__ = ["chunk_folder", "simulate"]

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


def simulate(recipe: SimulationRecipe, path: str | Path, *, workers: Workers = 1, progress: Progress | None = None) -> str:
    """Simulate a recipe's jets into the file at `path` and return their content digest, or find them there.

    The content depends on the recipe alone, not on `workers` or interrupts. `progress(done_jets, total_jets)` is called from
    the calling thread as jets come in, at first with those of stored chunks. Finished chunks wait in `chunk_folder(path)`
    until the file is written, so that a killed simulation goes on where it was. A second process that asks for the same
    path waits for the first one, with a message in the log.

    Raises `SimulationError` where a chunk fails or `path` holds other jets, `DataFileError` where it is damaged.
    """
    if isinstance(workers, int) and workers < 1:
        raise SimulationError(f"{workers} workers cannot simulate anything; ask for at least one")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tell: Progress = progress or (lambda done, total: None)
    waiting = partial(log.warning, "another process is simulating %s; waiting for it to end", path)
    with file_lock(path.with_name(f".{path.name}.lock"), on_wait=waiting, remove=True):
        digest = _stored(recipe, path)
        if digest is None:
            folder, chunks = chunk_folder(path), plan(recipe)
            folder.mkdir(exist_ok=True)
            try:
                _make_missing(chunks, folder, workers, tell)
                digest = assemble(chunks, folder, path)
            except (SimulationError, OSError):  # another machine, whose lock is not seen here, may have ended first
                digest = _stored(recipe, path)
                if digest is None:
                    raise
            shutil.rmtree(folder, ignore_errors=True)
    tell(recipe.jets, recipe.jets)
    return digest


def chunk_folder(path: Path) -> Path:
    """Name the folder where the finished chunks of the dataset at `path` wait."""
    return path.with_name(f".{path.name}.chunks")


def _stored(recipe: SimulationRecipe, path: Path) -> str | None:
    if not path.exists():
        return None
    jets = open_jets(path)
    if recipe.mark not in jets.meta.provenance.remarks:
        raise SimulationError(f"{path} holds jets of another recipe; delete it or choose another path")
    return jets.digest


def _make_missing(chunks: tuple[Chunk[SimulationRecipe], ...], folder: Path, workers: Workers, tell: Progress) -> None:
    total = sum(chunk.jets for chunk in chunks)
    done = {chunk.index: chunk.jets for chunk in chunks if read_chunk(chunk, folder) is not None}
    tell(sum(done.values()), total)
    missing = [chunk for chunk in chunks if chunk.index not in done]
    try:
        with closing(run_jobs(partial(make_chunk, folder=folder), missing, workers)) as reports:
            for report in reports:
                done[report.job.index] = report.job.jets if report.done else report.value
                tell(sum(done.values()), total)
    except WorkerError as error:
        raise _failed(error) from None
    os.listdir(folder)  # where others made them, NFS remembers that they were missing until their folder is opened


def _failed(error: WorkerError) -> SimulationError:
    """Say which chunk failed and what to do; the worker's traceback stays a note."""
    chunk: Chunk[SimulationRecipe] = error.job
    told = f"chunk {chunk.index} ({chunk.jets} {chunk.class_name} jets) failed: {error}"
    return with_notes_of(error, SimulationError(f"{told}; the finished chunks are kept, run it again to go on from them"))
