"""The area under the ROC curve and its covariance over the test sample (DeLong, DeLong & Clarke-Pearson 1988).

The AUC is a mean of the jets' placements, and their sample covariance, class by class, estimates the AUC's covariance without any
assumption on the scores. The placements are differences of midranks (Sun & Xu 2014), so that two sorts per score replace the
n₁·n₀ pairs. Every function takes scores of two classes (k, n), one per jet, or probabilities of K classes (k, n, K); the AUC is
then the mean over pairs of classes (see `placements`), and its error is found in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from jetbench.errors import RunError
from jetbench.statistics.intervals import LEVEL, Interval, alpha_of
from jetbench.statistics.placements import Placements, auc, placements, smallest_class

__all__ = [
    "auc",
    "auc_influences",
    "delong",
    "delong_interval",
    "mean_covariance",
    "mean_difference_variance",
    "paired_delong",
]


def delong(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return AUCs (k,) and their covariance (k, k) for k models on the same n jets, in O(k n log n + k² n) for two classes.

    Takes labels (n,) and scores (k, n) or (k, n, K). Raises `RunError` with fewer than two jets of a class: their spread is
    unknown.
    """
    areas, parts = placements(labels, scores)
    return areas, _weight(parts) * sum(np.atleast_2d(np.cov(part)) / part.shape[1] for part in parts)


def paired_delong(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return AUCs of the arm (k,), AUCs of the baseline (k,) and the variance (k,) of each row's difference over the test sample.

    Takes labels (n,) and two score arrays (k, n) or (k, n, K), row i of both being seed i. The variance is of the placements'
    differences themselves, so that two equal scores have exactly none.
    """
    (arm_areas, of_arm), (areas, of_baseline) = _paired(labels, arm, baseline)
    return arm_areas, areas, _variance([mine - other for mine, other in zip(of_arm, of_baseline, strict=True)])


def mean_difference_variance(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Return DeLong's variance of the weighted mean over rows of AUC(arm) − AUC(baseline); shapes as for `paired_delong`.

    `weights` (k,) sum to one, equal ones by default. It is at most the mean of the k single variances, because what the test
    sample does to one seed's models alone averages out in the mean.
    """
    (areas, of_arm), (_, of_baseline) = _paired(labels, arm, baseline)
    shares = np.full(len(areas), 1 / len(areas)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != areas.shape or not math.isclose(shares.sum(), 1):
        raise RunError(f"weights of shape {shares.shape} with sum {shares.sum():g} for {len(areas)} rows")
    return float(_variance([(shares @ (mine - other))[None] for mine, other in zip(of_arm, of_baseline, strict=True)])[0])


def mean_covariance(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Return DeLong's covariance (m, m) of m weighted means of AUCs over k models on the same jets.

    Takes scores as for `delong` and weights (m, k). What the models have in common does not average out in a mean; what the
    test sample does to one model alone does.
    """
    _, parts = placements(labels, scores)
    shares = np.asarray(weights, np.float64)
    if shares.ndim != 2 or shares.shape[1] != len(parts[0]):
        raise RunError(f"weights of shape {shares.shape} for {len(parts[0])} models: one of each for every mean are needed")
    return _weight(parts) * sum(np.atleast_2d(np.cov(shares @ part)) / part.shape[1] for part in parts)


def auc_influences(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return AUCs (k,) and what each jet moves them by (k, n), from scores as for `delong`.

    These are the placements about their mean, scaled so that the products of two models' influences sum to DeLong's covariance
    on the same jets. They belong to jets, so that models that were tested on different samples, or on samples that overlap, have
    a covariance as well: that of the jets which they have in common.
    """
    areas, parts = placements(labels, scores)
    given = np.asarray(labels)
    classes = (1, 0) if np.asarray(scores).ndim == 2 else range(len(parts))
    found = np.zeros((len(areas), len(given)))
    for one, part in zip(classes, parts, strict=True):
        jets = part.shape[1]
        found[:, given == one] = (part - part.mean(axis=1, keepdims=True)) / math.sqrt(jets * (jets - 1))
    return areas, math.sqrt(_weight(parts)) * found


def delong_interval(labels: ArrayLike, scores: ArrayLike, level: float = LEVEL) -> Interval:
    """Return the AUC of scores (n,) or (n, K) with its interval over the test sample, symmetric in logit(AUC); n counts the jets.

    On the logit scale the interval stays within [0, 1] and follows the skewness near 1, where the symmetric one undercovers
    (Pepe 2003, ch. 5). At an AUC of exactly 1 DeLong's variance is zero although nothing is certain. There the lower end is
    (α/2)^(1/min(n₁, n₀)): so many disjoint signal-background pairs, all in order, are independent trials, and Clopper–Pearson
    holds for them (with K classes: so many disjoint sets of one jet per class); at 0 it is mirrored. Equal scores everywhere
    give 0.5 whatever the sample: both ends are 0.5.
    """
    alpha = alpha_of(level)
    areas, covariance = delong(labels, np.asarray(scores, np.float64)[None])
    area, error, jets = float(areas[0]), math.sqrt(covariance[0, 0]), np.size(labels)
    if area in (0.0, 1.0):
        bound = (alpha / 2) ** (1 / smallest_class(labels))
        return Interval(mean=area, low=bound if area else 0.0, high=1.0 if area else 1 - bound, n=jets)
    center, width = math.log(area / (1 - area)), float(ndtri(1 - alpha / 2)) * error / (area * (1 - area))
    return Interval(mean=area, low=_logistic(center - width), high=_logistic(center + width), n=jets)


def _paired(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike) -> tuple[Placements, Placements]:
    of_arm, of_baseline = placements(labels, arm), placements(labels, baseline)
    if len(of_arm[0]) != len(of_baseline[0]):
        raise RunError(f"{len(of_arm[0])} rows of scores against {len(of_baseline[0])}: paired rows are needed")
    return of_arm, of_baseline


def _variance(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The variance (k,) of AUCs, or of their differences, from the placements (k, n) of each class."""
    return _weight(parts) * np.sum([part.var(axis=1, ddof=1) / part.shape[1] for part in parts], axis=0)


def _weight(parts: Sequence[np.ndarray]) -> float:
    """(2/K)²: a class takes part in that share of the pairs, so that the AUC moves by 2/K of what its mean placement moves."""
    return (2 / len(parts)) ** 2


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
