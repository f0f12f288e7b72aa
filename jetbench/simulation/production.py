"""Datasets made in parallel, resumed chunk by chunk, and made once even when two processes ask for them."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from jetbench.errors import SimulationError
from jetbench.jets import open_jets
from jetbench.simulation.chunks import Chunk, assemble, plan, read_chunk
from jetbench.simulation.pool import run_chunks
from jetbench.simulation.recipe import SimulationRecipe

__all__ = ["chunk_folder", "simulate"]

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


def simulate(recipe: SimulationRecipe, path: Path, *, workers: int = 1, progress: Progress | None = None) -> str:
    """Make the recipe's jets at `path` and return their content digest; what is already there is not made again.

    The content depends on the recipe alone, not on `workers` or interrupts. `progress(done_jets, total_jets)` is called from
    the calling thread as jets come in, at first with those of stored chunks. Finished chunks wait in `chunk_folder(path)`
    until the file is written, so that a killed simulation goes on where it was. A second process that asks for the same
    path waits for the first one, with a message in the log.

    Raises `SimulationError` where a chunk fails or `path` holds other jets, `DataFileError` where it is damaged.
    """
    if workers < 1:
        raise SimulationError(f"{workers} workers cannot simulate anything; ask for at least one")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tell: Progress = progress or (lambda done, total: None)
    with _locked(path):
        digest = _stored(recipe, path)
        if digest is None:
            folder, chunks = chunk_folder(path), plan(recipe)
            folder.mkdir(exist_ok=True)
            _make_missing(chunks, folder, workers, tell)
            digest = assemble(chunks, folder, path)
            shutil.rmtree(folder)
    tell(recipe.jets, recipe.jets)
    return digest


def chunk_folder(path: Path) -> Path:
    """Where the finished chunks of the dataset at `path` wait."""
    return path.with_name(f".{path.name}.chunks")


def _stored(recipe: SimulationRecipe, path: Path) -> str | None:
    if not path.exists():
        return None
    jets = open_jets(path)
    if jets.meta.provenance.remarks != recipe.remarks:
        raise SimulationError(f"{path} holds jets of another recipe; delete it or choose another path")
    return jets.digest


def _make_missing(chunks: tuple[Chunk, ...], folder: Path, workers: int, tell: Progress) -> None:
    total = sum(chunk.jets for chunk in chunks)
    done = {chunk.index: chunk.jets for chunk in chunks if read_chunk(chunk, folder) is not None}
    tell(sum(done.values()), total)
    missing = [chunk for chunk in chunks if chunk.index not in done]
    with closing(run_chunks(missing, folder, workers)) as reports:
        for chunk, message in reports:
            done[chunk.index] = message.get("jets", chunk.jets)
            tell(sum(done.values()), total)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock beside `path`, which the system frees even after a kill."""
    name = path.with_name(f".{path.name}.lock")
    while True:
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("another process is simulating %s; waiting for it to end", path)
            fcntl.flock(handle, fcntl.LOCK_EX)
        # the former owner may have removed the file between the opening and the lock: then it locks nobody out
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(handle).st_ino == os.stat(name).st_ino:
                break
        os.close(handle)
    try:
        yield
    finally:
        name.unlink(missing_ok=True)
        os.close(handle)
