"""A forest of intervals: the difference of each arm to its baseline, budget by budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot
from jetbench.report.drawing import REACH, inside, scale, style
from jetbench.report.results import Results
from jetbench.report.rows import Row, baseline_text
from jetbench.report.words import (
    LEVEL_TEXT,
    brief_difference,
    capital,
    count,
    differences_of,
    label,
    possible_ends,
    verdict_lines,
)
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "forest"]

LEAST = 0.01  # of the metric's scale: the smallest span that the axis shows


def forest(results: Results, found: list[Row], file: str, alt: str) -> Plot:
    """Return the plot of these rows, each of which is compared, under the name of its file."""
    metric = results.metric
    name = f"{label(metric)} minus that of {baseline_text(results)}{'' if metric.larger_is_better else ', below zero is better'}"
    return Plot(
        file,
        alt,
        f"{capital(name)}. Thin bar: {LEVEL_TEXT} interval from seeds and test sample; thick bar: the share of the "
        "seeds alone; shade: margin of equivalence; filled marker: a verdict stands.",
        draw,
        (metric, name, found, looks(results.plan)),
    )


def draw(metric: Metric, name: str, found: list[Row], named: dict[str, Look]) -> Figure:
    """Draw the differences: the bar is the interval from both errors, the thick part what the seeds alone leave, the shade the
    margin of equivalence. Filled where a verdict stands."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    low, high = _reach(metric, found, named)
    budgets = list(dict.fromkeys(row.labels for row in found))
    heights = [1 + sum(row.labels == labels for row in found) for labels in budgets]
    figure = Figure(figsize=(8.4, 0.9 + 0.31 * sum(heights)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(budgets), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, labels in zip(panels, budgets, strict=True):
        _draw_budget(axes, metric, [row for row in found if row.labels == labels], named, (low, high))
        style(axes, f"{count(labels)} labels")
        axes.grid(visible=False, axis="y")
        axes.set_xlim(low, high)
    panels[-1].xaxis.set_major_locator(MaxNLocator(4))  # what stands beside the panels leaves room for few numbers
    panels[-1].set_xlabel(name, fontsize=11, color=INK)
    return figure


def _reach(metric: Metric, rows: Sequence[Row], named: dict[str, Look]) -> tuple[float, float]:
    """An interval that is far wider than the differences themselves is cut; a muted arm that is far away is only pointed at."""
    muted = [row.comparison for row in rows if named[row.arm].muted and row.comparison]
    found = [row.comparison for row in rows if not named[row.arm].muted and row.comparison] or muted
    centers = [0.0, *(c.difference for c in found)]
    span = max(max(centers) - min(centers), LEAST * scale(metric, [c.arm.mean for c in found]))
    low = max(min(0.0, *(c.difference if c.low is None else c.low for c in found)), min(centers) - REACH * span)
    high = min(max(0.0, *(c.difference if c.high is None else c.high for c in found)), max(centers) + REACH * span)
    near = [c for c in muted if low - span / 2 < c.difference < high + span / 2]
    low = min([low, *(c.difference if c.low is None else max(c.low, c.difference - span) for c in near)])
    high = max([high, *(c.difference if c.high is None else min(c.high, c.difference + span) for c in near)])
    low, high = inside(differences_of(metric), low, high)
    margin, pad = max(c.margin for c in found), 0.06 * (high - low)
    return min(low - pad, -1.6 * margin), max(high + pad, 1.6 * margin)


def _draw_budget(axes: Any, metric: Metric, found: Sequence[Row], named: dict[str, Look], limits: tuple[float, float]) -> None:
    margin = max(row.comparison.margin for row in found if row.comparison)
    axes.axvspan(-margin, margin, color=MUTED, alpha=0.2, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=1)
    for place, row in enumerate(found):
        if row.comparison:
            _draw_difference(axes, metric, place, row.comparison, named[row.arm], limits)
            verdict, *need = verdict_lines(row.comparison, row.primary)
            remark = f"{brief_difference(metric, row.comparison)}  {', '.join(filter(None, (verdict, ' '.join(need))))}"
            axes.text(1.01, place, remark, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(found)), [row.arm for row in found])
    axes.set_ylim(len(found) - 0.4, -0.6)


def _draw_difference(axes: Any, metric: Metric, place: int, found: Comparison, look: Look, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low < found.difference < high:
        edge, arrow = (low, "◄") if found.difference <= low else (high, "►")
        axes.text(edge, place, f" {arrow} ", ha="left" if edge == low else "right", va="center", color=look.color, fontsize=9)
        return
    first, last = possible_ends(differences_of(metric), found)
    if first is not None and last is not None and found.low is not None and found.high is not None and found.total_error:
        share = (found.seed_error or 0.0) / found.total_error
        half = (found.high - found.low) / 2
        axes.plot([first, last], [place, place], color=look.color, linewidth=1.4, solid_capstyle="butt")
        beyond = [(low, "<")] * (first < low) + [(high, ">")] * (last > high)  # the bar goes on where the plot ends
        for edge, marker in beyond:
            axes.plot([edge], [place], marker=marker, markersize=6, color=look.color, linestyle="none", clip_on=False)
        thick = [max(first, found.difference - share * half), min(last, found.difference + share * half)]
        axes.plot(thick, [place, place], color=look.color, linewidth=4, alpha=0.45, solid_capstyle="butt")
    decided = found.verdict is not Verdict.UNDECIDED
    axes.plot(
        [found.difference],
        [place],
        marker=look.marker,
        markersize=7,
        color=look.color,
        linestyle="none",
        markerfacecolor=look.color if decided else "white",
        markeredgewidth=1.5,
    )
