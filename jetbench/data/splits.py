"""Who is trained on, who chooses, who is tested: stratified, grouped by event, nested, and written down.

The test set depends on the dataset alone. The order in which the pool's jets are labelled depends on the run's seed alone, so
that every arm sees the same labels, and a budget's jets contain those of every smaller budget.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jetbench.errors import SuiteError
from jetbench.files import replacing
from jetbench.seeds import numpy_rng

__all__ = ["NONE_VALIDATES", "Split", "divided", "interleaved", "split_jets", "train_jets", "write_split"]

VALIDATION = 5  # every fifth label of a budget validates: 80/20
NONE_VALIDATES = "every fifth event of a class does, and no class has five"


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers, int64, of the dataset. `train` and `validation` together are the label budget; `pool` is everything outside
    the test set, labels unused. No event has jets in two of train, validation and test, nor in pool and test."""

    train: np.ndarray
    validation: np.ndarray
    pool: np.ndarray
    test: np.ndarray

    def summary(self) -> dict[str, dict[str, int | str]]:
        """Return size and sha256 of each part."""
        return {name: {"jets": len(rows), "sha256": _sha256(rows)} for name, rows in vars(self).items()}


def split_jets(
    labels: np.ndarray, events: np.ndarray, test_jets: int, budget: int | None, seed: int, dataset_digest: str
) -> Split:
    """Split n jets by labels (n,) and event ids (n,). `budget` None takes every label of the pool.

    Raises `SuiteError` where there are not enough jets.
    """
    n = len(labels)
    if not 0 < test_jets < n:
        raise SuiteError(f"{test_jets} test jets cannot be taken from {n}; ask for fewer, or for a larger dataset")
    order = _grouped(interleaved(labels, numpy_rng("test", dataset_digest)), events)
    size = _whole_events(events[order], test_jets)
    test, pool = np.sort(order[:size]), np.sort(order[size:])
    if not len(pool):
        raise SuiteError(f"{test_jets} test jets leave none of {n}, since jets of one event stay together; lower test_jets")
    if budget is not None and budget > len(pool):
        raise SuiteError(f"a budget of {budget} labels is larger than the pool of {len(pool)} jets; lower it or add jets")
    order = pool[interleaved(labels[pool], numpy_rng("labels", dataset_digest, seed))]
    train, validation = divided(order, labels, events, budget)
    return Split(train=train, validation=validation, pool=pool, test=test)


def divided(order: np.ndarray, labels: np.ndarray, events: np.ndarray, budget: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Divide the first `budget` rows of an order (m,) of jets with labels (n,) and event ids (n,) into rows that are trained on
    and rows that validate; the jets of one event are brought together at the place of the first. None takes all rows."""
    order = order[_grouped(np.arange(len(order)), events[order])]
    validates = _validates(labels[order], events[order])
    chosen = slice(None, budget)
    return order[chosen][~validates[chosen]], order[chosen][validates[chosen]]


def train_jets(budget: int) -> int:
    """Count the training jets of a label budget, the validation jets taken off (to within one jet per class)."""
    return budget - budget // VALIDATION


def interleaved(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a random order of jets with labels (n,) whose every prefix holds each class in its share, to within one jet."""
    position = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        position[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(position, kind="stable")


def _grouped(order: np.ndarray, events: np.ndarray) -> np.ndarray:
    """The order with the jets of one event brought together at the place of the first."""
    _, group = np.unique(events[order], return_inverse=True)
    first = np.full(group.max() + 1 if len(group) else 0, len(order))
    np.minimum.at(first, group, np.arange(len(order)))
    return order[np.argsort(first[group], kind="stable")]


def _whole_events(events: np.ndarray, size: int) -> int:
    """The smallest number of rows, at least `size`, that cuts no event; rows of one event are neighbours."""
    while size < len(events) and events[size] == events[size - 1]:
        size += 1
    return size


def _validates(labels: np.ndarray, events: np.ndarray) -> np.ndarray:
    """True for the jets of every fifth event in this order, counted among the events whose first jet is of the same class."""
    starts = np.concatenate([[True], events[1:] != events[:-1]])
    first = labels[starts]
    flags = np.zeros(len(first), bool)
    for label in np.unique(first):
        flags[np.flatnonzero(first == label)[VALIDATION - 1 :: VALIDATION]] = True
    return flags[np.cumsum(starts) - 1]


def _sha256(rows: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()


def write_split(folder: Path, split: Split) -> str:
    """Store the row numbers once under the sha256 of all of them; return the file's name."""
    digest = hashlib.sha256("".join(_sha256(rows) for rows in vars(split).values()).encode()).hexdigest()
    path = folder / f"{digest[:16]}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **vars(split))
    return path.name
