"""Looks into the data once, before anything is trained on it: does it fit, and does nothing leak?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jetbench.data.composition import composition
from jetbench.data.splits import split_jets
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.jets import Jets, open_jets
from jetbench.jets.hashes import stored_hashes
from jetbench.suites.budgets import check_budgets
from jetbench.suites.plan import Plan

__all__ = ["check_data"]


def check_data(plan: Plan, dataset: Path, unlabelled: Path | None) -> None:
    """Raise `SuiteError` or `DataFileError` for data that the plan cannot use, `LeakError` for jets on both sides."""
    jets = open_jets(dataset)
    if reason := plan.task.unmet(jets.meta, tuple(jets.targets)):
        raise DataFileError(f"the jets of {dataset} {reason}")
    strata, events = plan.task.strata(jets), jets.event[:]
    check_budgets(plan, strata, events)
    split = split_jets(strata, events, plan.instance.settings.test_jets, None, 0, plan.instance.dataset.sha256)
    hashes = stored_hashes(jets)
    tested = hashes[split.test]
    _refuse_leak(tested, hashes[split.pool], dataset, dataset)
    if unlabelled is None:
        _check_sizes(plan, _labels(jets)[split.pool], jets.meta.class_names)
    else:
        _check_pool(plan, tested, dataset, unlabelled)


def _check_pool(plan: Plan, tested: np.ndarray, dataset: Path, unlabelled: Path) -> None:
    pool = open_jets(unlabelled)
    if any(run.spec.pool is not None for run in plan.runs.values()) and "label" not in pool.targets:
        raise SuiteError(f"{unlabelled}: the suite asks for shares of classes in the pool, and these jets have no labels")
    _check_sizes(plan, _labels(pool), pool.meta.class_names)
    _refuse_leak(tested, stored_hashes(pool), dataset, unlabelled)


def _labels(jets: Jets) -> np.ndarray:
    """The classes (n,), all the same where the jets have none."""
    labels: np.ndarray = jets.targets["label"][:] if "label" in jets.targets else np.zeros(len(jets), np.int32)
    return labels


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
