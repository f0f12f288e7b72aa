"""Metrics, files and plot of a predicted number, in its unit (GeV), with errors from resampled jets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import DivergenceError, RunError
from jetbench.evaluation.artifacts import write_predictions
from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish, save_png
from jetbench.files import write_json
from jetbench.statistics.bootstrap import resampled_means
from jetbench.tracking.folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "evaluate_regression",
    "mean_rmse_covariance",
    "paired_rmse",
    "prediction_counts",
    "prediction_plot",
    "residuals",
    "rmse",
    "rmse_error",
    "write_regression",
]

CENTRAL = (0.16, 0.84)  # quantiles between which 68 % lie, as within ±1σ of a normal distribution
BINS = 60  # of truth and of prediction, in the plot


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


def evaluate_regression(truth: ArrayLike, predictions: ArrayLike) -> dict[str, float]:
    """Return metrics by name, from truth (n,) and predictions (n,), in their unit.

    Keys: rmse, mae (mean |residual|) and bias (mean residual), each with its standard error `_se`; resolution, half of the
    interval that holds the central 68 % of the residuals; r2, the share of the truth's variance that is explained, which has
    no key where the truth is the same for every jet. Raises `RunError` for fewer than two jets.
    """
    error, wanted = residuals(truth, predictions), np.asarray(truth, np.float64)
    low, high = np.quantile(error, CENTRAL)
    metrics = {
        "rmse": float(rmse(truth, predictions)),
        "rmse_se": float(rmse_error(truth, predictions)),
        "mae": float(np.abs(error).mean()),
        "mae_se": _standard_error(np.abs(error)),
        "bias": float(error.mean()),
        "bias_se": _standard_error(error),
        "resolution": float(high - low) / 2,
    }
    if (variance := float(wanted.var())) > 0:
        metrics["r2"] = 1 - float(np.square(error).mean()) / variance
    return metrics


def write_regression(
    folder: Path, truth: ArrayLike, predictions: ArrayLike, indices: ArrayLike, target: str
) -> tuple[dict[str, float], tuple[Path, ...]]:
    """Write scores.h5, prediction.json and prediction.png; return the metrics as `test/<name>`, and the files.

    truth (n,), predictions (n,) [GeV]; indices (n,), each jet's row in its dataset; target: what is predicted, for the axes.
    Raises `RunError` for what cannot be evaluated (before anything is written) and `StoreError` where nothing can be written.
    """
    metrics = evaluate_regression(truth, predictions)
    edges, counts = prediction_counts(truth, predictions)
    kept, counted, drawn = RunFolder(folder).scores, folder / "prediction.json", folder / "prediction.png"
    write_predictions(kept, indices, truth, predictions)
    write_json(counted, {"target": target, "edges": edges.tolist(), "counts": counts.tolist()})
    save_png(prediction_plot(edges, counts, target), drawn)
    return {f"test/{name}": value for name, value in metrics.items()}, (kept, counted, drawn)


def prediction_counts(truth: ArrayLike, predictions: ArrayLike, bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """Return edges (bins+1,) over the range of the truth, the same for every model, and counts (bins, bins) int64 of jets.

    Rows are the truth, columns the prediction; predictions beyond the edges are counted in the outermost bins."""
    wanted, given = np.asarray(truth, np.float64), np.asarray(predictions, np.float64)
    edges = np.histogram_bin_edges(wanted, bins)
    return edges, np.histogram2d(wanted, given.clip(edges[0], edges[-1]), [edges, edges])[0].astype(np.int64)


def prediction_plot(edges: np.ndarray, counts: np.ndarray, target: str) -> Figure:
    """Draw the jets by truth and prediction, on axes that are the same for every run; a perfect one lies on the diagonal."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 5.2), dpi=DPI, layout="constrained")
    axes: Any = figure.add_subplot()
    colors = LinearSegmentedColormap.from_list("jets", ["#DCEAF3", PALETTE[0], "#001B2E"])
    shown = np.ma.masked_equal(counts.T, 0)
    mesh = axes.pcolormesh(edges, edges, shown, cmap=colors, norm=LogNorm(1, max(2, counts.max())), rasterized=True)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set(xlim=edges[[0, -1]], ylim=edges[[0, -1]], aspect="equal")
    axes.set_xlabel(f"true {target}  [GeV]", fontsize=13, color=INK)
    axes.set_ylabel(f"predicted {target}  [GeV]", fontsize=13, color=INK)
    figure.colorbar(mesh, ax=axes, shrink=0.9, aspect=30).set_label("test jets", fontsize=13, color=INK)
    finish(axes)
    return figure


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))
