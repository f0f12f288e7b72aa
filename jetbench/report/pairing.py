"""Pairs of arms that were tested on the same jets, and the correction for the number of such pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from jetbench.errors import StoreError
from jetbench.statistics.comparison import Comparison, decide
from jetbench.statistics.multiplicity import adjust_secondary, holm
from jetbench.tasks.task import Task

__all__ = ["Scores", "corrected", "family", "paired"]

Key = TypeVar("Key")

Scores = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of the test jets (n,), their truth (n,), scores (n,) or (n, K)


def paired(task: Task, mine: Sequence[Scores], other: Sequence[Scores], clusters: list[int] | None, shared: float) -> Comparison:
    """Compare the runs of an arm with those of its baseline, seed by seed; `clusters` tell which seeds share an encoder, `shared`
    which share of their labels two seeds have in common.

    Raises `StoreError` where the runs were not tested on the same jets.
    """
    if any(not np.array_equal(rows, mine[0][0]) for rows, _, _ in (*mine, *other)):
        raise StoreError("they were not tested on the same jets")
    truth, (predicted, against) = mine[0][1], (np.stack([p for _, _, p in side]) for side in (mine, other))
    return task.compare(truth, predicted, against, clusters, shared)


def corrected(found: Mapping[tuple[str, int], Comparison], primary: tuple[str, int]) -> dict[tuple[str, int], Comparison]:
    """Return the comparisons, by arm and label budget, with the verdicts of all but the primary one corrected for their number by
    Holm."""
    if not found:
        return {}
    names = {f"{arm} {labels}": comparison for (arm, labels), comparison in found.items()}
    first = f"{primary[0]} {primary[1]}"
    names.setdefault(first, next(iter(names.values())))  # a primary that is missing yet spares no other its correction
    adjusted = adjust_secondary(names, first)
    return {(arm, labels): adjusted[f"{arm} {labels}"] for arm, labels in found}


def family(found: Mapping[Key, Comparison]) -> dict[Key, Comparison]:
    """Return the comparisons, each decided anew with p values that Holm corrects for their number."""
    tested = {key: one for key, one in found.items() if one.p_difference is not None and one.p_equivalence is not None}
    differences = holm([one.p_difference or 0.0 for one in tested.values()])
    equivalences = holm([one.p_equivalence or 0.0 for one in tested.values()])
    adjusted = {
        key: decide(one.replace(adjusted_p_difference=p_difference, adjusted_p_equivalence=p_equivalence))
        for (key, one), p_difference, p_equivalence in zip(tested.items(), differences, equivalences, strict=True)
    }
    return {**found, **adjusted}
