"""Plots of one run, alike in scale and style so that many runs compare side by side."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError
from jetbench.files import write_atomically
from jetbench.statistics.delong import delong_interval
from jetbench.statistics.intervals import Interval
from jetbench.statistics.roc import roc_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "DPI",
    "INK",
    "LINES",
    "MUTED",
    "PALETTE",
    "RocLine",
    "confusion_plot",
    "finish",
    "roc_line",
    "roc_plot",
    "save_pdf",
    "save_png",
    "sign",
    "watermarked",
]

PALETTE = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),  # Okabe & Ito 2008: safe for colour-blind eyes
    *("#6B4C9A", "#8C510A", "#1B7837", "#7F0000"),  # purple, brown, dark green, dark red, where six are not enough
)
Dashes = str | tuple[int, tuple[float, ...]]
LINES: tuple[Dashes, ...] = ("-", (0, (5, 2)), (0, (1.2, 1.6)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 3)), (0, (3, 1.2)))
INK, MUTED = "#222222", "#8A8A8A"  # text and frames; grids, guides and remarks
REJECTIONS = (1.0, 1e4)  # axis of 1/ε_B: from no rejection to the best taggers at ε_S = 0.2 on a large test set
DPI = 150
WIDEST = 15.0  # of a confusion matrix [inch], whatever the number of classes
MOST_NUMBERS = 25  # classes; cells of a larger matrix are too small for text
WATERMARK: ContextVar[str] = ContextVar("watermark", default="")


@dataclass(frozen=True)
class RocLine:
    """One curve to draw: efficiencies (m,) ascending, its AUC with interval, and the size of the background sample."""

    name: str
    signal_efficiency: np.ndarray
    background_efficiency: np.ndarray
    area: Interval
    background_total: int


def roc_line(name: str, labels: ArrayLike, scores: ArrayLike) -> RocLine:
    """Return the curve of labels (n,) in {0, 1} and scores (n,) with its DeLong interval."""
    signal, background = roc_curve(labels, scores)
    return RocLine(name, signal, background, delong_interval(labels, scores), int(np.count_nonzero(np.asarray(labels) == 0)))


def roc_plot(lines: Sequence[RocLine], title: str = "") -> Figure:
    """Draw background rejection 1/ε_B (logarithmic) against signal efficiency ε_S, on axes that are the same for every run.

    The band is Clopper–Pearson's 68 % on the background count, point by point; a curve ends where no background is left.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    if not 0 < len(lines) <= len(PALETTE):
        raise RunError(f"{len(lines)} curves in one plot; from one to {len(PALETTE)} can be told apart")
    below = len(lines) > 1  # a legend of more would lie over their bands
    figure = Figure(figsize=(6.4, 5.2 + 0.25 * len(lines) * below), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    chance = np.linspace(1e-3, 1, 200)
    axes.plot(chance, 1 / chance, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label="chance")
    for i, line in enumerate(lines):
        _draw_line(axes, line, PALETTE[i], LINES[i % len(LINES)])
    axes.set(xlim=(0, 1), ylim=REJECTIONS, yscale="log")
    axes.xaxis.set_major_locator(MultipleLocator(0.1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}".replace(",", " ")))
    axes.set_xlabel("signal efficiency  $\\epsilon_S$", fontsize=13, color=INK)
    axes.set_ylabel("background rejection  $1/\\epsilon_B$", fontsize=13, color=INK)
    axes.grid(which="major", color=MUTED, alpha=0.25, linewidth=0.8)
    finish(axes, title)
    handles, names = axes.get_legend_handles_labels()
    place: dict[str, Any] = {"loc": "outside lower center", "fontsize": 10} if below else {"loc": "upper right", "fontsize": 11}
    (figure if below else axes).legend(handles[1:] + handles[:1], names[1:] + names[:1], frameon=False, **place)
    return figure


def confusion_plot(table: ArrayLike, class_names: Sequence[str], title: str = "") -> Figure:
    """Draw counts (k, k) with the percentage of their row; rows are the true class, columns the predicted one.

    Cells of more than three classes are small and show the percentage alone, those of very many classes no number.
    """
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    counts = np.asarray(table)
    if counts.shape != (len(class_names), len(class_names)):
        raise RunError(f"a confusion matrix of shape {counts.shape} for the classes {list(class_names)}")
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    large = len(counts) <= 3
    width = min(1.0 + 1.6 * len(counts) if large else 1.8 + 0.62 * len(counts), WIDEST)
    figure = Figure(figsize=(width, width), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap=LinearSegmentedColormap.from_list("share", ["#FFFFFF", PALETTE[0]]), vmin=0, vmax=1)
    if large:
        _write_counts(axes, counts, shares)
    elif len(counts) <= MOST_NUMBERS:
        _write_percentages(axes, shares)
    axes.set_xticks(range(len(counts)), class_names, rotation=0 if large else 90)
    axes.set_yticks(range(len(counts)), class_names, rotation=90 if large else 0, va="center")
    axes.set_xlabel("predicted", fontsize=13, color=INK)
    axes.set_ylabel("true" if large else "true  (numbers: percent of the true class)", fontsize=13, color=INK)
    finish(axes, title)
    _rule_cells(axes, len(counts))
    return figure


def _write_counts(axes: Any, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.6 else INK
        axes.text(column, row - 0.08, f"{100 * shares[row, column]:.1f} %", ha="center", va="center", fontsize=15, color=color)
        remark = f"{count:,}".replace(",", " ")
        axes.text(column, row + 0.16, remark, ha="center", va="center", fontsize=11, color=color)


def _write_percentages(axes: Any, shares: np.ndarray) -> None:
    for (row, column), share in np.ndenumerate(shares):
        color = "white" if share > 0.6 else INK
        axes.text(column, row, f"{100 * share:.0f}" if share else "", ha="center", va="center", fontsize=11, color=color)


@contextmanager
def watermarked(text: str) -> Iterator[None]:
    """Write a text across every plot that is saved meanwhile, whoever saves it; an empty one leaves plots as they are."""
    token = WATERMARK.set(text)
    try:
        yield
    finally:
        WATERMARK.reset(token)


def _watermark(figure: Figure) -> None:
    """Once, also where a plot is saved in several forms."""
    text = WATERMARK.get()
    if text and text not in [there.get_text() for there in figure.texts]:
        width, height = figure.get_size_inches()
        angle = float(np.degrees(np.arctan2(height, width)))
        size = min(40.0, 72 * 1.3 * float(np.hypot(width, height)) / len(text))  # most of the diagonal
        look: dict[str, Any] = {"fontsize": size, "rotation": angle, "color": "#C00000", "alpha": 0.22, "fontweight": "bold"}
        figure.text(0.5, 0.5, text, ha="center", va="center", zorder=1000, in_layout=False, **look)


def save_png(figure: Figure, path: Path) -> None:
    """Write the plot whole or not at all; the same plot gives the same bytes (no date, no version inside)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    _watermark(figure)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())


def save_pdf(figure: Figure, path: Path) -> None:
    """Write the plot as `save_png` does, in vectors."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    _watermark(figure)
    buffer = io.BytesIO()
    FigureCanvasPdf(figure).print_pdf(buffer, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    write_atomically(path, buffer.getvalue())


def sign(figure: Figure, simulated: bool) -> None:
    """Write above a plot whose it is, as experiments do, and whether it shows a simulation."""
    kind = r"  $\it{simulation}$" if simulated else ""
    figure.suptitle(rf"$\bf{{jetbench}}${kind}", x=0.01, ha="left", fontsize=12, color=INK)


def _draw_line(axes: Any, line: RocLine, color: str, dashes: Dashes) -> None:
    from scipy.special import betaincinv

    shown = line.background_efficiency > 0
    signal, background = line.signal_efficiency[shown], line.background_efficiency[shown]
    area = line.area
    label = f"{line.name}   AUC {area.mean:.4f}  [{area.low:.4f}, {area.high:.4f}]"
    axes.plot(signal, 1 / background, color=color, linestyle=dashes, linewidth=2, label=label)
    total, left = line.background_total, np.rint(background * line.background_total)
    high = np.where(left < total, betaincinv(left + 1, np.maximum(total - left, 1), 0.84), 1)
    low = betaincinv(left, total - left + 1, 0.16)
    axes.fill_between(signal, 1 / high, 1 / low, color=color, alpha=0.18, linewidth=0)


def _rule_cells(axes: Any, cells: int) -> None:
    borders = np.arange(cells - 1) + 0.5
    axes.set_xticks(borders, minor=True)
    axes.set_yticks(borders, minor=True)
    axes.grid(which="minor", color=MUTED, linewidth=0.8)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)


def finish(axes: Any, title: str = "", size: float = 13) -> None:
    """Set title, ticks and frame as in every plot, and as the field draws them: a closed frame with ticks inwards on all of its
    sides, minor ones where an axis counts evenly. Those of a picture stand outwards, where they are seen. `size` is the font's of
    the title [pt], ticks have two points less."""
    axes.set_title(title, fontsize=size, color=INK, loc="left")
    axes.tick_params(labelsize=size - 2, colors=INK, which="both")
    if not axes.images:
        axes.tick_params(direction="in", pad=5, top=True, right=True, which="both")
        for axis in (axes.xaxis, axes.yaxis):
            _divide(axis)
    for spine in axes.spines.values():
        spine.set_color(MUTED)


def _divide(axis: Any) -> None:
    """Set minor ticks between the major ones of a linear axis, but for an axis of names."""
    from matplotlib.category import StrCategoryLocator
    from matplotlib.ticker import AutoMinorLocator, FixedLocator

    if axis.get_scale() == "linear" and not isinstance(axis.get_major_locator(), FixedLocator | StrCategoryLocator):
        axis.set_minor_locator(AutoMinorLocator(2))
