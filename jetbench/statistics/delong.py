"""The area under the ROC curve and its covariance over the test sample (DeLong, DeLong & Clarke-Pearson 1988).

A jet's *placement* is the share of the other class that it beats, ties counted half. The AUC is the mean placement, and the
sample covariance of the placements estimates the AUC's covariance without any assumption on the scores. The placements are
differences of midranks (Sun & Xu 2014), so that two sorts per score replace the n₁·n₀ pairs.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from jetbench.errors import RunError
from jetbench.statistics.intervals import Interval, alpha_of
from jetbench.statistics.samples import two_samples

__all__ = ["auc", "delong", "delong_interval", "mean_difference_variance", "paired_delong"]


Placements = tuple[np.ndarray, np.ndarray, np.ndarray]  # AUCs (k,), placements of signal (k, n₁) and of background (k, n₀)


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """P(signal score > background score) + ½ P(equal), from labels (n,) in {0, 1} and scores (n,); counted in integers."""
    signal, background = two_samples(labels, scores)
    if signal.ndim != 1:
        raise RunError(f"scores have shape {np.shape(scores)}; one score per jet is needed")
    return float(_twice_beaten(signal, background).sum() / (2 * len(signal) * len(background)))


def delong(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """AUCs (k,) and their covariance (k, k) for k scores of the same n jets, in O(k n log n + k² n).

    Takes labels (n,) and scores (k, n). Raises `RunError` with fewer than two jets of a class: their spread is unknown.
    """
    areas, of_signal, of_background = _placements(labels, scores)
    return areas, sum(np.atleast_2d(np.cov(sample)) / sample.shape[1] for sample in (of_signal, of_background))


def paired_delong(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """AUCs of the arm (k,), AUCs of the baseline (k,) and the variance (k,) of each row's difference over the test sample.

    Takes labels (n,) and two score arrays (k, n), row i of both being seed i. The variance is of the placements' differences
    themselves, so that two equal scores have exactly none.
    """
    (arm_areas, arm_signal, arm_background), (areas, of_signal, of_background) = _paired(labels, arm, baseline)
    return arm_areas, areas, _variance(arm_signal - of_signal) + _variance(arm_background - of_background)


def mean_difference_variance(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike | None = None) -> float:
    """DeLong's variance of the weighted mean over rows of AUC(arm) − AUC(baseline); shapes as for `paired_delong`.

    `weights` (k,) sum to one, equal ones by default. It is at most the mean of the k single variances, because what the test
    sample does to one seed's models alone averages out in the mean.
    """
    (areas, arm_signal, arm_background), (_, of_signal, of_background) = _paired(labels, arm, baseline)
    shares = np.full(len(areas), 1 / len(areas)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != areas.shape or not math.isclose(shares.sum(), 1):
        raise RunError(f"weights of shape {shares.shape} with sum {shares.sum():g} for {len(areas)} rows")
    means = ((shares @ (arm_signal - of_signal))[None], (shares @ (arm_background - of_background))[None])
    return float(sum(_variance(mean)[0] for mean in means))


def delong_interval(labels: ArrayLike, scores: ArrayLike, level: float = 0.95) -> Interval:
    """The AUC of scores (n,) with its interval over the test sample, symmetric in logit(AUC); n counts the jets.

    On the logit scale the interval stays within [0, 1] and follows the skewness near 1, where the symmetric one undercovers
    (Pepe 2003, ch. 5). At an AUC of exactly 1 DeLong's variance is zero although nothing is certain. There the lower end is
    (α/2)^(1/min(n₁, n₀)): so many disjoint signal-background pairs, all in order, are independent trials, and Clopper–Pearson
    holds for them; at 0 it is mirrored. Equal scores everywhere give 0.5 whatever the sample: both ends are 0.5.
    """
    alpha = alpha_of(level)
    areas, covariance = delong(labels, np.atleast_2d(np.asarray(scores, np.float64)))
    area, error, jets = float(areas[0]), math.sqrt(covariance[0, 0]), np.size(labels)
    if area in (0.0, 1.0):
        signal = int(np.count_nonzero(np.asarray(labels) == 1))
        bound = (alpha / 2) ** (1 / min(signal, jets - signal))
        return Interval(mean=area, low=bound if area else 0.0, high=1.0 if area else 1 - bound, n=jets)
    center, width = math.log(area / (1 - area)), float(ndtri(1 - alpha / 2)) * error / (area * (1 - area))
    return Interval(mean=area, low=_logistic(center - width), high=_logistic(center + width), n=jets)


def _paired(labels: ArrayLike, arm: ArrayLike, baseline: ArrayLike) -> tuple[Placements, Placements]:
    of_arm, of_baseline = _placements(labels, arm), _placements(labels, baseline)
    if len(of_arm[0]) != len(of_baseline[0]):
        raise RunError(f"{len(of_arm[0])} rows of scores against {len(of_baseline[0])}: paired rows are needed")
    return of_arm, of_baseline


def _placements(labels: ArrayLike, scores: ArrayLike) -> Placements:
    signal, background = two_samples(labels, scores)
    if signal.ndim != 2:
        raise RunError(f"scores have shape {np.shape(scores)}; (k, n) is needed")
    n1, n0 = signal.shape[1], background.shape[1]
    if min(n1, n0) < 2:
        raise RunError(f"{n1} signal and {n0} background jets: the AUC's error needs two of each")
    of_signal, of_background = np.empty(signal.shape), np.empty(background.shape)
    for row, (high, low) in enumerate(zip(signal, background, strict=True)):
        of_signal[row] = _twice_beaten(high, low) / (2 * n0)
        of_background[row] = 1 - _twice_beaten(low, high) / (2 * n1)
    return of_signal.mean(axis=1), of_signal, of_background


def _twice_beaten(jets: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Per jet, twice the number of others below it plus the number equal to it: (n,) int64."""
    order, ranked = np.argsort(jets), np.sort(others)
    ascending = jets[order]  # sorted queries walk through memory once
    beaten = np.empty(len(jets), np.int64)
    beaten[order] = np.searchsorted(ranked, ascending, "left") + np.searchsorted(ranked, ascending, "right")
    return beaten


def _variance(placements: np.ndarray) -> np.ndarray:
    return placements.var(axis=1, ddof=1) / placements.shape[1]


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
