"""What a worker of an external Dask scheduler is asked: what it is, to train a run, to make data, and to stop. It sees the files
of the driver, and nothing else of it."""

from __future__ import annotations

import pickle
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import jetbench
from jetbench.engine.child import PRELOAD
from jetbench.engine.worker import Outcome, run_job
from jetbench.errors import RunError, WorkerError, with_notes_of
from jetbench.plugins.given import restore, snapshot
from jetbench.processes import Function, Tell, context, run_jobs
from jetbench.runs.environment import code_digest
from jetbench.runs.job import Job

if TYPE_CHECKING:
    from distributed import Worker

__all__ = ["look", "make_here", "misfit", "pack", "run_here", "stop_here", "versions"]

DECISIVE = ("torch", "numpy", "scikit-learn")  # packages that results depend on before all others

T = TypeVar("T")

_stopped: set[str] = set()  # drivers whose jobs are to stop; a worker may serve several


def versions() -> dict[str, str]:
    """Return what driver and workers must have alike; how torch was built (+cpu, +cu128) is the machine's affair."""
    found = {name: version(name).partition("+")[0] for name in DECISIVE}
    python = ".".join(platform.python_version_tuple()[:2])
    return {"jetbench": f"{jetbench.__version__} ({code_digest()})", "python": python, **found}


def look(lock: Path) -> dict[str, Any]:
    """Say which versions this process has, on which host, and whether it sees a file of the driver's results folder."""
    return {"versions": versions(), "host": platform.node(), "sees": lock.exists()}


def misfit(found: Mapping[str, Any], expected: Mapping[str, str], lock: Path) -> str:
    """Say why a worker that answers so cannot train for a driver with the `expected` versions; empty where it can."""
    for name, wanted in expected.items():
        if (has := found["versions"].get(name)) != wanted:
            return f"has {name} {has}, and this process {wanted}; start both from one environment"
    if not found["sees"]:
        return f"does not see {lock}; give a results folder that all machines have by the same path (--store)"
    return ""


def run_here(driver: str, expected: Mapping[str, str], lock: Path, sent: bytes) -> Outcome:
    """Train the run of a pickled job here, to its end, or to a checkpoint where its driver stops it or this worker closes.

    Raises `RunError` where this worker is not fit for it: nothing of the job is looked at before.
    """
    from distributed import Status

    worker = _fit_worker(expected, lock)
    job: Job = pickle.loads(sent)
    return run_job(job, stop=lambda: driver in _stopped or worker.status not in (Status.running, Status.paused))


def pack(function: Function[T], job: T) -> bytes:
    """Return a job and what does it, which may be of a plug-in, for `make_here`."""
    return pickle.dumps((snapshot(), pickle.dumps((function, job))))


def make_here(expected: Mapping[str, str], lock: Path, packed: bytes) -> Any:
    """Do a packed job here in a process of its own; returns its result. Raises `RunError` where this worker is not fit for it, or
    the job fails."""
    _fit_worker(expected, lock)
    context(PRELOAD)
    try:
        return next(report.value for report in run_jobs(_unpacked, [packed], 1) if report.done)
    except WorkerError as error:
        raise with_notes_of(error, RunError(str(error))) from None


def _unpacked(packed: bytes, tell: Tell) -> Any:
    plugins, inner = pickle.loads(packed)
    restore(plugins)
    function, job = pickle.loads(inner)
    return function(job, lambda told: None)


def _fit_worker(expected: Mapping[str, str], lock: Path) -> Worker:
    """This worker of a driver with the `expected` versions, where it is fit."""
    from distributed import get_worker

    worker: Worker = get_worker()
    if trouble := misfit(look(lock), expected, lock):
        raise RunError(f"the worker {worker.address} on {platform.node()} {trouble}")
    return worker


def stop_here(driver: str) -> None:
    """Have the jobs of a driver stop, those that have yet to begin among them."""
    _stopped.add(driver)
