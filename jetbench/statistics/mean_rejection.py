"""R_x = 1/ε_B over the seeds of an arm, from the mean of their ε_B: a mean of reciprocals is ruled by its smallest count."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from jetbench.statistics.comparison import seed_weights
from jetbench.statistics.intervals import LEVEL, alpha_of, t_quantile
from jetbench.statistics.rejection import threshold_noise
from jetbench.statistics.resolution import Spread
from jetbench.statistics.samples import two_samples
from jetbench.values import Value

__all__ = ["RESOLVED_FROM", "MeanRejection", "mean_rejection"]

RESOLVED_FROM = 10  # background jets left per seed: with fewer the count alone leaves an error of a third and more


class MeanRejection(Value):
    """R_x of an arm. `left` is the mean number of background jets per seed; `rejection` is None where none is left in any, and
    `high` where the interval is open."""

    rejection: float | None
    low: float
    high: float | None
    left: float
    seeds: int

    @property
    def resolved(self) -> bool:
        return self.left >= RESOLVED_FROM


def mean_rejection(
    labels: ArrayLike,
    scores: ArrayLike,
    efficiency_percent: int,
    *,
    clusters: ArrayLike | None = None,
    shared: float = 0.0,
    level: float = LEVEL,
) -> MeanRejection:
    """Return R_x from labels (n,) in {0, 1} and scores (k, n), a row per seed; `clusters` and `shared` as for `compare`.

    Thresholds and counts are those of `background_rejection`. The variance of the mean ε_B has three parts: between seeds; of
    the background jets, of which each counts with the share of seeds that it passes in; and of the thresholds, taken as common
    to all seeds. The interval is Clopper and Pearson's for the number of jets that would have this variance by themselves, that
    number being reduced by (z/t)² for the few seeds (Korn & Graubard, Survey Methodology 24 (1998) 193). For one seed whose
    threshold is certain it is Clopper and Pearson's own.
    """
    signal, background = two_samples(labels, scores)
    signal, weights = np.sort(signal, axis=1), seed_weights(len(signal), clusters)
    index = (100 - efficiency_percent) * signal.shape[1] // 100
    passed = background >= signal[:, index, None]
    noise = np.array([_noise(*pair, index) for pair in zip(signal, background, strict=True)])
    n, counts = background.shape[1], passed.sum(axis=1)
    of_jets, of_thresholds = (weights @ passed).var() / n, (weights @ noise / n) ** 2
    groups = np.arange(len(signal)) if clusters is None else np.asarray(clusters)
    units = np.array([counts[groups == one].mean() for one in np.unique(groups)])
    deviation = float(units.std(ddof=1)) / n if len(units) > 1 else 0.0
    spread, left = Spread(deviation, float(np.sqrt(of_jets + of_thresholds)), len(units), shared), float(units.mean())
    low, high = _limits(left / n, spread, n, alpha_of(level))
    return MeanRejection(
        rejection=n / left if left else None,
        low=1 / high,
        high=1 / low if low > 0 else None,
        left=left,
        seeds=len(signal),
    )


def _noise(signal: np.ndarray, background: np.ndarray, index: int) -> float:
    """What the threshold's own noise does to one seed's count, from its ascending signal scores."""
    return threshold_noise(len(background) - np.searchsorted(np.sort(background), signal, "left"), index)


def _limits(mean: float, spread: Spread, jets: int, alpha: float) -> tuple[float, float]:
    """The limits of ε_B; where nothing shows an error, as at a mean of 0 or 1, those of the jets alone."""
    effective = float(jets)
    if 0 < mean < 1 and spread.total > 0:
        few = t_quantile(1 - alpha / 2, np.inf) / t_quantile(1 - alpha / 2, spread.degrees)
        effective = mean * (1 - mean) / spread.total**2 * few**2
    count = mean * effective
    low = float(betaincinv(count, effective - count + 1, alpha / 2)) if mean else 0.0
    return low, float(betaincinv(count + 1, effective - count, 1 - alpha / 2)) if mean < 1 else 1.0
