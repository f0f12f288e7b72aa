"""Background rejection R_x = 1/ε_B at a fixed signal efficiency, with an interval that no small sample can fool."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaincinv

from jetbench.errors import RunError
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.samples import two_samples
from jetbench.values import Value

__all__ = ["THRESHOLD_NOISE_BELOW", "Rejection", "background_rejection", "threshold_noise"]

THRESHOLD_NOISE_BELOW = 10_000  # signal jets; from here on the background count's noise dominates (protocol, section 5)
NEGLIGIBLE = 1e-12  # bootstrap probability below which a threshold is left out


class Rejection(Value):
    """R_x of one score on one test sample. `rejection` is None where no background jet is left: then `low` is all that is known.

    `high` is None where the interval is open. `threshold_noise` tells whether the interval includes the threshold's own noise.
    """

    efficiency_percent: int
    threshold: float
    background_left: int
    background_total: int
    signal_total: int
    rejection: float | None
    low: float
    high: float | None
    threshold_noise: bool


def background_rejection(labels: ArrayLike, scores: ArrayLike, efficiency_percent: int, level: float = LEVEL) -> Rejection:
    """Return R_x for labels (n,) in {0, 1}, scores (n,) and x in whole percent, 1 to 99.

    The threshold is the signal score at 0-based ascending index floor((1−x)·n₁), in integers, and background counts at ≥: at
    least x of the signal passes. The interval is Clopper–Pearson's on the background count. Below `THRESHOLD_NOISE_BELOW`
    signal jets the threshold is bootstrapped from the signal, and the limits are quantiles of a mixture: Clopper–Pearson's
    lower limit is the α/2 quantile of Beta(k, n₀−k+1), its upper one the 1−α/2 quantile of Beta(k+1, n₀−k), and each of
    the two Betas is averaged over the bootstrapped thresholds' counts k. Without threshold noise this is Clopper–Pearson again.
    The bootstrap is the ideal one: the distribution of a resampled order statistic is known in closed form, so that nothing is
    drawn at random.
    """
    alpha = alpha_of(level)
    if efficiency_percent not in range(1, 100):
        raise RunError(f"a signal efficiency of {efficiency_percent} %: whole percents from 1 to 99 are meant")
    signal, background = (np.sort(sample) for sample in two_samples(labels, scores))
    if signal.ndim != 1:
        raise RunError(f"scores have shape {np.shape(scores)}; one score per jet is needed")
    index = (100 - efficiency_percent) * len(signal) // 100
    left = len(background) - np.searchsorted(background, signal, "left")
    noisy = len(signal) < THRESHOLD_NOISE_BELOW
    counts, weights = _bootstrapped(left, index) if noisy else (left[index : index + 1], np.ones(1))
    low, high = _limits(counts, weights, len(background), alpha)
    passed = int(left[index])
    return Rejection(
        efficiency_percent=efficiency_percent,
        threshold=float(signal[index]),
        background_left=passed,
        background_total=len(background),
        signal_total=len(signal),
        rejection=len(background) / passed if passed else None,
        low=1 / high,
        high=1 / low if low > 0 else None,
        threshold_noise=noisy,
    )


def threshold_noise(left: np.ndarray, index: int) -> float:
    """Return the standard deviation of the background count from the threshold's own noise, bootstrapped from the signal; 0 from
    `THRESHOLD_NOISE_BELOW` signal jets on.

    `left` (n₁,) is the background at or above each signal score, ascending; the threshold is the score at `index`.
    """
    if len(left) >= THRESHOLD_NOISE_BELOW:
        return 0.0
    counts, weights = _bootstrapped(left, index)
    return float(np.sqrt(weights @ (counts - weights @ counts) ** 2))


def _bootstrapped(left: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct background counts and the probabilities with which a resampled signal's threshold leaves them.

    `left` (n₁,) is the background above each signal score, ascending. The (index+1)-th smallest of n₁ draws with
    replacement is at most the i-th smallest score with probability I_{i/n₁}(index+1, n₁−index).
    """
    n = len(left)
    reached = betainc(index + 1, n - index, np.arange(n + 1) / n)
    counts, place = np.unique(left, return_inverse=True)
    weights = np.bincount(place, weights=np.diff(reached))
    kept = weights > NEGLIGIBLE
    return counts[kept], weights[kept] / weights[kept].sum()


def _limits(counts: np.ndarray, weights: np.ndarray, total: int, alpha: float) -> tuple[float, float]:
    """Lower and upper limit of ε_B: quantiles of the two Beta mixtures."""

    def below(x: float) -> float:  # a count of zero puts all of its mass at ε_B = 0
        return float(weights @ np.where(counts > 0, betainc(np.maximum(counts, 1), total - counts + 1, x), 1.0))

    def above(x: float) -> float:  # a full count puts all of its mass at ε_B = 1
        return float(weights @ np.where(counts < total, betainc(counts + 1, np.maximum(total - counts, 1), x), float(x >= 1)))

    few, many = int(counts[0]), int(counts[-1])
    low_ends = [float(betaincinv(k, total - k + 1, alpha / 2)) if k else 0.0 for k in (few, many)]
    high_ends = [float(betaincinv(k + 1, total - k, 1 - alpha / 2)) if k < total else 1.0 for k in (few, many)]
    low = 0.0 if below(0.0) >= alpha / 2 else _root(below, alpha / 2, *low_ends)
    return low, _root(above, 1 - alpha / 2, *high_ends)


def _root(rising: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where the rising function reaches the target, by bisection between two ends that hold it."""
    for _ in range(100):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if rising(middle) < target else (low, middle)
    return high
