"""What must be there before the first run: the datasets, and the table of observables where a model needs it."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetbench.data.catalog import Dataset, cache_folder
from jetbench.harness.checks import check_data
from jetbench.harness.plan import Plan
from jetbench.harness.processes import context, hidden_main
from jetbench.locks import file_lock
from jetbench.models import models
from jetbench.views import views

__all__ = ["Prepared", "needs_observables", "prepare"]

BLOCK = 500  # jets per task: half a second of FastJet


@dataclass(frozen=True)
class Prepared:
    """Files that every run may open."""

    dataset: Path
    unlabelled: Path | None
    observables: Path | None


def needs_observables(plan: Plan) -> bool:
    return any(models[run.spec.model.name].view == "observables" for run in plan.runs.values())


def prepare(plan: Plan, workers: int, progress: Callable[[str, int, int], None]) -> Prepared:
    """Make what is missing; `progress` is called with what is being made, jets done and jets in all."""
    dataset, unlabelled = plan.instance.find_dataset(), plan.instance.find_unlabelled()
    for one in (dataset, unlabelled):
        if one is not None:
            one.make(workers, lambda done, total: progress("simulating jets", done, total))
    check_data(plan, dataset.path, unlabelled.path if unlabelled else None)
    table = None
    if needs_observables(plan):
        table = _observables(dataset, workers, lambda done, total: progress("jet observables", done, total))
    return Prepared(dataset.path, unlabelled.path if unlabelled else None, table)


def _observables(dataset: Dataset, workers: int, progress: Callable[[int, int], None]) -> Path:
    """The table (n, observables) of a dataset as a .npy file in the cache, computed once over all workers."""
    path = cache_folder() / f"observables-{dataset.ref.sha256[:16]}-r{views['observables'].revision}.npy"
    with file_lock(path.with_suffix(".lock")):
        if path.exists():
            return path
        total = dataset.jets
        starts = range(0, total, BLOCK)
        with ProcessPoolExecutor(workers, mp_context=context()) as pool:
            with hidden_main():
                results = pool.map(_block, [dataset.path] * len(starts), starts)
            blocks: list[np.ndarray] = []
            for block in results:
                blocks.append(block)
                progress(min(len(blocks) * BLOCK, total), total)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.npy")
        np.save(temporary, np.concatenate(blocks))
        os.replace(temporary, path)
    return path


def _block(path: Path, start: int) -> np.ndarray:
    from jetbench.jets import open_jets
    from jetbench.views.observables import observables

    return observables(open_jets(path)[start : start + BLOCK])
