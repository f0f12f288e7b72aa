"""Metrics of a classifier of more than two classes. Class 0 is the background, as the dataset orders its classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DivergenceError, RunError
from jetbench.evaluation.classification import BINS, EFFICIENCIES
from jetbench.evaluation.likelihood import log_loss
from jetbench.statistics.delong import delong, delong_interval
from jetbench.statistics.placements import auc
from jetbench.statistics.rejection import background_rejection
from jetbench.statistics.samples import class_labels

__all__ = ["class_confusion", "class_keys", "evaluate_classes", "signal_against_background"]

PROBABILITY_SUM = 1e-4  # how far the sum of a jet's probabilities may be from one: scores that fp32 has rounded pass


def evaluate_classes(labels: ArrayLike, scores: ArrayLike, class_names: Sequence[str]) -> dict[str, float]:
    """Return metrics by name, from labels (n,) in 0 … K−1 and scores (n, K), the probabilities of the classes.

    Keys: auc, auc_se, auc_low, auc_high (the mean one-versus-one AUC, see `jetbench.statistics.placements`; 95 %), accuracy of
    the most probable class, f1 (unweighted mean over classes), log_loss, ece (of the most probable class's probability), and by
    class (named by `class_keys`): auc_<class> (that class against all others by its own probability) and total_<class>. For
    each signal class and working point x %, as for JetClass (arXiv:2202.03772): background_rejection_x_<class> with its _low and
    _high (95 %) and background_left_x_<class>, against class 0 by p_s/(p_s + p_0). What has no finite value has no key.
    Raises `RunError` with fewer than two jets of a class, labels outside the classes, or scores that are no probabilities.
    """
    values, names = _checked(labels, scores, class_names), class_keys(class_names)
    label = class_labels(labels, len(names))
    area, table = delong_interval(label, values), class_confusion(label, values)
    error = float(np.sqrt(delong(label, values[None])[1][0, 0]))
    metrics: dict[str, float | None] = {"auc": area.mean, "auc_se": error, "auc_low": area.low, "auc_high": area.high}
    metrics["accuracy"] = float(np.trace(table) / table.sum())
    metrics["f1"] = float(np.mean(2 * np.diag(table) / (table.sum(axis=0) + table.sum(axis=1))))
    metrics["log_loss"] = log_loss(label, values)
    metrics["ece"] = _calibration_error(label, values)
    for one, name in enumerate(names):
        metrics[f"auc_{name}"] = auc(label == one, values[:, one])
        metrics[f"total_{name}"] = float(np.count_nonzero(label == one))
        if one > 0:
            metrics |= _rejections(label, values, one, name)
    return {name: value for name, value in metrics.items() if value is not None}


def class_keys(class_names: Sequence[str]) -> list[str]:
    """Turn the names of the classes into parts of metric names; class-<i> for all of them where one would be ambiguous there."""
    plain = [re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("_.") for name in class_names]
    unclear = re.compile(r"(.*_)?(se|low|high)|")  # "auc_low" would be a limit or a class; nothing may be left of a name
    if len(set(plain)) == len(plain) and not any(unclear.fullmatch(name) for name in plain):
        return plain
    return [f"class-{i}" for i in range(len(plain))]


def class_confusion(labels: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Count jets (K, K) int64: rows are the true class, columns the most probable one, the first of equals."""
    values = np.asarray(scores)
    classes = values.shape[1]
    return np.bincount(classes * np.asarray(labels) + values.argmax(axis=1), minlength=classes**2).reshape(classes, classes)


def signal_against_background(labels: ArrayLike, scores: ArrayLike, signal: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels in {0, 1} and scores p_s/(p_s + p_0), each (m,), of the jets of class 0 and of one signal class.

    A jet to which both probabilities are zero has 0.5."""
    label, values = np.asarray(labels), np.asarray(scores, np.float64)
    kept = (label == 0) | (label == signal)
    chosen, total = values[kept, signal], values[kept, signal] + values[kept, 0]
    return (label[kept] == signal).astype(np.int64), np.divide(chosen, total, out=np.full(len(total), 0.5), where=total > 0)


def _rejections(labels: np.ndarray, scores: np.ndarray, signal: int, name: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for percent in EFFICIENCIES:
        one = background_rejection(*signal_against_background(labels, scores, signal), percent)
        found[f"background_rejection_{percent}_{name}"] = one.rejection
        found[f"background_rejection_{percent}_{name}_low"] = one.low
        found[f"background_rejection_{percent}_{name}_high"] = one.high
        found[f"background_left_{percent}_{name}"] = float(one.background_left)
    return found


def _calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean over jets of |accuracy − mean confidence| in the jet's bin of confidence, the most probable class's probability, for
    equal bins of [0, 1] (Guo et al. 2017, arXiv:1706.04599)."""
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(place, weights=confidence - right, minlength=BINS)).sum() / len(labels))


def _checked(labels: ArrayLike, scores: ArrayLike, class_names: Sequence[str]) -> np.ndarray:
    values = np.asarray(scores, np.float64)
    if values.shape != (np.size(labels), len(class_names)):
        raise RunError(f"scores of shape {values.shape} for {np.size(labels)} jets of {len(class_names)} classes")
    if not np.isfinite(values).all():
        raise DivergenceError(f"{np.count_nonzero(~np.isfinite(values))} scores are not finite: the training has diverged")
    if values.min() < 0 or np.abs(values.sum(axis=1) - 1).max() > PROBABILITY_SUM:
        raise RunError("scores are below zero or do not sum to one: probabilities of the classes are needed")
    return values
