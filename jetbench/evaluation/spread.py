"""Median and width of residuals and responses: what describes most jets, whatever a few of them do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from jetbench.statistics.bootstrap import resampled

__all__ = ["CENTRAL", "FAR", "Spread", "measured", "responses", "tails"]

CENTRAL = (0.16, 0.84)  # quantiles between which 68 % lie, as within ±1σ of a normal distribution
FAR = 3.0  # widths from the median, beyond which a jet is in the tails


@dataclass(frozen=True)
class Spread:
    """The median of some values and half of the interval that holds the central 68 % of them, with standard errors."""

    median: float
    median_se: float
    width: float
    width_se: float


def measured(values: ArrayLike) -> Spread:
    """Measure values (n,). Raises `RunError` for fewer than two."""
    median, width = _median_width(np.asarray(values, np.float64)).tolist()
    errors = resampled(values, _median_width).std(axis=0, ddof=1)
    return Spread(median, float(errors[0]), width, float(errors[1]))


def responses(truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Return predictions over truth, of the jets whose truth is positive (k,)."""
    wanted, given = np.asarray(truth, np.float64), np.asarray(predictions, np.float64)
    return given[wanted > 0] / wanted[wanted > 0]


def tails(values: ArrayLike) -> tuple[float, float]:
    """Return the share of values (n,) that are further than `FAR` widths from the median, and its standard error, which knows
    that median and width are measured too."""
    share = float(_share_far(np.asarray(values, np.float64)))
    return share, float(resampled(values, _share_far).std(ddof=1))


def _median_width(values: np.ndarray) -> np.ndarray:
    """(…, 2) of values (…, n)."""
    low, median, high = np.quantile(values, [CENTRAL[0], 0.5, CENTRAL[1]], axis=-1)
    return np.stack([median, (high - low) / 2], axis=-1)


def _share_far(values: np.ndarray) -> np.ndarray:
    """(…) of values (…, n)."""
    median, width = np.moveaxis(_median_width(values), -1, 0)[..., None]
    share: np.ndarray = (np.abs(values - median) > FAR * width).mean(axis=-1)
    return share
