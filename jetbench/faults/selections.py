"""Faults of which jets are trained on, chosen by and tested on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from jetbench.data.splits import Split, divided, split_jets
from jetbench.faults.fault import Fault
from jetbench.seeds import numpy_rng
from jetbench.spec import RunSpec
from jetbench.tasks import build_task
from jetbench.tasks.task import LOSS

__all__ = ["BestEpochOnTest", "FirstRows", "LargeValidation", "LeakedTest", "SelectionOnTest", "blocked"]

BLOCK = 10  # jets of one label that stand together in the file
TIMES = 20  # as many labels validate as the budget has, at most


def _best(spec: RunSpec, key: str) -> RunSpec:
    """The run with the weights of its best epoch by a metric of its validation."""
    chosen: RunSpec = spec.replace(recipe=spec.recipe.replace(select="best", select_by=key))
    return chosen


class SelectionOnTest(Fault):
    def planned(self, spec: RunSpec) -> RunSpec:
        return _best(spec, LOSS.key)

    def split(self, split: Split, labels: np.ndarray, events: np.ndarray, spec: RunSpec) -> Split:
        return replace(split, validation=split.test)


class BestEpochOnTest(Fault):
    """The maximum over epochs is what the weights of that epoch give: they are kept and reported. Rates, where they are tuned,
    are still chosen by the validation labels of the budget."""

    def planned(self, spec: RunSpec) -> RunSpec:
        return _best(spec, build_task(spec.task).headline.key)

    def watched(self, split: Split) -> np.ndarray:
        return split.test


class FirstRows(Fault):
    """The pool as it would stand in such a file, whose order knows no seed; the budget is its beginning."""

    def split(self, split: Split, labels: np.ndarray, events: np.ndarray, spec: RunSpec) -> Split:
        order = split.pool[blocked(labels[split.pool], numpy_rng("blocks", spec.dataset.sha256))]
        train, validation = divided(order, labels, events, spec.labels)
        return replace(split, train=train, validation=validation)


def blocked(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an order of jets with labels (n,) in blocks of ten of one label, blocks and jets at random; the last block of a
    label has what is left."""
    blocks = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        blocks += [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
    return np.concatenate([blocks[place] for place in rng.permutation(len(blocks))])


class LeakedTest(Fault):
    """A pool of other jets than the dataset's has no place for its test jets."""

    def pool(self, rows: np.ndarray, split: Split) -> np.ndarray:
        return np.sort(np.concatenate([rows, split.test]))


class LargeValidation(Fault):
    """The labels that validate are the next ones in the order of the seed, no event of the budget's among them."""

    def planned(self, spec: RunSpec) -> RunSpec:
        return _best(spec, LOSS.key)

    def split(self, split: Split, labels: np.ndarray, events: np.ndarray, spec: RunSpec) -> Split:
        assert spec.labels is not None
        wide = min((1 + TIMES) * spec.labels, len(split.pool))
        more = split_jets(labels, events, spec.test_jets, wide, spec.seed, spec.dataset.sha256)
        train = np.concatenate([split.train, split.validation])
        others = np.concatenate([more.train, more.validation])
        return replace(split, train=train, validation=others[~np.isin(events[others], events[train])])
