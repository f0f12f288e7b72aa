"""Arms that were tested on the same jets: means of one, pairs, and pairs of such pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from jetbench.errors import StoreError
from jetbench.statistics.comparison import Comparison, seed_weights
from jetbench.statistics.means import Mean, mean_of
from jetbench.tasks.task import Task

__all__ = ["Scores", "averaged", "by_unit", "paired", "paired_gains"]

Scores = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows of the test jets (n,), their truth (n,), scores (n,) or (n, K)


def averaged(task: Task, values: np.ndarray, runs: Sequence[Scores], clusters: list[int] | None, shared: float) -> Mean:
    """Average the headline metric of seeds (n,) with both of its errors, from the runs that have these values; `clusters` and
    `shared` as for `paired`."""
    weights = seed_weights(len(runs), clusters)
    variance = task.covariance(runs[0][1], np.stack([scores for _, _, scores in runs]), weights[None])[0, 0]
    return mean_of(by_unit(values, clusters), float(variance), shared)


def by_unit(values: np.ndarray, clusters: list[int] | None) -> np.ndarray:
    """Return the values of seeds (n,), or the means of encoders that seeds share."""
    if clusters is None:
        return values
    return np.array([values[np.array(clusters) == c].mean() for c in sorted(set(clusters))])


def paired(task: Task, mine: Sequence[Scores], other: Sequence[Scores], clusters: list[int] | None, shared: float) -> Comparison:
    """Compare the runs of an arm with those of its baseline, seed by seed; `clusters` tell which seeds share an encoder, `shared`
    which share of their labels two seeds have in common.

    Raises `StoreError` where the runs were not tested on the same jets.
    """
    _refuse_other_jets((*mine, *other))
    truth, (predicted, against) = mine[0][1], (np.stack([p for _, _, p in side]) for side in (mine, other))
    return task.compare(truth, predicted, against, clusters, shared)


def paired_gains(
    task: Task,
    one: tuple[Sequence[Scores], Sequence[Scores]],
    other: tuple[Sequence[Scores], Sequence[Scores]],
    clusters: list[int] | None,
    shared: float,
) -> Comparison:
    """Compare what two arms gain over their baselines, seed by seed: each pair is an arm's runs and its baseline's; `clusters`
    and `shared` as for `paired`.

    Raises `StoreError` where the runs were not tested on the same jets.
    """
    _refuse_other_jets([scores for pair in (one, other) for side in pair for scores in side])
    first, second = (tuple(np.stack([p for _, _, p in side]) for side in pair) for pair in (one, other))
    return task.compare_gains(one[0][0][1], (first[0], first[1]), (second[0], second[1]), clusters, shared)


def _refuse_other_jets(runs: Iterable[Scores]) -> None:
    rows = [rows for rows, _, _ in runs]
    if any(not np.array_equal(some, rows[0]) for some in rows):
        raise StoreError("they were not tested on the same jets")
