"""Cluster files: a scheduler of the driver's own, whose workers are jobs of a batch system, by dask-jobqueue."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from jetbench.engine.pool import MakePool, Places, Pool
from jetbench.engine.scheduler import scheduler_pool
from jetbench.errors import MissingPackageError, RunError
from jetbench.strict import parse, read_yaml
from jetbench.values import Value

if TYPE_CHECKING:
    from dask_jobqueue import JobQueueCluster

__all__ = ["ClusterFile", "cluster_pool", "make_cluster", "read_cluster"]

SETTINGS = {"distributed.scheduler.worker-saturation": 1.0, "distributed.scheduler.worker-ttl": None}
EACH = "500ms"  # what Dask takes a run to last of which it knows nothing: each that waits asks for a worker


class Adapt(Value):
    """How few and how many jobs there are, as runs wait for places or do not."""

    minimum: int = Field(0, ge=0)
    maximum: int = Field(ge=1)

    @model_validator(mode="after")
    def _fewer_than_most(self) -> Self:
        if self.minimum > self.maximum:
            raise ValueError(f"a minimum of {self.minimum} is more than the maximum of {self.maximum}")
        return self


class ClusterFile(Value):
    """What a batch system is asked for: a fixed number of `jobs`, or as many as there is work for, and the keyword arguments of
    dask-jobqueue's class. A "local" one has processes of this machine for jobs."""

    kind: Literal["slurm", "htcondor", "local"]
    jobs: int | None = Field(None, ge=1)
    adapt: Adapt | None = None
    options: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.jobs is None) == (self.adapt is None):
            raise ValueError("give either `jobs`, how many there are, or `adapt` with their `maximum`")
        return self


def read_cluster(path: Path) -> ClusterFile:
    """Read a cluster file. Raises `RunError` for one that is not there or does not make sense."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); name a cluster file in YAML") from error
    file: ClusterFile = parse(ClusterFile, read_yaml(text, str(path), RunError), str(path), RunError)
    return file


def make_cluster(file: ClusterFile, where: str) -> JobQueueCluster:
    """Start the scheduler of a cluster, which has no jobs yet; `where` is what errors name. Raises `MissingPackageError` without
    dask-jobqueue, and `RunError` for options that it does not take."""
    if find_spec("dask_jobqueue") is None:
        raise MissingPackageError(f"{where} needs the package dask-jobqueue; pip install 'jetbench[cluster]' installs it")
    hears = signal.getsignal(signal.SIGINT)
    from dask_jobqueue import HTCondorCluster, SLURMCluster
    from dask_jobqueue.local import LocalCluster

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, hears)  # dask-jobqueue has Ctrl-C end this process without a word, as of its import
    kinds = {"slurm": SLURMCluster, "htcondor": HTCondorCluster, "local": LocalCluster}
    try:
        # whoever reaches the dashboard sees all, and the port that it has by default is often taken on machines of many users
        scheduler = {"dashboard_address": "127.0.0.1:0"} | file.options.get("scheduler_options", {})
        return kinds[file.kind](**file.options | {"scheduler_options": scheduler})
    except (TypeError, ValueError, OSError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise RunError(f"{where}: dask-jobqueue does not take these options for {file.kind} ({told}); mend `options`") from error


def cluster_pool(path: Path, lock: Path, most: int | None = None) -> MakePool:
    """Return what starts the cluster of a file, whose workers train as those of `scheduler_pool` do; its jobs end with it."""
    file = read_cluster(path)

    @contextmanager
    def pool(places: Places) -> Iterator[Pool]:
        import dask

        with dask.config.set(SETTINGS), make_cluster(file, str(path)) as cluster:
            expected = 0
            if file.adapt is None:
                cluster.scale(jobs=file.jobs)
            else:
                expected = file.adapt.maximum * file.options.get("cores", 1)
                cluster.adapt(minimum_jobs=file.adapt.minimum, maximum_jobs=file.adapt.maximum, target_duration=EACH)
            with scheduler_pool(cluster.scheduler_address, lock, most, expected)(places) as workers:
                yield workers

    return pool
