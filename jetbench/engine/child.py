"""A training's child process: how it starts, stops, fails and dies."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from jetbench.errors import DivergenceError, JetbenchError, LostLeaseError, PluginError, SealedError
from jetbench.files import file_lock
from jetbench.plugins import adopt
from jetbench.processes import context, die_with_parent, hidden_main
from jetbench.runs.costs import costs_so_far, run_costs
from jetbench.runs.job import Job
from jetbench.tracking.lease import Lease
from jetbench.tracking.ledger import Ledger

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

    from jetbench.spec import RunSpec
    from jetbench.training.stops import Flag

__all__ = ["BUSY", "FAILURE", "PRELOAD", "PRUNED", "STOPPED", "start_child"]

PRELOAD = ("jetbench.engine.preload",)
# exit statuses: it failed; it was told to stop (EX_TEMPFAIL: run it again); another process trains the run, or just has;
# its study has stopped it
FAILURE, STOPPED, BUSY, PRUNED = 1, 75, 76, 77


def start_child(job: Job, gpu: str | None = None) -> ForkServerProcess:
    """Start the run in a process of its own, which dies with this one and sees no other GPU than `gpu`."""
    process = context(PRELOAD).Process(target=_main, args=(job, gpu), name=job.key[:16])
    with hidden_main():
        process.start()
    return process


def _main(job: Job, gpu: str | None) -> None:
    """The child's life. Ctrl-C is for the driver alone, which then sends SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    die_with_parent()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # read when CUDA is first used, which no import does
    if job.cache is not None:
        os.environ["JETBENCH_CACHE"] = str(job.cache)
    import torch

    torch.set_num_threads(1)
    ledger = Ledger(job.work, notes=True)
    with file_lock(ledger.run(job.key).lock, wait=False) as mine:
        sys.exit(_owned(job, ledger, stop) if mine and not ledger.done(job.key) else BUSY)


def _owned(job: Job, ledger: Ledger, stop: threading.Event) -> int:
    """Train under a lease, as the lock may be this machine's alone; returns the exit status."""
    lease = Lease(ledger.run(job.key).lease, stop.wait)
    if not lease.acquire():
        return BUSY
    with lease.kept(lambda: os._exit(BUSY)):
        try:
            return BUSY if ledger.done(job.key) else _train(job, ledger, stop)
        except LostLeaseError:
            return BUSY


def _train(job: Job, ledger: Ledger, stop: Flag) -> int:
    """Train and evaluate; returns the exit status."""
    from jetbench.runs.run import run
    from jetbench.training import stops

    ledger.reopen(job.key)
    try:
        adopt(job.spec.plugins, job.store)
    except PluginError as error:
        ledger.fail(job.key, str(error), traceback.format_exc())
        return FAILURE
    try:
        start = job.spec.start
        if start is not None and not (ledger.done(start, thorough=True) and ledger.has_weights(start)):
            ledger.fail(job.key, "the weights that it starts from are damaged or gone; the same command trains them again", "")
            return FAILURE
        run(job, stop)
    except LostLeaseError:
        raise
    except stops.Stopped:
        return STOPPED
    except stops.Pruned as pruned:
        ledger.prune(job.key, pruned.epoch, run_costs(job.spec, pruned.costs))
        return PRUNED
    except DivergenceError as error:
        ledger.fail(job.key, f"{error}{_suspects(job.spec)}", traceback.format_exc(), run_costs(job.spec, error.costs))
        return FAILURE
    except Exception as error:
        reason = f"{type(error).__name__}: {error}" + ("" if isinstance(error, JetbenchError) else _suspects(job.spec))
        so_far = costs_so_far(job.spec, ledger, job.key)
        ledger.fail(job.key, reason, traceback.format_exc(), so_far=so_far, sealed=isinstance(error, SealedError))
        return FAILURE
    return 0


def _suspects(spec: RunSpec) -> str:
    """The components of plug-ins that a run has, and how they are tried; empty where it has none."""
    told = [
        f"the {kind} {name!r} is of the plug-in {plugin.name}: `jetbench show {name}{plugin.option}` tries it by its contract"
        for kind, name, plugin in spec.plugged
    ]
    return "".join(f"; {one}" for one in told)
