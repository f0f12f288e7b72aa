"""Looks into the data once, before anything is trained on it: does it fit, and does nothing leak?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jetbench.data.splits import split_jets
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.harness.classes import check_classes
from jetbench.harness.plan import Plan
from jetbench.jets import Jets, open_jets

__all__ = ["check_data"]


def check_data(plan: Plan, dataset: Path, unlabelled: Path | None) -> None:
    """Raise `SuiteError` or `DataFileError` for data that the plan cannot use, `LeakError` for jets on both sides."""
    jets = open_jets(dataset).read()
    if "label" not in jets.targets or len(jets.meta.class_names) < 2:
        raise DataFileError(f"{dataset}: no labels of two or more classes, which a comparison of taggers needs")
    check_classes(plan, np.asarray(jets.targets["label"]), np.asarray(jets.event), jets.meta.class_names)
    split = split_jets(jets.targets["label"], jets.event, plan.instance.settings.test_jets, None, 0, plan.instance.dataset.sha256)
    tested = set(jets.take(split.test).jet_hashes())
    _refuse_leak(tested, jets.take(split.pool), dataset, dataset)
    if unlabelled is not None:
        _check_pool(plan, jets, tested, dataset, unlabelled)


def _check_pool(plan: Plan, jets: Jets, tested: set[bytes], dataset: Path, unlabelled: Path) -> None:
    pool = open_jets(unlabelled).read()
    if pool.meta.channels != jets.meta.channels:
        mine, other = ([f"{c.name} [{c.unit}]" for c in j.meta.channels] for j in (jets, pool))
        raise SuiteError(f"{unlabelled}: channels {', '.join(other)} do not match the dataset's {', '.join(mine)}")
    if any(run.spec.pool_signal is not None for run in plan.runs.values()) and "label" not in pool.targets:
        raise SuiteError(f"{unlabelled}: the suite asks for a share of signal in the pool, and these jets have no labels")
    _refuse_leak(tested, pool, dataset, unlabelled)


def _refuse_leak(tested: set[bytes], pool: Jets, dataset: Path, source: Path) -> None:
    twice = sum(key in tested for key in pool.jet_hashes())
    if twice:
        raise LeakError(f"{source}: {twice} jets are also test jets of {dataset}; remove the duplicates")
