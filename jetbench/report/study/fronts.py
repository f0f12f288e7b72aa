"""The Pareto front of several aims, and how much of the space it dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jetbench.statistics.pareto import on_front

__all__ = ["hypervolume", "spans_decades", "unit_box"]


def unit_box(points: np.ndarray) -> np.ndarray:
    """Scale points (n, aims), smaller is better, so that each aim's best value is 0 and its worst 1; an aim with one value is 0.
    An aim whose values are all positive and span more than a factor of ten, as costs do, is scaled by its logarithm."""
    scaled = np.array(points, dtype=float)
    for aim in range(scaled.shape[1]):
        column = scaled[:, aim]
        if spans_decades(column):
            column = np.log(column)
        span = np.ptp(column) if len(column) else 0.0
        scaled[:, aim] = (column - column.min()) / span if span > 0 else 0.0
    return scaled


def spans_decades(values: Sequence[float] | np.ndarray) -> bool:
    """Tell whether values are all positive and span more than a factor of ten."""
    return len(values) > 0 and min(values) > 0 and max(values) > 10 * min(values)


def hypervolume(points: np.ndarray) -> float:
    """Return the volume of the unit box that points (n, aims) dominate, smaller is better: slice by slice along the last aim.

    0 for no point, 1 for a point that is best by every aim.
    """
    inside = points[(points < 1).all(axis=1)]
    if not len(inside):
        return 0.0
    front = inside[on_front(inside)]
    if front.shape[1] == 1:
        return float(1 - front.min())
    front = front[np.argsort(front[:, -1], kind="stable")]
    ends = np.append(front[1:, -1], 1.0)
    slices = ends - front[:, -1]
    return float(sum(depth * hypervolume(front[: i + 1, :-1]) for i, depth in enumerate(slices) if depth > 0))
