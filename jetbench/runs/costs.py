"""What a run has cost, by the kind of its passes."""

from __future__ import annotations

from collections.abc import Mapping

from jetbench.objectives import objectives
from jetbench.spec import RunSpec
from jetbench.tracking.journal import committed, read
from jetbench.tracking.ledger import Ledger

__all__ = ["costs_so_far", "run_costs"]


def run_costs(spec: RunSpec, costs: Mapping[str, float]) -> dict[str, float]:
    """Book passes and seconds under the names of their kind."""
    labelled = objectives[spec.objective.name].labelled
    return {
        "cost/labelled_passes": costs["passes"] if labelled else 0.0,
        "cost/unlabelled_passes": 0.0 if labelled else costs["passes"],
        "cost/seconds": costs["seconds"],
    }


def costs_so_far(spec: RunSpec, ledger: Ledger, key: str) -> dict[str, float]:
    """Return what a run has cost that ends without a word on it: the passes that its journal has noted last, and no seconds,
    which it does not note."""
    path = ledger.run(key).journal
    passes = [record.metrics.get("train/passes", 0.0) for record in read(path, 0, committed(path))[0]]
    return run_costs(spec, {"passes": max(passes, default=0.0), "seconds": 0.0})
