"""What scores give to the class that a jet truly has."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["likelihood", "log_loss", "log_losses", "mean_probabilities"]

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


def mean_probabilities(scores: ArrayLike) -> np.ndarray:
    """Return the probabilities that belong to the mean logit of several models: of scores (s, n) of signal those of signal (n,),
    of (s, n, K) of all classes (n, K).

    Logits are logarithms of probabilities but for a number per jet, so that their mean is that of the logarithms. A probability
    below one fp64 epsilon counts as that.
    """
    values = np.asarray(scores, np.float64)
    every = np.stack([1 - values, values], axis=-1) if values.ndim == 2 else values
    logits = np.log(every.clip(SMALLEST)).mean(axis=0)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares = weights / weights.sum(axis=-1, keepdims=True)
    return shares[:, 1] if values.ndim == 2 else shares
