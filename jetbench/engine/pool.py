"""What runs jobs: a local Dask cluster of threads, each of which waits for a training's child process."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from jetbench.engine.worker import Outcome, run_job, stopping
from jetbench.processes import Crew
from jetbench.runs.job import Job

__all__ = ["LocalPool", "MakePool", "Places", "Pool", "Submit", "Submitted", "local_cluster", "local_pool"]


class Submitted(Protocol):
    """What has been submitted; a future of Dask and of `concurrent.futures` are such."""

    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def add_done_callback(self, fn: Callable[[Any], Any], /) -> Any: ...


class Pool(Protocol):
    """Workers, each of which waits for a training's child process."""

    def count(self) -> int:
        """Return how many jobs run at a time, as of now."""

    @property
    def crew(self) -> Crew | None:
        """Return who makes data in the same places; None where that is done by processes of this machine."""

    def submit(self, job: Job) -> Submitted:
        """Have a job run as soon as there is a place for it; its result is an `Outcome`."""

    def stop(self) -> None:
        """Tell every job that was submitted to stop; children write their checkpoints, and jobs that have not begun return."""


Submit = Callable[..., Submitted]  # a function and its arguments
Places = Callable[[], Sequence[str | None]]  # of this machine, each with the GPU that it names
MakePool = Callable[[Places], AbstractContextManager[Pool]]


class LocalPool:
    """A training at a time in each of the `places`, by a function of a job and a place."""

    def __init__(self, submit: Submit, places: Sequence[str | None], run: Callable[..., Outcome] = run_job) -> None:
        self._submit, self._run = submit, run
        self._count = len(places)
        self._free: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        for place in places:
            self._free.put(place)

    crew = None

    def count(self) -> int:
        return self._count

    def submit(self, job: Job) -> Submitted:
        place = self._free.get()  # one that has just ended may take a moment to give its place back
        submitted = self._submit(self._run, job, place)
        submitted.add_done_callback(lambda _: self._free.put(place))
        return submitted

    def stop(self) -> None:
        stopping.set()


@contextmanager
def local_pool(places: Places) -> Iterator[LocalPool]:
    """Run jobs in the places of this machine while inside."""
    found = list(places())
    stopping.clear()
    with local_cluster(len(found)) as submit:
        yield LocalPool(submit, found)


@contextmanager
def local_cluster(workers: int) -> Iterator[Submit]:
    """Run jobs in threads of this process, through Dask."""
    import dask
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.ERROR)
    settings = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.worker-ttl": None}
    with (
        dask.config.set(settings),
        LocalCluster(
            processes=False, n_workers=workers, threads_per_worker=1, memory_limit=0, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster) as client,
    ):

        def submit(function: Callable[..., Any], *arguments: Any) -> Submitted:
            future: Submitted = client.submit(function, *arguments, pure=False)
            return future

        yield submit
