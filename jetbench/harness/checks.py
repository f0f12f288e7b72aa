"""Looks into the data once, before anything is trained on it: does it fit, and does nothing leak?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jetbench.data.splits import split_jets
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.harness.classes import check_classes
from jetbench.harness.plan import Plan
from jetbench.jets import Jets, Meta, open_jets
from jetbench.jets.hashes import stored_hashes

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
    if unlabelled is not None:
        _check_pool(plan, jets, tested, dataset, unlabelled)


def _check_pool(plan: Plan, jets: Jets, tested: np.ndarray, dataset: Path, unlabelled: Path) -> None:
    pool = open_jets(unlabelled)
    if unlike := list(differences(jets.meta, pool.meta)):
        raise SuiteError(f"{unlabelled}: these jets do not match those of {dataset}: {'; '.join(unlike)}")
    if any(run.spec.pool is not None for run in plan.runs.values()) and "label" not in pool.targets:
        raise SuiteError(f"{unlabelled}: the suite asks for shares of classes in the pool, and these jets have no labels")
    _refuse_leak(tested, stored_hashes(pool), dataset, unlabelled)


def differences(dataset: Meta, pool: Meta) -> Iterator[str]:
    """What an encoder that is pretrained on the pool would find otherwise in the dataset, each with both sides."""
    names, others = ([channel.name for channel in meta.channels] for meta in (dataset, pool))
    if names != others:
        yield f"channels {', '.join(others)} against {', '.join(names)}"
    else:
        for mine, theirs in zip(dataset.channels, pool.channels, strict=True):
            for trait in ("unit", "role", "combine", "weight"):
                if (one := getattr(theirs, trait)) != (other := getattr(mine, trait)):
                    yield f"{trait} of the channel {mine.name} {one or 'none'} against {other or 'none'}"
    if pool.grid != dataset.grid:
        yield f"grid {_grid(pool)} against {_grid(dataset)}"
    if pool.extent and dataset.extent and pool.extent != dataset.extent:  # one that is not known may be the same
        yield f"extent ±{pool.extent:g} against ±{dataset.extent:g}"
    if pool.isotropic != dataset.isotropic:
        yield f"isotropic {pool.isotropic} against {dataset.isotropic}"


def _grid(meta: Meta) -> str:
    grid = meta.grid
    return f"{grid.rows}×{grid.columns} over ±{grid.eta_extent:g} × ±{grid.phi_extent:g}" if grid else "none (constituents)"


def _refuse_leak(tested: np.ndarray, pool: np.ndarray, dataset: Path, source: Path) -> None:
    twice = int(np.isin(pool, tested).sum())
    if twice:
        raise LeakError(f"{source}: {twice} jets are also test jets of {dataset}; remove the duplicates")
