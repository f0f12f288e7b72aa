"""The ROC curve of one score, thin enough to be stored and drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.statistics.samples import two_samples

__all__ = ["roc_curve"]


def roc_curve(labels: ArrayLike, scores: ArrayLike, points: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Return signal and background efficiency, both (m,) ascending from 0 to 1, m ≤ `points`, at cuts score ≥ t.

    One point per distinct score, so that equal scores make one straight step and the trapezoid below the whole curve is the
    AUC. Points inside a straight run carry nothing and go first. A curve that is still too long keeps its two end points
    and those next to an even grid in ε_S and to a logarithmic one in ε_B, where 1/ε_B is read off.
    """
    signal, background = two_samples(labels, scores)
    if signal.ndim != 1:
        raise RunError(f"scores have shape {np.shape(scores)}; one score per jet is needed")
    if points < 4:
        raise RunError(f"a ROC curve of {points} points is none; four are the least")
    cuts = np.unique(np.concatenate([signal, background]))[::-1]
    passed = np.zeros((2, len(cuts) + 1), np.int64)
    for row, sample in zip(passed, (signal, background), strict=True):
        row[1:] = len(sample) - np.searchsorted(np.sort(sample), cuts, "left")
    passed = passed[:, _corners(*passed)]
    signal_efficiency, background_efficiency = passed[0] / len(signal), passed[1] / len(background)
    kept = _thinned(signal_efficiency, background_efficiency, points)
    return signal_efficiency[kept], background_efficiency[kept]


def _corners(signal: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Indices of the points at which the direction changes, in integers, with both ends."""
    step_s, step_b = np.diff(signal), np.diff(background)
    turns = step_s[1:] * step_b[:-1] != step_s[:-1] * step_b[1:]
    return np.flatnonzero(np.concatenate([[True], turns, [True]]))


def _thinned(signal: np.ndarray, background: np.ndarray, points: int) -> np.ndarray:
    if len(signal) <= points:
        return np.arange(len(signal))
    half = points // 2 - 1
    smallest = background[background > 0][0]
    by_signal = np.searchsorted(signal, np.linspace(0, 1, half))
    by_background = np.searchsorted(background, np.geomspace(smallest, 1, half))
    return np.unique(np.concatenate([[0, len(signal) - 1], by_signal, by_background]).clip(0, len(signal) - 1))
