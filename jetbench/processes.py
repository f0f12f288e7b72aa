"""Child processes of one fork server, which has the heavy imports done before the first of them starts."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext
from typing import Any

__all__ = ["context", "hidden_main"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_starting = threading.Lock()


def context(preload: Sequence[str] = ()) -> ForkServerContext:
    """Return the start method, with its server running and one thread per process.

    The first caller decides which modules the server has imported when a child starts. It only imports: a computation in the
    server would start OpenMP threads that its children then wait for in vain.
    """
    method = get_context("forkserver")
    with _starting, _changed(os.environ, dict.fromkeys(THREADS, "1")):
        method.set_forkserver_preload(list(preload))
        forkserver.ensure_running()
    return method


@contextmanager
def hidden_main() -> Iterator[None]:
    """Start processes inside: they would import the main module again, and with it run a plain script that called this."""
    with _starting, _changed(vars(sys.modules["__main__"]), {"__file__": None, "__spec__": None}):
        yield


@contextmanager
def _changed(mapping: MutableMapping[str, Any], values: dict[str, Any]) -> Iterator[None]:
    """Set the values for a while."""
    before = {key: mapping[key] for key in values if key in mapping}
    mapping.update(values)
    try:
        yield
    finally:
        for key in values:
            del mapping[key]
        mapping.update(before)
