"""Metrics of a binary classifier, each with the interval that its test sample allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.evaluation.likelihood import log_loss
from jetbench.statistics.delong import delong, delong_interval
from jetbench.statistics.rejection import background_rejection
from jetbench.statistics.samples import binary_labels, two_samples

__all__ = ["EFFICIENCIES", "confusion", "evaluate_binary", "expected_calibration_error"]

EFFICIENCIES = (30, 50)  # percent of signal kept: the working points of the top-tagging literature (Kasieczka et al. 2019)
BINS = 15  # equal bins of probability in the calibration error (Guo et al. 2017)


def evaluate_binary(labels: ArrayLike, scores: ArrayLike, threshold: float = 0.5) -> dict[str, float]:
    """Return metrics by name, from labels (n,) in {0 background, 1 signal} and scores (n,), the probabilities of signal.

    Keys: auc, auc_se, auc_low, auc_high (DeLong, 95 %; at an AUC of exactly 0 or 1 auc_se is 0, the interval is not), accuracy,
    f1 (of the signal, at score ≥ `threshold`), log_loss, ece, signal_total, background_total, and for each working point x %
    background_rejection_x with _x_low and _x_high (95 %) and background_left_x. Where no background is left there is no
    background_rejection_x, only its lower bound; an open upper end has no key. No value is infinite or NaN.
    Raises `RunError` with fewer than two jets of a class, more than two classes, scores that are NaN, outside [0, 1]
    or of another length.
    """
    signal, values = _checked(labels, scores)
    metrics = _ranking(signal, values)
    table = confusion(signal, values, threshold)
    metrics["accuracy"] = float(np.trace(table) / table.sum())
    metrics["f1"] = float(2 * table[1, 1] / (2 * table[1, 1] + table[0, 1] + table[1, 0]))
    metrics["log_loss"] = log_loss(signal, values)
    metrics["ece"] = expected_calibration_error(signal, values)
    metrics["signal_total"] = float(signal.sum())
    metrics["background_total"] = float((~signal).sum())
    return metrics


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float = 0.5) -> np.ndarray:
    """Count jets (2, 2) int64: rows are the true class, columns the predicted one, background first.

    A jet counts as signal from score ≥ threshold on."""
    signal, values = binary_labels(labels), np.asarray(scores, np.float64)
    if values.shape != signal.shape:
        raise RunError(f"{len(signal)} labels but scores of shape {values.shape}: one score per jet is needed")
    return np.bincount(2 * signal + (values >= threshold), minlength=4).reshape(2, 2)


def expected_calibration_error(labels: ArrayLike, scores: ArrayLike, bins: int = BINS) -> float:
    """Average over jets |share of signal − mean score| in the jet's bin of score, for equal bins of [0, 1]."""
    signal, values = binary_labels(labels), np.asarray(scores, np.float64)
    place = np.minimum((values * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, weights=values - signal, minlength=bins)
    return float(np.abs(gaps).sum() / len(values))


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(scores, np.float64)
    if values.ndim != 1:
        raise RunError(f"scores have shape {values.shape}: a binary evaluation takes one probability of signal per jet")
    two_samples(labels, values)
    if values.min() < 0 or values.max() > 1:
        raise RunError(f"scores run from {values.min():g} to {values.max():g}: probabilities of signal are needed")
    return binary_labels(labels), values


def _ranking(signal: np.ndarray, values: np.ndarray) -> dict[str, float]:
    area = delong_interval(signal, values)
    _, covariance = delong(signal, values[None])
    metrics = {"auc": area.mean, "auc_se": float(np.sqrt(covariance[0, 0])), "auc_low": area.low, "auc_high": area.high}
    for percent in EFFICIENCIES:
        found = background_rejection(signal, values, percent)
        metrics[f"background_rejection_{percent}"] = found.rejection
        metrics[f"background_rejection_{percent}_low"] = found.low
        metrics[f"background_rejection_{percent}_high"] = found.high
        metrics[f"background_left_{percent}"] = float(found.background_left)
    return {name: value for name, value in metrics.items() if value is not None}
