"""A Dask scheduler and workers as processes of their own, as they are started on other machines, and what runs come to there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from distributed import Client

__all__ = ["Cluster", "cluster", "wait_for", "what_it_came_to"]

PATIENCE = 300.0  # seconds, of a busy machine
UNTIMED = ("model.safetensors", "losses.npy", "scores.h5", "test.json", "split.json", "spec.yaml", "roc.png")


def what_it_came_to(root: Path) -> dict[str, bytes]:
    """Every file of every run that does not tell the time."""
    found = (path for name in UNTIMED for path in (root / "work").glob(f"*/{name}"))
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in found}


def wait_for(condition: Callable[[], bool], what: str = "") -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain {what}"
        time.sleep(0.02)


class Cluster:
    """A scheduler with its `address`, and workers by name, each with a nanny, which is what makes them daemonic."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        wait_for(self.file.exists, "for a scheduler")
        self.client = Client(scheduler_file=str(self.file), set_as_default=False)
        self.address = str(self.client.scheduler.address)

    def add(self, name: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker of one place, and wait until it is there; returns the process of its nanny."""
        place = ("--nthreads", "1", "--no-dashboard", "--memory-limit", "0", "--local-directory", str(self.folder / name))
        process = self._start("worker", self.address, "--name", name, *place, *options, **environment)
        wait_for(lambda: name in self.names(), f"for the worker {name}")
        return process

    def names(self) -> Sequence[str]:
        return [str(worker["name"]) for worker in self.client.scheduler_info()["workers"].values()]

    def process_of(self, name: str) -> int:
        """The number of the process in which a worker runs."""
        found = self.client.run(os.getpid)
        return next(
            number for address, number in found.items() if str(self.client.scheduler_info()["workers"][address]["name"]) == name
        )

    def kill(self, name: str) -> None:
        """SIGKILL to a worker, without a nanny that starts it again."""
        os.kill(self.process_of(name), signal.SIGKILL)

    def close(self) -> None:
        self.client.close()
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()

    def _start(self, what: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        with (self.folder / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log)
        self._processes.append(process)
        return process


@contextmanager
def cluster(folder: Path, *workers: str) -> Iterator[Cluster]:
    """Have a cluster with workers by these names while inside."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder)
    try:
        for name in workers:
            made.add(name)
        yield made
    finally:
        made.close()
