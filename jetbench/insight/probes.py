"""What an encoder knows of the classes: how well its features alone tell jets apart that no probe was fitted on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.intervals import Interval, clopper_pearson

__all__ = ["NEIGHBOURS", "probe_accuracies"]

NEIGHBOURS = 20  # of a nearest-neighbour probe, all of fewer jets
LEAST = 4  # jets of a class, so that either half has two


def probe_accuracies(features: np.ndarray, labels: np.ndarray) -> dict[str, Interval]:
    """Return the accuracy with its interval of a linear probe and of the nearest neighbours, "linear probe" and "kNN".

    Takes features (n, f), which are standardised, and labels (n,). A probe is fitted on one half of the jets, of each class, and
    tested on the other. Raises `RunError` where a class has too few jets.
    """
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2 or counts.min() < LEAST:
        raise RunError(f"{LEAST} jets of two or more classes are the least that a probe is fitted and tested on")
    fitted = _half(labels)
    return {name: _accuracy(build(int(fitted.sum())), features, labels, fitted) for name, build in PROBES.items()}


def _half(labels: np.ndarray) -> np.ndarray:
    """Mark half of the jets of each class (n,), by chance, and by the same one for every encoder."""
    chosen = np.zeros(len(labels), bool)
    for label in np.unique(labels).tolist():
        rows = np.flatnonzero(labels == label)
        chosen[numpy_rng("probe", label, len(rows)).permutation(rows)[: len(rows) // 2]] = True
    return chosen


def _accuracy(probe: Any, features: np.ndarray, labels: np.ndarray, fitted: np.ndarray) -> Interval:
    mean, spread = features[fitted].mean(axis=0), features[fitted].std(axis=0)
    scaled = (features - mean) / np.where(spread > 0, spread, 1.0)
    right = probe.fit(scaled[fitted], labels[fitted]).predict(scaled[~fitted]) == labels[~fitted]
    return clopper_pearson(int(right.sum()), len(right))


def _linear(fitted: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000)


def _nearest(fitted: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(min(NEIGHBOURS, fitted), metric="cosine")


PROBES: dict[str, Callable[[int], Any]] = {"linear probe": _linear, "kNN": _nearest}  # of so many fitted jets
