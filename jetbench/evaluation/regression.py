"""Metrics of a predicted number, in its unit (GeV), with errors from resampled jets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DivergenceError, RunError
from jetbench.evaluation.spread import measured, responses, tails
from jetbench.statistics.bootstrap import resampled_means

__all__ = [
    "evaluate_regression",
    "mean_rmse_covariance",
    "paired_rmse",
    "residuals",
    "rmse",
    "rmse_error",
    "rmse_influences",
]


def residuals(truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Return predictions minus truth in float64, (n,) or (k, n) for truth (n,) and predictions of that shape.

    Raises `RunError` for a mismatch of shapes, without jets, and for a number that is not finite.
    """
    given, wanted = np.asarray(predictions, np.float64), np.asarray(truth, np.float64)
    if wanted.ndim != 1 or given.ndim not in (1, 2) or given.shape[-1] != len(wanted):
        raise RunError(f"predictions of shape {given.shape} for {wanted.shape} jets: one per jet is needed")
    if not wanted.size:
        raise RunError("there are no jets to evaluate")
    if broken := int((~np.isfinite(given)).sum()):
        raise DivergenceError(f"{broken} of {given.size} predictions are not finite: the training has diverged")
    if broken := int((~np.isfinite(wanted)).sum()):
        raise RunError(f"{broken} of {wanted.size} jets have no finite target; leave them out of the dataset")
    return given - wanted


def rmse(truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Return the root of the mean squared residual: a scalar for predictions (n,), (k,) for (k, n)."""
    return np.sqrt(np.square(residuals(truth, predictions)).mean(axis=-1))


def rmse_error(truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
    """Return the standard deviation of the RMSE over resampled jets, shaped as `rmse`."""
    squares = np.square(residuals(truth, predictions))
    spread = np.sqrt(resampled_means(np.atleast_2d(squares))).std(axis=0, ddof=1)
    return spread if squares.ndim == 2 else spread[0]


def paired_rmse(
    truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return RMSEs of the arm (s,) and of the baseline (s,), the variances (s,) of their differences over the test sample, and
    the variance of the mean difference with `weights` (s,), which sum to one.

    Takes truth (n,) and predictions (s, n), row i of both being seed i. Jets are resampled for all rows at once: what the arms
    share is in both, and equal predictions differ by nothing. Raises `RunError` for rows that are not paired.
    """
    mine, other = (np.square(residuals(truth, side)) for side in (arm, baseline))
    shares = np.asarray(weights, np.float64)
    if mine.ndim != 2 or mine.shape != other.shape or shares.shape != mine.shape[:1] or not np.isclose(shares.sum(), 1):
        given = f"predictions of shapes {mine.shape} and {other.shape} with weights of shape {shares.shape}, sum {shares.sum():g}"
        raise RunError(f"{given}: paired rows are needed, with weights that sum to one")
    drawn = np.sqrt(resampled_means(np.concatenate([mine, other])))
    differences = drawn[:, : len(mine)] - drawn[:, len(mine) :]
    of_mean = float((differences @ shares).var(ddof=1))
    return np.sqrt(mine.mean(axis=1)), np.sqrt(other.mean(axis=1)), differences.var(axis=0, ddof=1), of_mean


def mean_rmse_covariance(truth: ArrayLike, predictions: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Return the covariance (m, m), over resampled jets, of m means of RMSEs, from predictions (s, n) and weights (m, s)."""
    drawn = np.sqrt(resampled_means(np.square(residuals(truth, predictions))))
    return np.atleast_2d(np.cov(np.asarray(weights, np.float64) @ drawn.T))


def rmse_influences(truth: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the RMSEs (s,) of predictions (s, n) and what each jet moves them by (s, n), to first order.

    The products of two models' influences sum to the covariance of their RMSEs over the sample of jets.
    """
    squares = np.square(residuals(truth, predictions))
    means, jets = squares.mean(axis=1, keepdims=True), squares.shape[1]
    size = np.sqrt(means)
    moved = (squares - means) / np.where(size > 0, 2 * size, 1.0) / np.sqrt(jets * (jets - 1))
    return size[:, 0], moved


def evaluate_regression(truth: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Return metrics by name, from truth (n,) and predictions (n,), in their unit, each with its standard error as `…_se`.

    Of the residuals: mse, rmse, mae (mean size), bias (mean), median_bias, residual_width (half of the interval that holds the
    central 68 %), tails (the share further than three such widths from the median: 0.27 % of a normal distribution), and r2, the
    share of the truth's variance that is explained. Of the response, prediction over truth: resolution, half of its central 68 %.
    r2 is not there where the truth is the same for every jet, resolution where none of them is positive. Raises `RunError` for
    fewer than two jets.
    """
    error, wanted = residuals(truth, predictions), np.asarray(truth, np.float64)
    squares, size = np.square(error), np.abs(error)
    spread, (beyond, beyond_se) = measured(error), tails(error)
    metrics = {
        "mse": float(squares.mean()),
        "mse_se": _standard_error(squares),
        "rmse": float(rmse(truth, predictions)),
        "rmse_se": float(rmse_error(truth, predictions)),
        "mae": float(size.mean()),
        "mae_se": _standard_error(size),
        "bias": float(error.mean()),
        "bias_se": _standard_error(error),
        "median_bias": spread.median,
        "median_bias_se": spread.median_se,
        "residual_width": spread.width,
        "residual_width_se": spread.width_se,
        "tails": beyond,
        "tails_se": beyond_se,
    }
    response = responses(wanted, predictions)
    if len(response) > 1:
        relative = measured(response)
        metrics |= {"resolution": relative.width, "resolution_se": relative.width_se}
    return metrics | _explained(wanted, squares)


def _explained(wanted: np.ndarray, squares: np.ndarray) -> dict[str, float]:
    """r2 and its error, from the truth (n,) and the squares of the residuals (n,)."""
    centred = wanted - wanted.mean()
    if not (variance := float(np.square(centred).mean())) > 0:
        return {}
    drawn, shift, scale = resampled_means(np.stack([squares, centred, np.square(centred)])).T
    spread = scale - shift**2
    several = spread > 0  # of very few jets, the same one may be drawn again and again
    found = 1 - drawn[several] / spread[several]
    return {"r2": 1 - float(squares.mean()) / variance, "r2_se": float(found.std(ddof=1))}


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
