"""What all plots of a report share: frame, legend, and the scale of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jetbench.evaluation.plots import INK, MUTED
from jetbench.tasks.task import Metric

__all__ = ["DPI", "REACH", "inside", "legend", "scale", "style"]

DPI = 150
REACH = 1.5  # a bar may leave the plot by so many spans of the means; one of two seeds would squeeze all else otherwise


def style(axes: Any, title: str = "") -> None:
    """Title, ticks, grid and frame."""
    axes.set_title(title, fontsize=11, color=INK, loc="left")
    axes.tick_params(labelsize=9.5, colors=INK, which="both")
    axes.grid(which="major", color=MUTED, alpha=0.22, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)


def legend(figure: Any, panels: Sequence[Any]) -> None:
    """One legend below many panels, with each name once."""
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(len(entries), 4),
            fontsize=9.5,
            frameon=False,
            labelcolor=INK,
        )


def scale(metric: Metric, values: Sequence[float]) -> float:
    """What a small difference is small against: the range of the metric, or the largest value where it has none."""
    if metric.low is not None and metric.high is not None:
        return metric.high - metric.low
    return max(map(abs, values), default=0.0) or 1.0


def inside(metric: Metric, low: float, high: float) -> tuple[float, float]:
    """Two limits of an axis, cut to the range of the metric."""
    return (
        low if metric.low is None else max(low, metric.low),
        high if metric.high is None else min(high, metric.high),
    )
