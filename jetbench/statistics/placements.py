"""The placements of jets, from which the AUC and its error follow, for two classes and for more.

Two classes: a jet's placement is the share of the other class that it beats, ties counted half. The AUC is the mean placement.

K classes: the figure of merit is Hand & Till's M (Machine Learning 45 (2001) 171), the mean over ordered pairs of classes (a, b)
of the AUC of the probability of a, among the jets of a and b alone. It does not depend on the shares of the classes, and it is
what the field's tables show (JetClass: Qu, Li & Qian, arXiv:2202.03772; scikit-learn's `roc_auc_score` with `multi_class="ovo"`
and `average="macro"`). M is a U-statistic of K samples, so that DeLong's argument holds as it stands: a jet's placement is the
mean of its placements in the 2(K−1) ordered pairs that its class takes part in, and M is the mean over classes of the mean
placement. With K = 2 all is as for two classes.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.statistics.samples import class_samples, two_samples

__all__ = ["Placements", "auc", "placements", "smallest_class"]

Placements = tuple[np.ndarray, tuple[np.ndarray, ...]]  # AUCs (k,), and for each class the placements (k, jets of the class)


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return P(signal score > background score) + ½ P(equal), from labels (n,) in {0, 1} and scores (n,); counted in integers.

    With probabilities (n, K) and labels in 0 … K−1 it is the mean over the ordered pairs of classes.
    """
    given = np.asarray(scores, np.float64)
    if given.ndim == 2:
        return float(_of_classes(labels, given[None])[0][0])
    signal, background = two_samples(labels, given)
    if signal.ndim != 1:
        raise RunError(f"scores have shape {given.shape}; one score per jet is needed")
    return float(_twice_beaten(signal, background).sum() / (2 * len(signal) * len(background)))


def placements(labels: ArrayLike, scores: ArrayLike) -> Placements:
    """Return AUCs and placements of k models, those of signal first where there are two classes.

    Takes scores (k, n) and labels in {0, 1}, or (k, n, K) and labels in 0 … K−1. Raises `RunError` with fewer than two
    jets of a class: their spread is unknown.
    """
    given = np.asarray(scores, np.float64)
    if given.ndim == 3:
        return _two_of_each(_of_classes(labels, given))
    signal, background = two_samples(labels, given)
    if signal.ndim != 2:
        raise RunError(f"scores have shape {given.shape}; (k, n) or (k, n, classes) is needed")
    n1, n0 = signal.shape[1], background.shape[1]
    if min(n1, n0) < 2:
        raise RunError(f"{n1} signal and {n0} background jets: the AUC's error needs two of each")
    of_signal, of_background = np.empty(signal.shape), np.empty(background.shape)
    for row, (high, low) in enumerate(zip(signal, background, strict=True)):
        of_signal[row] = _twice_beaten(high, low) / (2 * n0)
        of_background[row] = 1 - _twice_beaten(low, high) / (2 * n1)
    return of_signal.mean(axis=1), (of_signal, of_background)


def smallest_class(labels: ArrayLike) -> int:
    """Count the jets of the rarest class that occurs."""
    return int(np.unique(np.asarray(labels), return_counts=True)[1].min())


def _of_classes(labels: ArrayLike, scores: np.ndarray) -> Placements:
    samples = class_samples(labels, scores)
    parts = [np.zeros(sample.shape[:2]) for sample in samples]
    areas, rivals = np.zeros(len(scores)), len(samples) - 1
    for a, b in permutations(range(len(samples)), 2):
        for row, (high, low) in enumerate(zip(samples[a][:, :, a], samples[b][:, :, a], strict=True)):
            beaten = _twice_beaten(high, low)
            parts[a][row] += beaten / (2 * len(low))
            parts[b][row] += 1 - _twice_beaten(low, high) / (2 * len(high))
            areas[row] += beaten.sum() / (2 * len(low) * len(high))
    return areas / (len(samples) * rivals), tuple(part / (2 * rivals) for part in parts)


def _two_of_each(found: Placements) -> Placements:
    counts = [part.shape[1] for part in found[1]]
    if min(counts) < 2:
        raise RunError(f"{min(counts)} jets of class {counts.index(min(counts))}: the AUC's error needs two of each class")
    return found


def _twice_beaten(jets: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Per jet, twice the number of others below it plus the number equal to it: (n,) int64."""
    order, ranked = np.argsort(jets), np.sort(others)
    ascending = jets[order]  # sorted queries walk through memory once
    beaten = np.empty(len(jets), np.int64)
    beaten[order] = np.searchsorted(ranked, ascending, "left") + np.searchsorted(ranked, ascending, "right")
    return beaten
