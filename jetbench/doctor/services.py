"""What runs beside a training: the scheduler of this machine, and the MLflow server where one is named."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.doctor.finding import Finding
from jetbench.engine.pool import local_cluster
from jetbench.errors import StoreError
from jetbench.tracking.server import refuse_absent, tracking_server

__all__ = ["look_at_scheduler", "look_at_server"]


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
    """Ask the MLflow server for its health. One that is away stops no suite, an address that names none does."""
    try:
        server = tracking_server()
    except StoreError as error:
        yield Finding(state="mend", what="server", told=str(error))
        return
    if server is None:
        yield Finding(state="ok", what="server", told="none is named: MLflow's database lies in the store")
        return
    try:
        refuse_absent(server)
    except StoreError as error:
        remedy = "start it, or mend the address; trainings go on meanwhile"
        yield Finding(state="note", what="server", told=str(error), remedy=remedy)
        return
    yield Finding(state="ok", what="server", told=f"{server} answers")
