"""Pictures of the comparison: AUC against the number of labels, and every difference with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import INK, MUTED
from jetbench.report.arms import Look, looks
from jetbench.report.results import Results
from jetbench.report.table import Row, rows
from jetbench.report.words import brief_difference, count, verdict_lines
from jetbench.statistics.comparison import Comparison, Verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DPI", "budget_figure", "difference_figure", "style"]

DPI = 150
DODGE = 0.022  # decades between neighbouring arms: error bars of one budget stand side by side
LINE = 0.05  # height of a line of small text, as a share of the picture's
REACH = 1.5  # a bar may leave the picture by so many spans of the means; one of two seeds would squeeze all else otherwise


def style(axes: Any, title: str = "") -> None:
    """The look that all pictures of a report share."""
    axes.set_title(title, fontsize=11, color=INK, loc="left")
    axes.tick_params(labelsize=9.5, colors=INK, which="both")
    axes.grid(which="major", color=MUTED, alpha=0.22, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED)


def budget_figure(results: Results) -> Figure | None:
    """Mean test AUC against the number of labels, with t intervals over seeds; None where nothing has finished.

    Controls and floors are grey and do not set the scale; what lies below it is named at the lower edge.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    shown = [row for row in rows(results) if row.auc]
    if not shown:
        return None
    named, settings = looks(results.plan.instance.settings), results.plan.instance.settings
    figure = Figure(figsize=(8.4, 4.8), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    muted = [row for row in shown if named[row.arm].muted]
    low, high = _limits([row for row in shown if row not in muted] or shown, muted)
    arms = [arm for arm in named if any(row.arm == arm for row in shown)]
    for place, arm in enumerate(arms):
        shift = 10 ** (DODGE * (place - (len(arms) - 1) / 2))
        _draw_arm(axes, [row for row in shown if row.arm == arm], named[arm], shift)
    hidden = [row for row in shown if row.auc and row.auc.mean < low]
    low = max(low - LINE * len(hidden) * (high - low), 0.0)
    _name_hidden(axes, hidden, low, high)
    axes.set(xscale="log", ylim=(low, high), xlim=_decades(settings.labels))
    axes.xaxis.set_major_locator(FixedLocator(list(settings.labels)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    axes.set_xlabel("labelled jets, validation included", fontsize=11, color=INK)
    comma = ",\n" if results.many_classes else ", "
    axes.set_ylabel(f"{results.auc_name}{comma}mean of up to {settings.seeds} seeds with 95 % interval", fontsize=10.5, color=INK)
    style(axes)
    handles, names = axes.get_legend_handles_labels()
    order = sorted(range(len(names)), key=lambda i: named[names[i]].muted)
    axes.legend(
        [handles[i] for i in order],
        [names[i] for i in order],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        fontsize=10,
        frameon=False,
        labelcolor=INK,
    )
    return figure


def _draw_arm(axes: Any, found: Sequence[Row], look: Look, shift: float) -> None:
    """One seed has no interval: its marker is hollow."""
    intervals = [row.auc for row in found if row.auc]
    x = np.array([row.labels for row in found]) * shift
    means = np.array([one.mean for one in intervals])
    halves = np.array([(one.high or one.mean) - one.mean for one in intervals])
    weight = {"linewidth": 1.1, "markersize": 4.5, "alpha": 0.9} if look.muted else {"linewidth": 1.8, "markersize": 6.5}
    axes.errorbar(
        x,
        means,
        halves,
        color=look.color,
        marker=look.marker,
        linestyle=look.dashes,
        label=found[0].arm,
        capsize=3,
        elinewidth=1.1 if look.muted else 1.6,
        zorder=2 if look.muted else 3,
        markerfacecolor="white" if all(one.n == 1 for one in intervals) else look.color,
        **weight,
    )


def _limits(main: Sequence[Row], muted: Sequence[Row]) -> tuple[float, float]:
    """Around the main arms' means and bars; a muted one stretches it downwards by no more than half of their span."""
    means = [row.auc.mean for row in main if row.auc]
    span = max(max(means) - min(means), 0.02)
    ends = [(row.auc.low or row.auc.mean, row.auc.high or row.auc.mean) for row in main if row.auc]
    low = max(min(end for end, _ in ends), min(means) - REACH * span)
    high = min(max(end for _, end in ends), max(means) + REACH * span)
    near = [row.auc.mean for row in muted if row.auc and low - span / 2 < row.auc.mean < high + span / 2]
    low, high = min([low, *near]), max([high, *near])
    pad = 0.06 * (high - low)
    return max(low - pad, 0.0), min(high + pad, 1.0)


def _name_hidden(axes: Any, below: Sequence[Row], low: float, high: float) -> None:
    for place, row in enumerate(below):
        if row.auc:
            text, height = f"↓ {row.arm} {row.auc.mean:.3f}", low + LINE * (place + 0.3) * (high - low)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
            axes.text(row.labels * 0.9, height, text, fontsize=8.5, color="#555555", zorder=5, bbox=box)


def _decades(labels: Sequence[int]) -> tuple[float, float]:
    edge = max((labels[-1] / labels[0]) ** 0.12, 1.35)
    return labels[0] / edge, labels[-1] * edge


def difference_figure(results: Results) -> Figure | None:
    """Every arm's difference to the baseline, budget by budget: the bar is the interval from both errors, the thick part what the
    seeds alone leave, the shade the margin of equivalence. Filled where a verdict stands. None without any comparison."""
    from matplotlib.figure import Figure

    found = [row for row in rows(results) if row.comparison]
    if not found:
        return None
    named = looks(results.plan.instance.settings)
    muted = [row for row in found if named[row.arm].muted]
    low, high = _reach([row for row in found if row not in muted] or found, muted)
    budgets = list(dict.fromkeys(row.labels for row in found))
    heights = [1 + sum(row.labels == labels for row in found) for labels in budgets]
    figure = Figure(figsize=(8.4, 0.9 + 0.31 * sum(heights)), dpi=DPI, layout="constrained")
    panels = figure.subplots(len(budgets), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axes, labels in zip(panels, budgets, strict=True):
        _draw_budget(axes, [row for row in found if row.labels == labels], named, (low, high))
        style(axes, f"{count(labels)} labels")
        axes.grid(visible=False, axis="y")
        axes.set_xlim(low, high)
    panels[-1].set_xlabel(f"{results.auc_name} minus that of {results.baseline}", fontsize=11, color=INK)
    return figure


def _reach(main: Sequence[Row], muted: Sequence[Row]) -> tuple[float, float]:
    """An interval that is far wider than the differences themselves is cut; a muted arm that is far away is only pointed at."""
    found = [row.comparison for row in main if row.comparison]
    centers = [0.0, *(c.difference for c in found)]
    span = max(max(centers) - min(centers), 0.01)
    low = max(min(0.0, *(c.difference if c.low is None else c.low for c in found)), min(centers) - REACH * span)
    high = min(max(0.0, *(c.difference if c.high is None else c.high for c in found)), max(centers) + REACH * span)
    near = [c for c in (row.comparison for row in muted) if c and low - span / 2 < c.difference < high + span / 2]
    low = min([low, *(c.difference if c.low is None else max(c.low, c.difference - span) for c in near)])
    high = max([high, *(c.difference if c.high is None else min(c.high, c.difference + span) for c in near)])
    margin, pad = max(c.margin for c in found), 0.06 * (high - low)
    return min(low - pad, -1.6 * margin), max(high + pad, 1.6 * margin)


def _draw_budget(axes: Any, found: Sequence[Row], named: dict[str, Look], limits: tuple[float, float]) -> None:
    margin = max(row.comparison.margin for row in found if row.comparison)
    axes.axvspan(-margin, margin, color=MUTED, alpha=0.2, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=1)
    for place, row in enumerate(found):
        if row.comparison:
            _draw_difference(axes, place, row.comparison, named[row.arm], limits)
            remark = f"{brief_difference(row.comparison)}  {', '.join(verdict_lines(row.comparison, row.primary))}"
            axes.text(1.01, place, remark, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK)
    axes.set_yticks(range(len(found)), [row.arm for row in found])
    axes.set_ylim(len(found) - 0.4, -0.6)


def _draw_difference(axes: Any, place: int, found: Comparison, look: Look, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low < found.difference < high:
        edge, arrow = (low, "◄") if found.difference <= low else (high, "►")
        axes.text(edge, place, f" {arrow} ", ha="left" if edge == low else "right", va="center", color=look.color, fontsize=9)
        return
    if found.low is not None and found.high is not None and found.total_error:
        share = (found.seed_error or 0.0) / found.total_error
        half = (found.high - found.low) / 2
        axes.plot([found.low, found.high], [place, place], color=look.color, linewidth=1.4, solid_capstyle="butt")
        thick = [found.difference - share * half, found.difference + share * half]
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
