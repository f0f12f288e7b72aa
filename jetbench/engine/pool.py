"""What runs jobs: a local Dask cluster of threads, each of which waits for a training's child process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

__all__ = ["Pool", "Submit", "Submitted", "local_cluster"]


class Submitted(Protocol):
    """What has been submitted; a future of Dask and of `concurrent.futures` are such."""

    def done(self) -> bool: ...
    def result(self) -> Any: ...
    def add_done_callback(self, fn: Callable[[Any], Any], /) -> Any: ...


Submit = Callable[..., Submitted]  # a function and its arguments
Pool = Callable[[int], AbstractContextManager[Submit]]  # of so many jobs at a time


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
