"""A training's child process: how it starts, stops, fails and dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from jetbench.files import file_lock
from jetbench.processes import context, hidden_main
from jetbench.runs.job import Job
from jetbench.tracking.ledger import Ledger

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

__all__ = ["FAILURE", "PRELOAD", "STOPPED", "start_child"]

PRELOAD = ("jetbench.engine.preload",)
STOPPED, FAILURE = 75, 1  # exit statuses of a child; 75 is EX_TEMPFAIL: run it again


def start_child(job: Job) -> ForkServerProcess:
    """Start the run in a process of its own, which dies with this one."""
    process = context(PRELOAD).Process(target=_main, args=(job,), name=job.key[:16])
    with hidden_main():
        process.start()
    return process


def _main(job: Job) -> None:
    """The child's life. Ctrl-C is for the driver alone, which then sends SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_die_with_parent, daemon=True).start()
    import torch

    from jetbench.errors import DivergenceError
    from jetbench.runs.run import run, run_costs
    from jetbench.training.loop import Stopped

    torch.set_num_threads(1)
    ledger = Ledger(job.work)
    with file_lock(ledger.run(job.key).lock):
        if ledger.done(job.key):  # another process has done it while this one waited for the lock
            return
        try:
            run(job, stop)
        except Stopped:
            sys.exit(STOPPED)
        except DivergenceError as error:
            ledger.fail(job.key, str(error), "", run_costs(job.spec, error.costs))
            sys.exit(FAILURE)
        except Exception as error:
            ledger.fail(job.key, f"{type(error).__name__}: {error}", traceback.format_exc())
            sys.exit(FAILURE)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
