"""All that is looked at, in the order of what a suite needs first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jetbench.doctor.finding import Finding
from jetbench.doctor.machine import look_at_cores, look_at_gpus, look_at_memory, look_at_precision
from jetbench.doctor.packages import look_at_packages
from jetbench.doctor.places import look_at_cache, look_at_store
from jetbench.doctor.services import look_at_scheduler, look_at_server
from jetbench.errors import JetbenchError
from jetbench.tracking.store import Store

__all__ = ["examine"]


def examine(store: Store) -> Iterator[Finding]:
    """Look at packages, machine, folders and services; what one of them raises as an error is to be mended."""
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "packages": look_at_packages,
        "cores": look_at_cores,
        "memory": look_at_memory,
        "precision": look_at_precision,
        "GPUs": look_at_gpus,
        "store": lambda: look_at_store(store),
        "cache": look_at_cache,
        "scheduler": look_at_scheduler,
        "server": look_at_server,
    }
    for what, look in looks.items():
        try:
            yield from look()
        except JetbenchError as error:
            yield Finding(state="mend", what=what, told=str(error))
