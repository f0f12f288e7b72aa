"""Looks into the data once, before anything is trained on it: does it fit, and does nothing leak?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jetbench.data.composition import composition
from jetbench.data.splits import split_jets
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.jets import open_jets
from jetbench.jets.hashes import stored_hashes
from jetbench.suites.classes import check_classes
from jetbench.suites.plan import Plan

__all__ = ["check_data"]


def check_data(plan: Plan, dataset: Path, unlabelled: Path | None) -> None:
    """Raise `SuiteError` or `DataFileError` for data that the plan cannot use, `LeakError` for jets on both sides."""
    jets = open_jets(dataset)
    if "label" not in jets.targets or len(jets.meta.class_names) < 2:
        raise DataFileError(f"{dataset}: no labels of two or more classes, which a comparison of taggers needs")
    labels, events = jets.targets["label"][:], jets.event[:]
    check_classes(plan, labels, events, jets.meta.class_names)
    split = split_jets(labels, events, plan.instance.settings.test_jets, None, 0, plan.instance.dataset.sha256)
    hashes = stored_hashes(jets)
    tested = hashes[split.test]
    _refuse_leak(tested, hashes[split.pool], dataset, dataset)
    if unlabelled is None:
        _check_sizes(plan, labels[split.pool], jets.meta.class_names)
    else:
        _check_pool(plan, tested, dataset, unlabelled)


def _check_pool(plan: Plan, tested: np.ndarray, dataset: Path, unlabelled: Path) -> None:
    pool = open_jets(unlabelled)
    if any(run.spec.pool is not None for run in plan.runs.values()) and "label" not in pool.targets:
        raise SuiteError(f"{unlabelled}: the suite asks for shares of classes in the pool, and these jets have no labels")
    labels = pool.targets["label"][:] if "label" in pool.targets else np.zeros(len(pool), np.int32)
    _check_sizes(plan, labels, pool.meta.class_names)
    _refuse_leak(tested, stored_hashes(pool), dataset, unlabelled)


def _check_sizes(plan: Plan, labels: np.ndarray, class_names: tuple[str, ...]) -> None:
    """A pretraining has at least a batch of different jets: of fewer, a jet would be told from itself."""
    for run in plan.runs.values():
        if run.labelled:
            continue
        shares, batch = run.spec.pool, run.spec.recipe.batch_size
        counts = [len(labels)] if shares is None else composition(labels, class_names, shares)
        if sum(counts) < batch:
            named = ", ".join(f"{n} {name}" for n, (name, _) in zip(counts, shares or (), strict=False))
            raise SuiteError(
                f"the pool of {run.name} has {sum(counts)} jets{f' ({named})' if named else ''}, fewer than a batch of {batch}; "
                "take more jets, other shares, or a smaller batch"
            )


def _refuse_leak(tested: np.ndarray, pool: np.ndarray, dataset: Path, source: Path) -> None:
    twice = int(np.isin(pool, tested).sum())
    if twice:
        raise LeakError(f"{source}: {twice} jets are also test jets of {dataset}; remove the duplicates")
