"""What all plots of a report share: frame, legend, and the scale of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jetbench.evaluation.plots import INK, MUTED, finish
from jetbench.report.words import count
from jetbench.tasks.task import Metric

__all__ = ["REACH", "inside", "legend", "mark_sizes", "scale", "style"]

TITLE = 11.5  # font size of titles [pt]: the plots of a report have many panels
REACH = 1.5  # a bar may leave the plot by so many spans of the means; one of two seeds would squeeze all else otherwise


def style(axes: Any, title: str = "") -> None:
    """Finish a panel as every plot is, in small print and with a grid."""
    finish(axes, title, size=TITLE)
    axes.grid(which="major", color=MUTED, alpha=0.22, linewidth=0.7)
    axes.set_axisbelow(True)


def legend(figure: Any, panels: Sequence[Any], across: int = 4) -> None:
    """Draw one legend below panels, with each name once and up to so many `across`."""
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(len(entries), across),
            fontsize=9.5,
            frameon=False,
            labelcolor=INK,
        )


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


def mark_sizes(axes: Any, sizes: Sequence[int]) -> None:
    """Name sizes of a pool on a logarithmic axis, and nothing between them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
