"""How well one column alone tells a class from the others: a leak is a column that does it nearly perfectly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from jetbench.statistics.delong import auc, delong_interval
from jetbench.values import Value

__all__ = ["LEAK", "Separation", "separations"]

# No single number of a jet should reach what the best networks reach on top tagging, AUC 0.98 to 0.987 (Kasieczka et al. 2019,
# SciPost Phys. 7, 014); the mass there has 0.91.
LEAK = 0.98


class Separation(Value):
    """max(AUC, 1 − AUC) of a column with DeLong's 95 % interval: jets of `class_name` have the larger (or the smaller) values
    than all others. With more than two classes it is the class that this column sets apart best."""

    column: str
    auc: float
    low: float | None
    high: float | None
    class_name: str
    larger: bool


def separations(labels: np.ndarray, class_names: Sequence[str], columns: Mapping[str, np.ndarray]) -> tuple[Separation, ...]:
    """Measure how well each column (n,) alone separates the classes of labels (n,), best first.

    There is nothing to measure where fewer than two classes have two jets.
    """
    classes = _classes(labels)
    found = [_separation(name, column, labels, classes, class_names) for name, column in columns.items()] if classes else []
    return tuple(sorted(found, key=lambda it: -it.auc))


def _classes(labels: np.ndarray) -> list[int]:
    """Classes to tell from the rest: of two the second, of more each; DeLong's error needs two jets on either side."""
    classes, counts = np.unique(labels, return_counts=True)
    able = [int(k) for k, n in zip(classes, counts, strict=True) if min(n, len(labels) - n) >= 2]
    return able[-1:] if len(classes) == 2 else able


def _separation(
    name: str, column: np.ndarray, labels: np.ndarray, classes: Sequence[int], class_names: Sequence[str]
) -> Separation:
    areas = {k: auc(labels == k, column) for k in classes}
    best = max(areas, key=lambda k: abs(areas[k] - 0.5))
    larger = areas[best] >= 0.5
    area = delong_interval(labels == best, column if larger else -column)
    return Separation(column=name, auc=area.mean, low=area.low, high=area.high, class_name=class_names[best], larger=larger)
