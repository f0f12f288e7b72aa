"""What scores give to the class that a jet truly has."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["likelihood", "log_loss", "log_losses"]

SMALLEST = float(np.finfo(np.float64).eps)


def likelihood(labels: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Return the probability (n,) that the scores, (n,) of signal or (n, K) of all classes, give to each jet's own class."""
    label, values = np.asarray(labels), np.asarray(scores, np.float64)
    if values.ndim == 1:
        return np.where(label == 1, values, 1 - values)
    return values[np.arange(len(label)), label]


def log_losses(labels: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Return the cross-entropy (n,) in nats of labels (n,) in 0 … K−1 and probabilities, (n,) of signal or (n, K) of all classes.

    A probability of exactly 0 for a jet's own class counts as one fp64 epsilon, so that none is infinite.
    """
    return -np.log(likelihood(labels, scores).clip(SMALLEST))


def log_loss(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean of `log_losses`."""
    return float(log_losses(labels, scores).mean())
