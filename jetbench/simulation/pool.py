"""Chunks over worker processes; any end of the caller ends the workers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any, cast

from jetbench.errors import SimulationError
from jetbench.simulation.chunks import Chunk

__all__ = ["Report", "run_chunks"]

Report = tuple[Chunk, dict[str, Any]]
POLL = 0.5  # seconds; how long a signal may wait while the queue is silent


def run_chunks(chunks: Sequence[Chunk], folder: Path, workers: int) -> Generator[Report, None, None]:
    """Make the chunks, and tell each worker's messages: {"jets": so far} and {"done": True}.

    Raises `SimulationError` at the first chunk that fails, with its cause. Leaving the iterator, by an error, an interrupt or
    `close`, kills the workers; finished chunks stay in the folder.
    """
    waiting: SimpleQueue[Chunk] = SimpleQueue()
    for chunk in chunks:
        waiting.put(chunk)
    reports: SimpleQueue[Report] = SimpleQueue()
    processes: list[subprocess.Popen[str]] = []
    threads: list[threading.Thread] = []
    try:
        for _ in range(min(workers, len(chunks))):
            processes.append(_start())
            threads.append(threading.Thread(target=_drive, args=(processes[-1], waiting, folder, reports.put), daemon=True))
            threads[-1].start()
        yield from _until_done(len(chunks), reports)
    finally:
        for process in processes:
            process.kill()
        for process, thread in zip(processes, threads, strict=True):
            process.wait()
            thread.join()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    cast(IO[str], pipe).close()


def _start() -> subprocess.Popen[str]:
    """Its own process group keeps a terminal's Ctrl-C away from it: the parent ends it."""
    return subprocess.Popen(
        [sys.executable, "-m", "jetbench.simulation.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )


def _drive(process: subprocess.Popen[str], waiting: SimpleQueue[Chunk], folder: Path, tell: Callable[[Report], None]) -> None:
    """Feed one worker until nothing waits or it fails; a worker that dies fails its chunk."""
    chunk = None
    try:
        while True:
            chunk = waiting.get_nowait()
            for message in _answers(process, chunk, folder):
                tell((chunk, message))
            if "error" in message:
                return
    except Empty:
        return
    except (OSError, ValueError):
        if chunk is not None:
            tell((chunk, {"error": "its worker process ended; it was killed or out of memory"}))


def _answers(process: subprocess.Popen[str], chunk: Chunk, folder: Path) -> Iterator[dict[str, Any]]:
    """The worker's messages on one chunk, of which the last one is no {"jets": …}."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({**chunk.request(), "folder": str(folder)}) + "\n")
    process.stdin.flush()
    message: dict[str, Any] = {"jets": 0}
    while "jets" in message:
        message = json.loads(process.stdout.readline())
        yield message


def _until_done(count: int, reports: SimpleQueue[Report]) -> Iterator[Report]:
    done = 0
    while done < count:
        try:
            chunk, message = reports.get(timeout=POLL)
        except Empty:
            continue
        if "error" in message:
            error = SimulationError(
                f"chunk {chunk.index} ({chunk.jets} {chunk.class_name} jets) failed: {message['error']}; "
                "the finished chunks are kept, run it again to go on from them"
            )
            if "traceback" in message:
                error.add_note(message["traceback"])
            raise error
        done += "done" in message
        yield chunk, message
