"""What all plots of a report share: frame, legend, the scale of a metric, and the ends of intervals and axes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from jetbench.evaluation.plots import INK, MUTED, finish
from jetbench.report.words import count
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

__all__ = ["MOST_BANDS", "REACH", "ends", "inside", "legend", "limits", "mark_sizes", "scale", "style"]

TITLE = 11.5  # font size of titles [pt]: the plots of a report have many panels
REACH = 1.5  # a bar may leave the plot by so many spans of the means; one of two seeds would squeeze all else otherwise
LEAST = 0.02  # of the scale of a metric: the smallest span that an axis shows
MOST_BANDS = 4  # arms with bands in one panel; those of more lie over one another as a grey block
SMALL = 9.5  # font size of legends [pt]
ENTRY = 4.8 * SMALL / 72  # width of an entry of a legend beside its name: its line, and the gaps [inch]
ROW = 1.7 * SMALL / 72  # height of a row of a legend [inch]


def style(axes: Any, title: str = "") -> None:
    """Finish a panel as every plot is, in small print and with a grid."""
    finish(axes, title, size=TITLE)
    axes.grid(which="major", color=MUTED, alpha=0.22, linewidth=0.7)
    axes.set_axisbelow(True)


def legend(figure: Any, panels: Sequence[Any], last: Collection[str] = ()) -> None:
    """Draw one legend below panels, with each name once and those of `last` at its end: as many side by side as the width of the
    plot has room for, and the plot grows by the rows that it takes."""
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    if not entries:
        return
    names = sorted(entries, key=lambda name: name in last)
    across = min(len(names), max(1, int(figure.get_figwidth() / (ENTRY + max(map(_width, names))))))
    figure.set_figheight(figure.get_figheight() + ROW * (-(-len(names) // across) - 1))
    handles = [entries[name] for name in names]
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": across, "fontsize": SMALL}
    figure.legend(handles, names, frameon=False, labelcolor=INK, **place)


def _width(name: str) -> float:
    """The width of a name in a legend [inch]."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), name, size=SMALL).get_extents().width) / 72


def scale(metric: Metric, values: Sequence[float]) -> float:
    """Return what a small difference is small against: the range of the metric, or the largest value where it has none."""
    if metric.low is not None and metric.high is not None:
        return metric.high - metric.low
    return max(map(abs, values), default=0.0) or 1.0


def inside(metric: Metric, low: float, high: float) -> tuple[float, float]:
    """Cut two limits of an axis to the range of the metric."""
    return (
        low if metric.low is None else max(low, metric.low),
        high if metric.high is None else min(high, metric.high),
    )


def ends(metric: Metric, one: Mean) -> tuple[float, float]:
    """Return the ends of an interval, cut to the range of the metric; the mean where there is none."""
    return inside(metric, one.mean if one.low is None else one.low, one.mean if one.high is None else one.high)


def limits(
    metric: Metric, centers: Sequence[float], intervals: Sequence[Mean], near: Sequence[float] = ()
) -> tuple[float, float]:
    """Return the ends of an axis: around all centers, and around intervals as far as these leave the centers by no more than
    `REACH` spans of them; what is `near` stretches the axis by no more than half a span."""
    span = max(max(centers) - min(centers), LEAST * scale(metric, centers))
    bars = [ends(metric, one) for one in intervals]
    low = max(min([*centers, *(low for low, _ in bars)]), min(centers) - REACH * span)
    high = min(max([*centers, *(high for _, high in bars)]), max(centers) + REACH * span)
    close = [value for value in near if low - span / 2 < value < high + span / 2]
    low, high = min([low, *close]), max([high, *close])
    pad = 0.06 * max(high - low, span)  # one seed of one arm has no width
    return inside(metric, low - pad, high + pad)


def mark_sizes(axes: Any, sizes: Sequence[int]) -> None:
    """Name sizes of a pool on a logarithmic axis, and nothing between them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
