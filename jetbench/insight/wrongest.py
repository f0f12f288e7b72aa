"""The jets on which a model is most wrong, and those on which two models disagree most, from stored predictions alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["disagreements", "score_of_class", "worst", "wrongest"]


def score_of_class(scores: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Return the probability that each jet is given of the class `labels` (n,), from scores (n,) of class 1 of two or (n, K)."""
    values, wanted = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
    if values.ndim == 1:
        return np.where(wanted == 1, values, 1 - values)
    return values[np.arange(len(values)), wanted]


def wrongest(labels: ArrayLike, scores: ArrayLike, most: int) -> dict[int, np.ndarray]:
    """Return by class the places of up to `most` of its jets that are given the least probability of it, the wrongest first; jets
    that a classifier has right are not among them. Shapes as for `score_of_class`."""
    wanted, values = np.asarray(labels, np.int64), np.asarray(scores, np.float64)
    own = score_of_class(values, wanted)
    wrong = own < (0.5 if values.ndim == 1 else values.max(axis=1))
    order = np.argsort(own, kind="stable")
    return {label: order[(wanted == label)[order] & wrong[order]][:most] for label in np.unique(wanted).tolist()}


def worst(truth: ArrayLike, predictions: ArrayLike, most: int) -> np.ndarray:
    """Return the places of the `most` jets of the largest residuals, the largest first, of truth and predictions (n,)."""
    size = np.abs(np.asarray(predictions, np.float64) - np.asarray(truth, np.float64))
    return np.argsort(-size, kind="stable")[:most]


def disagreements(predictions: Sequence[ArrayLike], most: int) -> np.ndarray:
    """Return the places of the `most` jets whose predictions (n,) or (n, K) by several models lie furthest apart: by the largest
    distance of any two models in any column."""
    values = np.stack([np.asarray(one, np.float64) for one in predictions])
    apart = values.max(axis=0) - values.min(axis=0)
    return np.argsort(-(apart if apart.ndim == 1 else apart.max(axis=1)), kind="stable")[:most]
