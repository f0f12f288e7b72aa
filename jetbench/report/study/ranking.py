"""Which trials are better than which: by one aim in order, by several in layers of Pareto fronts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jetbench.statistics.pareto import on_front
from jetbench.suites.studies import Study
from jetbench.suites.trials import Searching, Trial

__all__ = ["finished", "layers", "losses", "ranks"]


def finished(searching: Searching) -> list[Trial]:
    """List the trials that were trained to their end, in the order of their numbers."""
    return [trial for trial in searching.trials if trial.state == "complete"]


def losses(study: Study, trials: Sequence[Trial]) -> np.ndarray:
    """Return the scores of trials, by aim, as numbers of which smaller ones are better (trials, aims)."""
    signs = np.array([-1.0 if aim.larger_is_better else 1.0 for aim in study.aims])
    return np.array([trial.scores for trial in trials], dtype=float).reshape(len(trials), len(signs)) * signs


def layers(points: np.ndarray) -> np.ndarray:
    """Return the layer of each point (n, aims), smaller is better: 0 for those that no other dominates, 1 for those that none of
    the rest dominates, and so on (n,)."""
    found = np.full(len(points), -1)
    layer = 0
    while (left := np.flatnonzero(found < 0)).size:
        found[left[on_front(points[left])]] = layer
        layer += 1
    return found


def ranks(searching: Searching) -> dict[int, int]:
    """Return the ranks of the finished trials by number, 1 for the best: by layers where there are several aims, then by the
    first aim."""
    trials = finished(searching)
    values = losses(searching.study, trials)
    ordered = sorted(zip(layers(values), values[:, 0], (trial.number for trial in trials), strict=True)) if trials else []
    return {number: rank for rank, (_, _, number) in enumerate(ordered, 1)}
