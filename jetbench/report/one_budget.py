"""The arms of a single label budget by name, one below the other: where no curve leads from budget to budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.arms import Look
from jetbench.report.drawing import ends, style
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_one_budget"]

WIDTH = 8.4  # inches, as the other plots of all arms have
ROW, HEAD = 0.26, 0.9  # of an arm, and of all that is none [inch]


def draw_one_budget(
    metric: Metric,
    panels: Mapping[str, Mapping[str, Mean]],
    named: Mapping[str, Look],
    limits: tuple[float, float],
    heading: str,
) -> Figure:
    """Draw a row for each arm, a panel below the other for each of `panels`, which have means by arm. What lies beyond the limits
    is named at the edge."""
    from matplotlib.figure import Figure

    heights = [1 + len(found) for found in panels.values()]
    figure = Figure(figsize=(WIDTH, HEAD + ROW * sum(heights)), dpi=DPI, layout="constrained")
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, found) in zip(every, panels.items(), strict=True):
        arms = [arm for arm in named if arm in found]
        for place, arm in enumerate(arms):
            _draw_arm(axes, metric, place, found[arm], named[arm], limits)
        _name(axes, arms, named)
        axes.set_xlim(*limits)
        style(axes, title)
        axes.grid(visible=False, axis="y")
    every[-1].set_xlabel(heading, fontsize=11, color=INK)
    return figure


def _name(axes: Any, arms: Sequence[str], named: Mapping[str, Look]) -> None:
    axes.set_yticks(range(len(arms)), arms)
    axes.set_ylim(len(arms) - 0.4, -0.6)
    for text, arm in zip(axes.get_yticklabels(), arms, strict=True):
        text.set_color(MUTED if named[arm].muted else INK)


def _draw_arm(axes: Any, metric: Metric, place: int, one: Mean, look: Look, limits: tuple[float, float]) -> None:
    """One seed has no interval, and no bar."""
    if not limits[0] <= one.mean <= limits[1]:
        below = one.mean < limits[0]
        text = f"{'◄ ' if below else ''}{one.mean:.{max(metric.digits - 1, 0)}f}{'' if below else ' ►'}"
        at, side = (0.01, "left") if below else (0.99, "right")
        axes.text(at, place, text, transform=axes.get_yaxis_transform(), ha=side, va="center", fontsize=8.5, color=look.color)
        return
    low, high = ends(metric, one)
    axes.errorbar(
        [one.mean],
        [place],
        xerr=[[one.mean - low], [high - one.mean]],
        color=look.color,
        marker=look.marker,
        markersize=6.5,
        markerfacecolor=look.face,
        linestyle="none",
        elinewidth=1.1 if look.muted else 1.6,
        capsize=3,
    )
