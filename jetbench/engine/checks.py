"""Looks into the data once, before anything is trained on it: does it fit, and does nothing leak?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jetbench.data.composition import composition
from jetbench.data.splits import split_jets
from jetbench.data.weights import read_weights, unit_weights
from jetbench.errors import DataFileError, LeakError, SuiteError
from jetbench.jets import Jets, open_jets
from jetbench.jets.hashes import stored_hashes
from jetbench.jets.likeness import HARDEST, Likenesses
from jetbench.spec import Variation
from jetbench.suites.budgets import check_budgets
from jetbench.suites.graph import Graph
from jetbench.suites.instance import called
from jetbench.views.needs import unmet

__all__ = ["check_also_test", "check_data"]

log = logging.getLogger(__name__)

SHOWN = 3  # pairs of jets that look alike


def check_data(plan: Graph, dataset: Path, unlabelled: Path | None) -> None:
    """Raise `SuiteError` or `DataFileError` for data that the plan cannot use, `LeakError` for jets on both sides. Jets on both
    sides that merely look alike are a warning."""
    jets = open_jets(dataset)
    if reason := plan.task.unmet(jets.meta, tuple(jets.targets)):
        raise DataFileError(f"the jets of {dataset} {reason}")
    if reason := plan.task.forged(jets):
        raise DataFileError(f"{dataset}: these jets have a target {plan.task.column!r} that {reason}; choose another target")
    strata, events = plan.task.strata(jets), jets.event[:]
    check_budgets(plan, strata, events)
    split = split_jets(strata, events, plan.instance.settings.test_jets, None, 0, plan.instance.dataset.sha256)
    hashes = stored_hashes(jets)
    tested = hashes[split.test]
    _refuse_leak(tested, hashes[split.pool], dataset, dataset)
    if weight := plan.instance.settings.sample_weight:
        unit_weights(read_weights(jets, weight), split.pool, "jets that may be trained on")
    if unlabelled is None:
        _check_sizes(plan, _labels(jets)[split.pool], jets.meta.class_names)
    else:
        _check_pool(plan, tested, dataset, unlabelled)
    _warn_of_likeness(dataset, split.test, {dataset: split.pool} | ({unlabelled: None} if unlabelled else {}))


def check_also_test(plan: Graph, others: Mapping[str, Path], dataset: Path, unlabelled: Path | None) -> None:
    """Raise `SuiteError` where one of the other test sets has too few jets, `LeakError` where one of its jets may be trained on.

    That is one in the pool of the dataset, which all labels are taken from, or among the unlabelled jets of another file. The
    paths of `others` are by name; a test set without one is made of the own test jets.
    """
    if not others and not plan.instance.variations:
        return
    own, instance = open_jets(dataset), plan.instance
    split = split_jets(plan.task.strata(own), own.event[:], instance.settings.test_jets, None, 0, instance.dataset.sha256)
    for path in others.values():
        _check_other(plan, path, {dataset: split.pool} | ({unlabelled: None} if unlabelled else {}))
    for one in instance.variations:
        if one.shares is not None:
            _check_shares(plan, one, own.targets["label"][:][split.test])


def _check_other(plan: Graph, path: Path, pools: Mapping[Path, np.ndarray | None]) -> None:
    """The jets of a test set against those of each pool: the rows (k,) of a file, or all of it."""
    jets = open_jets(path)
    if found := plan.task.shortage("test", plan.task.strata(jets), plan.instance.meta):
        raise SuiteError(f"{path}: {found}; take a larger second test set")
    for source, rows in pools.items():
        pool = open_jets(source)
        if number := _shared(jets, pool, np.arange(len(pool)) if rows is None else rows):
            raise LeakError(
                f"{path}: {number} of its jets are also in the pool of {source}; remove them from the second test set"
            )
    _warn_of_likeness(path, np.arange(len(jets)), pools)


def _check_shares(plan: Graph, one: Variation, labels: np.ndarray) -> None:
    """Enough of each class are left of the own test jets with labels (n,)."""
    names = plan.instance.meta.class_names
    counts = composition(labels, names, one.shares or ())
    strata = np.repeat([names.index(name) for name, _ in one.shares or ()], counts)
    if found := plan.task.shortage("test", strata, plan.instance.meta):
        raise SuiteError(f"the {called(one.name)}: {found}; raise its share, or test_jets")


def _shared(jets: Jets, others: Jets, rows: np.ndarray) -> int:
    """How many jets are among the others at `rows` (k,). Files with other channels are compared by the pT of the deposits."""
    pt_only = jets.meta.channels != others.meta.channels and not any(unmet(one.meta, ("pt",)) for one in (jets, others))
    seen, known = (stored_hashes(one, pt_only=pt_only) for one in (jets, others))
    return int(np.isin(seen, known[rows]).sum())


def _check_pool(plan: Graph, tested: np.ndarray, dataset: Path, unlabelled: Path) -> None:
    pool = open_jets(unlabelled)
    if any(run.spec.pool is not None for run in plan.runs.values()) and "label" not in pool.targets:
        raise SuiteError(f"{unlabelled}: the suite asks for shares of classes in the pool, and these jets have no labels")
    _check_sizes(plan, _labels(pool), pool.meta.class_names)
    _refuse_leak(tested, stored_hashes(pool), dataset, unlabelled)


def _labels(jets: Jets) -> np.ndarray:
    """The classes (n,), all the same where the jets have none."""
    labels: np.ndarray = jets.targets["label"][:] if "label" in jets.targets else np.zeros(len(jets), np.int32)
    return labels


def _check_sizes(plan: Graph, labels: np.ndarray, class_names: tuple[str, ...]) -> None:
    """A pretraining has as many jets as it asks for, and at least a batch of different ones: of fewer, a jet would be told from
    itself."""
    for run in plan.runs.values():
        if run.labelled:
            continue
        shares, batch, asked = run.spec.pool, run.spec.recipe.batch_size, run.spec.pool_jets
        counts = [len(labels)] if shares is None else composition(labels, class_names, shares)
        named = ", ".join(f"{n} {name}" for n, (name, _) in zip(counts, shares or (), strict=False))
        has = f"the pool of {run.name} has {sum(counts)} jets{f' ({named})' if named else ''}, fewer than"
        if asked is not None and sum(counts) < asked:
            raise SuiteError(f"{has} the {asked} of `pool_jets`; lower it, take more jets, or other shares")
        if sum(counts) < batch:
            raise SuiteError(f"{has} a batch of {batch}; take more jets, other shares, or a smaller batch")
        if asked is not None and asked < batch:
            raise SuiteError(f"`pool_jets` of {run.name} is {asked}, fewer than a batch of {batch}; raise it or lower batch_size")


def _refuse_leak(tested: np.ndarray, pool: np.ndarray, dataset: Path, source: Path) -> None:
    twice = int(np.isin(pool, tested).sum())
    if twice:
        raise LeakError(f"{source}: {twice} jets are also test jets of {dataset}; remove the duplicates")


def _warn_of_likeness(tested: Path, rows: np.ndarray, pools: Mapping[Path, np.ndarray | None]) -> None:
    """Tell how many jets of each pool, the rows (k,) of a file or all of it, are probably the test jets at `rows` (n,) of a file,
    stored in another way. Jets without pT are not looked at."""
    jets = open_jets(tested)
    if unmet(jets.meta, ("pt",)):
        return
    likenesses = Likenesses(jets, rows)
    for source, kept in pools.items():
        pool = open_jets(source)
        if unmet(pool.meta, ("pt",)):
            continue
        pairs = np.array(list(likenesses.pairs(pool)), np.int64).reshape(-1, 2)
        if kept is not None:
            pairs = pairs[np.isin(pairs[:, 1], kept)]
        if len(pairs):
            examples = ", ".join(f"{a} and {b}" for a, b in pairs[:SHOWN].tolist())
            log.warning(
                f"{source}: {len(pairs)} jets look like test jets of {tested}: their {HARDEST} hardest deposits agree within "
                f"rounding (rows {examples} of the two files). Where they are copies in another precision, order or unit, or "
                "without soft deposits, they leak: remove them from the pool"
            )
