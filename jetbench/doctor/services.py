"""What runs beside a training: the scheduler of this machine, and the MLflow server where one is named."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from jetbench.doctor.finding import Finding
from jetbench.engine.pool import local_cluster

__all__ = ["look_at_scheduler", "look_at_server"]

SERVERS = ("JETBENCH_TRACKING_URI", "MLFLOW_TRACKING_URI")  # the first that is set names the server
PATIENCE = 5  # seconds


def look_at_scheduler() -> Iterator[Finding]:
    """Run one job as a suite runs them."""
    try:
        with local_cluster(1) as submit:
            answer = submit(sum, (1, 2)).result()
    except (OSError, RuntimeError, TimeoutError) as error:
        remedy = "it needs sockets on 127.0.0.1: look for a sandbox or a firewall that keeps them shut"
        yield Finding(state="mend", what="scheduler", told=f"Dask does not start here ({error})", remedy=remedy)
        return
    assert answer == 3
    yield Finding(state="ok", what="scheduler", told="Dask runs jobs on this machine")


def look_at_server() -> Iterator[Finding]:
    """Ask the MLflow server for its health."""
    name = next((name for name in SERVERS if os.environ.get(name)), None)
    address = os.environ[name] if name else ""
    if not address.startswith(("http://", "https://")):
        yield Finding(state="ok", what="server", told="none is named: MLflow's database lies in the store")
        return
    parts = urlsplit(address)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"  # without a password
    try:
        with urllib.request.urlopen(f"{shown}/health", timeout=PATIENCE) as answer:
            healthy = answer.status == 200
    except (OSError, ValueError) as error:
        remedy = "start it, or mend the address; trainings go on meanwhile, and the same command ships them later"
        told = f"{shown} ({name}) does not answer: {getattr(error, 'reason', error)}"
        yield Finding(state="mend", what="server", told=told, remedy=remedy)
        return
    yield Finding(state="ok" if healthy else "mend", what="server", told=f"{shown} answers")
