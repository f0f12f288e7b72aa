"""The metric against the number of labels, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import REACH, inside, scale, style
from jetbench.report.results import Results
from jetbench.report.rows import level, rows
from jetbench.report.words import capital, count, heading, label
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

DODGE = 0.022  # decades between neighbouring arms: error bars of one budget stand side by side
LINE = 0.05  # height of a line of small text, as a share of the plot's
LEAST = 0.02  # of the metric's scale: the smallest span that an axis shows
LONG = 12  # characters of a heading that leave no room for more beside them

Means = dict[tuple[str, int], Mean]  # by arm and label budget


def render(results: Results) -> SectionContent | None:
    means: Means = {(row.arm, row.labels): row.headline for row in rows(results) if row.headline}
    if not means:
        return None
    metric, settings = results.metric, results.plan.instance.settings
    plot = Plot(
        "label_budget",
        f"{capital(label(metric))} of every arm against the number of labels",
        f"Mean {label(metric)} with {level(results)} intervals from seeds and test sample. Arms of one budget are drawn side by "
        "side; a hollow marker is a single seed without interval. Grey: controls and floors, which may lie beyond the plot.",
        draw,
        (metric, means, looks(results.plan), settings.labels, settings.seeds, level(results)),
    )
    return SectionContent("label-budget", plots=(plot,))


def draw(metric: Metric, means: Means, named: dict[str, Look], budgets: tuple[int, ...], seeds: int, level: str) -> Figure:
    """Draw means with intervals of a `level` ("95 %") from seeds and test sample. Controls and floors are grey and do not set the
    scale; what lies beyond it is named at the edge."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    figure = Figure(figsize=(8.4, 4.8), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    arms = [arm for arm in named if any(arm == other for other, _ in means)]
    for place, arm in enumerate(arms):
        shift = 10 ** (DODGE * (place - (len(arms) - 1) / 2))
        _draw_arm(axes, arm, {labels: one for (other, labels), one in means.items() if other == arm}, named[arm], shift)
    axes.set(xscale="log", ylim=_show_hidden(axes, metric, means, _limits(metric, means, named)), xlim=_decades(budgets))
    axes.xaxis.set_major_locator(FixedLocator(list(budgets)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    axes.set_xlabel("labelled jets, validation included", fontsize=11, color=INK)
    comma = ",\n" if len(heading(metric)) > LONG else ", "
    axes.set_ylabel(f"{heading(metric)}{comma}mean of up to {seeds} seeds with {level} interval", fontsize=10.5, color=INK)
    style(axes)
    _legend(axes, named)
    return figure


def _draw_arm(axes: Any, arm: str, found: dict[int, Mean], look: Look, shift: float) -> None:
    """One seed has no interval: its marker is hollow."""
    x, means = np.array(list(found)) * shift, np.array([one.mean for one in found.values()])
    halves = np.array([_ends(one)[1] - one.mean for one in found.values()])
    weight = {"linewidth": 1.1, "markersize": 4.5, "alpha": 0.9} if look.muted else {"linewidth": 1.8, "markersize": 6.5}
    axes.errorbar(
        x,
        means,
        halves,
        color=look.color,
        marker=look.marker,
        linestyle=look.dashes,
        label=arm,
        capsize=3,
        elinewidth=1.1 if look.muted else 1.6,
        zorder=2 if look.muted else 3,
        markerfacecolor="white" if all(one.n == 1 for one in found.values()) else look.color,
        **weight,
    )


def _ends(one: Mean) -> tuple[float, float]:
    """The ends of an interval, which may be 0; the mean where there is none."""
    return one.mean if one.low is None else one.low, one.mean if one.high is None else one.high


def _limits(metric: Metric, found: Means, named: dict[str, Look]) -> tuple[float, float]:
    """Around the main arms' means and bars; a muted one stretches it by no more than half of their span."""
    main = [one for (arm, _), one in found.items() if not named[arm].muted] or list(found.values())
    means = [one.mean for one in main]
    span = max(max(means) - min(means), LEAST * scale(metric, means))
    low = max(min(_ends(one)[0] for one in main), min(means) - REACH * span)
    high = min(max(_ends(one)[1] for one in main), max(means) + REACH * span)
    muted = [one.mean for (arm, _), one in found.items() if named[arm].muted]
    near = [mean for mean in muted if low - span / 2 < mean < high + span / 2]
    low, high = min([low, *near]), max([high, *near])
    pad = 0.06 * (high - low)
    return inside(metric, low - pad, high + pad)


def _show_hidden(axes: Any, metric: Metric, found: Means, limits: tuple[float, float]) -> tuple[float, float]:
    """Name the means beyond the limits at the edge, and return limits that leave room for the names."""
    low, high = limits
    below = {place: one.mean for place, one in found.items() if one.mean < low}
    above = {place: one.mean for place, one in found.items() if one.mean > high}
    line = LINE * (high - low)
    low, high = inside(metric, low - line * len(below), high + line * len(above))
    line = LINE * (high - low)
    for step, (place, mean) in enumerate(below.items()):
        _name(axes, metric, place, f"↓ {place[0]}", mean, low + line * (step + 0.3))
    for step, (place, mean) in enumerate(above.items()):
        _name(axes, metric, place, f"↑ {place[0]}", mean, high - line * (step + 0.9))
    return low, high


def _name(axes: Any, metric: Metric, place: tuple[str, int], text: str, mean: float, height: float) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.85}
    text = f"{text} {mean:.{max(metric.digits - 1, 0)}f}"
    axes.text(place[1] * 0.9, height, text, fontsize=8.5, color="#555555", zorder=5, bbox=box)


def _decades(budgets: Sequence[int]) -> tuple[float, float]:
    edge = max((budgets[-1] / budgets[0]) ** 0.12, 1.35)
    return budgets[0] / edge, budgets[-1] * edge


def _legend(axes: Any, named: dict[str, Look]) -> None:
    """Beside the plot, the muted arms last."""
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
