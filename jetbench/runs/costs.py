"""What a run has cost, by the kind of its passes."""

from __future__ import annotations

import resource
from collections.abc import Mapping

from jetbench.objectives import objectives, passes_beside
from jetbench.spec import RunSpec
from jetbench.tracking.journal import committed, read
from jetbench.tracking.ledger import Ledger

__all__ = ["costs_so_far", "peak_memory", "run_costs"]

MEGABYTE = 1e6


def run_costs(spec: RunSpec, costs: Mapping[str, float]) -> dict[str, float]:
    """Book what a training has cost, its passes under the name of their kind: `passes` are those of the jets that the training is
    of, to which an objective on the pool beside the label budget adds unlabelled ones."""
    labelled, beside = objectives[spec.objective.name].labelled, passes_beside(spec.objective)
    booked = {f"cost/{name}": value for name, value in costs.items() if name != "passes"}
    booked["cost/labelled_passes"] = costs["passes"] if labelled else 0.0
    booked["cost/unlabelled_passes"] = beside * costs["passes"] if labelled else costs["passes"]
    return dict(sorted(booked.items()))


def peak_memory() -> dict[str, float]:
    """Return the most memory [MB] that this process has had so far, and that of its GPU where it uses one."""
    import torch

    peak = {"cost/peak_memory": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE}  # Linux tells KiB
    if torch.cuda.is_available():
        peak["cost/peak_device_memory"] = torch.cuda.max_memory_allocated() / MEGABYTE
    return peak


def costs_so_far(spec: RunSpec, ledger: Ledger, key: str) -> dict[str, float]:
    """Return what a run has cost that ends without a word on it: the passes that its journal has noted last, and no seconds,
    which it does not note."""
    path = ledger.run(key).journal
    passes = [record.metrics.get("train/passes", 0.0) for record in read(path, 0, committed(path))[0]]
    return run_costs(spec, {"passes": max(passes, default=0.0), "seconds": 0.0})
