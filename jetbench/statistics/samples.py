"""Labels and scores as the two samples that every ranking statistic starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DivergenceError, RunError

__all__ = ["binary_labels", "class_labels", "class_samples", "two_samples"]


def binary_labels(labels: ArrayLike) -> np.ndarray:
    """Return the labels as a boolean array (n,), signal True; raises `RunError` unless each is 0 or 1."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise RunError(f"labels have shape {given.shape}; one label per jet is needed")
    if given.size == 0:
        raise RunError("there are no jets to evaluate")
    signal = given == 1
    if not np.all(signal | (given == 0)):
        some = np.unique(given)[:5].tolist()
        raise RunError(f"labels {some} are not 0 (background) and 1 (signal): name two classes to compare")
    return signal


def two_samples(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return signal scores (…, n₁) and background scores (…, n₀) in float64, from labels (n,) and scores (…, n).

    Raises `RunError` for a length mismatch, a score that is not finite, or where a class is missing.
    """
    signal = binary_labels(labels)
    values = np.asarray(scores, np.float64)
    if values.ndim == 0 or values.shape[-1] != len(signal):
        raise RunError(f"{len(signal)} labels but scores of shape {values.shape}: one score per jet is needed")
    _refuse_broken(values)
    if signal.all() or not signal.any():
        raise RunError(f"all {len(signal)} jets are {'signal' if signal[0] else 'background'}: an evaluation needs both classes")
    return values[..., signal], values[..., ~signal]


def class_labels(labels: ArrayLike, classes: int) -> np.ndarray:
    """Return the labels as integers (n,); raises `RunError` unless each is one of 0 … classes−1 and each class occurs."""
    given = np.asarray(labels)
    if given.ndim != 1:
        raise RunError(f"labels have shape {given.shape}; one label per jet is needed")
    found = np.unique(given)
    if strange := [label for label in found.tolist() if label not in range(classes)]:
        raise RunError(f"labels {strange[:5]} are none of the {classes} classes 0 … {classes - 1}")
    if missing := sorted(set(range(classes)) - set(found.tolist())):
        raise RunError(f"no jet of class {', '.join(map(str, missing))} of {classes}: an evaluation needs every class")
    return given.astype(np.int64)


def class_samples(labels: ArrayLike, scores: ArrayLike) -> list[np.ndarray]:
    """Return class by class the scores (k, jets of the class, K) in float64, from labels (n,) in 0 … K−1 and scores (k, n, K).

    Raises `RunError` for a mismatch of shapes, a score that is not finite, or where a class is missing.
    """
    values, jets = np.asarray(scores, np.float64), np.size(labels)
    if values.ndim != 3 or values.shape[1] != jets or values.shape[2] < 2:
        shape = values.shape[1:] if values.ndim == 3 else values.shape
        raise RunError(f"{jets} labels but scores of shape {shape}: one score per jet, or one per jet and class, is needed")
    _refuse_broken(values)
    label = class_labels(labels, values.shape[2])
    return [values[:, label == one] for one in range(values.shape[2])]


def _refuse_broken(values: np.ndarray) -> None:
    if broken := int((~np.isfinite(values)).sum()):
        raise DivergenceError(f"{broken} of {values.size} scores are not finite: the training has diverged")
