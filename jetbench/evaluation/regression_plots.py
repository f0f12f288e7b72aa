"""Plots of a predicted number, on axes that are the same for every model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.evaluation.bins import Binned
from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish
from jetbench.evaluation.spread import responses

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "MEASURES",
    "MOST_SPREAD",
    "Histogram",
    "bins_plot",
    "draw_counts",
    "guide",
    "histogram_plot",
    "prediction_counts",
    "prediction_plot",
    "residual_histogram",
    "response_histogram",
]

BINS = 60  # of truth and of prediction, of residuals and of responses
LARGEST_RESPONSE = 2.5
MOST_SPREAD = 1.0  # of the resolution that bins show
MEASURES = {"median_bias": "median residual  [GeV]", "resolution": "resolution of the response"}


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts (k,) of jets between edges (k+1,) of a quantity, out of `jets`, some of which may be beyond the ends."""

    quantity: str
    edges: np.ndarray
    counts: np.ndarray
    jets: int

    @property
    def shares(self) -> np.ndarray:
        """The percentage of all jets in each bin (k,)."""
        return 100 * self.counts / max(1, self.jets)


def residual_histogram(truth: ArrayLike, predictions: ArrayLike) -> Histogram:
    """Count residuals [GeV] over ± the standard deviation of the truth, the same for every model."""
    wanted = np.asarray(truth, np.float64)
    half = wanted.std() or 1.0
    return _histogram("prediction − truth  [GeV]", np.asarray(predictions) - wanted, -half, half)


def response_histogram(truth: ArrayLike, predictions: ArrayLike) -> Histogram:
    """Count responses, of the jets whose truth is positive."""
    return _histogram("prediction / truth", responses(truth, predictions), 0.0, LARGEST_RESPONSE)


def _histogram(quantity: str, values: np.ndarray, low: float, high: float) -> Histogram:
    edges = np.linspace(low, high, BINS + 1)
    return Histogram(quantity, edges, np.histogram(values, edges)[0], len(values))


def histogram_plot(found: Histogram, neutral: float) -> Figure:
    """Draw the share of jets in each bin; `neutral` is where a perfect prediction lies."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 4.2), dpi=DPI, layout="constrained")
    axes: Any = figure.add_subplot()
    axes.stairs(found.shares, found.edges, fill=True, color=PALETTE[0], alpha=0.35)
    axes.stairs(found.shares, found.edges, color=PALETTE[0], linewidth=2)
    axes.axvline(neutral, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set(xlim=found.edges[[0, -1]], ylim=(0, None))
    axes.set_xlabel(found.quantity, fontsize=13, color=INK)
    axes.set_ylabel("test jets per bin  [%]", fontsize=13, color=INK)
    finish(axes)
    return figure


def prediction_counts(truth: ArrayLike, predictions: ArrayLike, bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """Return edges (bins+1,) over the range of the truth, the same for every model, and counts (bins, bins) int64 of jets.

    Rows are the truth, columns the prediction; predictions beyond the edges are counted in the outermost bins."""
    wanted, given = np.asarray(truth, np.float64), np.asarray(predictions, np.float64)
    edges = np.histogram_bin_edges(wanted, bins)
    return edges, np.histogram2d(wanted, given.clip(edges[0], edges[-1]), [edges, edges])[0].astype(np.int64)


def draw_counts(axes: Any, edges: np.ndarray, counts: np.ndarray, most: int) -> Any:
    """Draw counts of `prediction_counts` with colours up to `most` jets, and the diagonal, on which a perfect prediction lies;
    returns what a scale of colours is made of."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    colors = LinearSegmentedColormap.from_list("jets", ["#DCEAF3", PALETTE[0], "#001B2E"])
    shown = np.ma.masked_equal(counts.T, 0)
    mesh = axes.pcolormesh(edges, edges, shown, cmap=colors, norm=LogNorm(1, max(2, most)), rasterized=True)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.set(xlim=edges[[0, -1]], ylim=edges[[0, -1]], aspect="equal")
    return mesh


def prediction_plot(edges: np.ndarray, counts: np.ndarray, target: str) -> Figure:
    """Draw the jets by truth and prediction, on axes that are the same for every run."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.0, 5.2), dpi=DPI, layout="constrained")
    axes: Any = figure.add_subplot()
    mesh = draw_counts(axes, edges, counts, counts.max())
    axes.set_xlabel(f"true {target}  [GeV]", fontsize=13, color=INK)
    axes.set_ylabel(f"predicted {target}  [GeV]", fontsize=13, color=INK)
    figure.colorbar(mesh, ax=axes, shrink=0.9, aspect=30).set_label("test jets", fontsize=13, color=INK)
    finish(axes)
    return figure


def bins_plot(found: Mapping[str, Binned]) -> Figure:
    """Draw median residual and resolution of one model against each quantity [GeV] that its jets are binned by."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(found) + 0.4, 5.6), dpi=DPI, layout="constrained")
    panels = np.atleast_2d(figure.subplots(len(MEASURES), len(found), squeeze=False))
    for row, (measure, heading) in enumerate(MEASURES.items()):
        for column, (quantity, bins) in enumerate(found.items()):
            axes = panels[row, column]
            middle, half = (bins.edges[1:] + bins.edges[:-1]) / 2, np.diff(bins.edges) / 2
            values, errors = getattr(bins, measure), getattr(bins, f"{measure}_se")
            axes.errorbar(middle, values, errors, half, fmt="o", color=PALETTE[0], markersize=4, linewidth=1.4)
            guide(axes, measure)
            axes.set_xlabel(quantity if row else "", fontsize=12, color=INK)
            axes.set_ylabel("" if column else heading, fontsize=11, color=INK)
            finish(axes, size=12)
    return figure


def guide(axes: Any, measure: str) -> None:
    """Mark where there is no bias, or cut the axis of the resolution at 1: there nothing is known of the target."""
    if measure == "median_bias":
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    else:
        axes.set_ylim(0, min(axes.get_ylim()[1], MOST_SPREAD))
