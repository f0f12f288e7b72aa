"""Fronts of points that are better or worse by several measures."""

from __future__ import annotations

import numpy as np

__all__ = ["on_front"]


def on_front(points: np.ndarray) -> np.ndarray:
    """Tell which points (n, aims), smaller is better, no other dominates: is no worse by every aim and better by one (n,)."""
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    better = (points[:, None] < points[None]).any(axis=2)
    dominated: np.ndarray = np.any(no_worse & better, axis=0)
    return ~dominated
