"""The metric against the number of labels, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import ends, legend, limits, style
from jetbench.report.gains import encoder_names
from jetbench.report.one_budget import draw_one_budget
from jetbench.report.results import Results
from jetbench.report.rows import rows
from jetbench.report.words import LEVEL_TEXT, capital, count, heading, label
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

DODGE = 0.022  # decades between neighbouring arms: error bars of one budget stand side by side
CROWD = 0.45  # of the way to the next budget: what the arms of one may take
LINE = 0.05  # height of a line of small text, as a share of the plot's
LONG = 12  # characters of a heading that leave no room for more beside them

Means = dict[tuple[str, int], Mean]  # by arm and label budget


@dataclass(frozen=True)
class Frame:
    """What all panels share: label budgets, the ends of what is drawn in them, and lines of text beyond either end."""

    budgets: tuple[int, ...]
    low: float
    high: float
    below: int
    above: int

    @property
    def line(self) -> float:
        """The height of a line of text, in the unit of the metric."""
        return LINE * (self.high - self.low) / (1 - LINE * (self.below + self.above))


def render(results: Results) -> SectionContent | None:
    means: Means = {(row.arm, row.labels): row.headline for row in rows(results) if row.headline}
    if not means:
        return None
    metric, settings, named = results.metric, results.plan.instance.settings, looks(results.plan)
    beside = "Arms of one budget are drawn side by side; a" if len(settings.labels) > 1 else "A"
    hollow = all(named[arm].filled for arm, _ in means)
    plot = Plot(
        "label_budget",
        f"{capital(label(metric))} of every arm against the number of labels",
        f"Mean {label(metric)} with {LEVEL_TEXT} intervals from seeds and test sample. {beside} marker without a bar is a single "
        f"seed{'' if hollow else ', a hollow one a frozen encoder'}. Grey: controls and floors, which may lie beyond the plot.",
        draw,
        (metric, means, named, _panels(results), settings.labels, settings.seeds, LEVEL_TEXT),
    )
    return SectionContent("label-budget", plots=(plot,))


def _panels(results: Results) -> dict[str, tuple[str, ...]]:
    """The arms by the title of their panel: one for each encoder; arms of a model that no baseline has stand in all of them."""
    plan, names = results.plan, encoder_names(results)
    if len(names) < 2:
        return {"": tuple(plan.roles)}
    model = {arm: given.model for arm, given in plan.instance.settings.arms.items()}
    encoders = {model[baseline] for baseline in names}

    def shown(arm: str, baseline: str) -> bool:
        return model[arm] not in encoders or baseline in (arm, results.baselines.get(arm))

    return {name: tuple(arm for arm in plan.roles if shown(arm, baseline)) for baseline, name in names.items()}


def draw(
    metric: Metric,
    means: Means,
    named: dict[str, Look],
    panels: dict[str, tuple[str, ...]],
    budgets: tuple[int, ...],
    seeds: int,
    level: str,
) -> Figure:
    """Draw means with intervals of a `level` ("95 %") from seeds and test sample, a panel for each of `panels` with its arms.
    Controls and floors are grey and do not set the scale; what lies beyond it is named at the edge."""
    from matplotlib.figure import Figure

    shown = {title: {place: one for place, one in means.items() if place[0] in arms} for title, arms in panels.items()}
    what, around = f"mean of up to {seeds} seeds with {level} interval", _limits(metric, means, named)
    if len(budgets) == 1:
        by_arm = {title: {arm: one for (arm, _), one in found.items()} for title, found in shown.items()}
        return draw_one_budget(metric, by_arm, named, around, f"{heading(metric)} at {count(budgets[0])} labels, {what}")
    figure = Figure(figsize=(5.4 * len(panels), 6.2) if len(panels) > 1 else (8.4, 4.8), dpi=DPI, layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    frame = _frame(metric, budgets, list(shown.values()), around)
    for axes, (title, found) in zip(all_axes, shown.items(), strict=True):
        _draw_panel(axes, metric, found, named, frame)
        style(axes, title)
    legend(figure, all_axes, last=[arm for arm, look in named.items() if look.muted])
    comma = ",\n" if len(heading(metric)) > LONG else ", "
    all_axes[0].set_ylabel(f"{heading(metric)}{comma}{what}", fontsize=10.5, color=INK)
    return figure


def _frame(metric: Metric, budgets: tuple[int, ...], panels: Sequence[Means], around: tuple[float, float]) -> Frame:
    """Room at either edge for the names of what lies beyond, as many as the fullest panel has."""
    low, high = around
    below = max(sum(one.mean < low for one in found.values()) for found in panels)
    above = max(sum(one.mean > high for one in found.values()) for found in panels)
    return Frame(budgets, low, high, below, above)


def _draw_panel(axes: Any, metric: Metric, means: Means, named: dict[str, Look], frame: Frame) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    arms = [arm for arm in named if any(arm == other for other, _ in means)]
    width = _width(frame.budgets, len(arms))
    for place, arm in enumerate(arms):
        shift = 10 ** (width * (place / max(len(arms) - 1, 1) - 0.5))
        _draw_arm(axes, metric, arm, {labels: one for (other, labels), one in means.items() if other == arm}, named[arm], shift)
    _cut(axes, frame)
    _name_hidden(axes, metric, means, frame)
    axes.set(xscale="log", ylim=(frame.low - frame.line * frame.below, frame.high + frame.line * frame.above))
    edge = max((frame.budgets[-1] / frame.budgets[0]) ** 0.12, 1.35, 10 ** (width / 2 + DODGE))
    axes.set_xlim(frame.budgets[0] / edge, frame.budgets[-1] * edge)
    axes.xaxis.set_major_locator(FixedLocator(list(frame.budgets)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    axes.set_yticks([tick for tick in axes.get_yticks() if frame.low <= tick <= frame.high])
    axes.set_xlabel("labelled jets, validation included", fontsize=11, color=INK)


def _width(budgets: Sequence[int], arms: int) -> float:
    """Decades that the arms of one budget take."""
    gaps = [np.log10(after / before) for before, after in pairwise(budgets)]
    return min([DODGE * (arms - 1), *(CROWD * gap for gap in gaps)])


def _cut(axes: Any, frame: Frame) -> None:
    """Cut curves and bars where the names of what lies beyond begin, and rule it off."""
    from matplotlib.patches import Rectangle

    across = axes.get_yaxis_transform()
    for artist in [*axes.lines, *axes.collections]:
        artist.set_clip_path(Rectangle((0, frame.low), 1, frame.high - frame.low, transform=across))
    for edge in [frame.low] * bool(frame.below) + [frame.high] * bool(frame.above):
        axes.axhline(edge, color=MUTED, linewidth=0.6)


def _draw_arm(axes: Any, metric: Metric, arm: str, found: dict[int, Mean], look: Look, shift: float) -> None:
    """One seed has no interval, and no bar."""
    x, means = np.array(list(found)) * shift, np.array([one.mean for one in found.values()])
    bars = np.array([ends(metric, one) for one in found.values()])
    weight = {"linewidth": 1.1, "markersize": 4.5, "alpha": 0.9} if look.muted else {"linewidth": 1.8, "markersize": 6.5}
    axes.errorbar(
        x,
        means,
        [means - bars[:, 0], bars[:, 1] - means],
        color=look.color,
        marker=look.marker,
        linestyle=look.dashes,
        label=arm,
        capsize=3,
        elinewidth=1.1 if look.muted else 1.6,
        zorder=2 if look.muted else 3,
        markerfacecolor=look.face,
        **weight,
    )


def _limits(metric: Metric, found: Means, named: dict[str, Look]) -> tuple[float, float]:
    """Around the main arms' means and bars; a muted one stretches it by no more than half of their span."""
    main = [one for (arm, _), one in found.items() if not named[arm].muted] or list(found.values())
    return limits(metric, [m.mean for m in main], main, [one.mean for (arm, _), one in found.items() if named[arm].muted])


def _name_hidden(axes: Any, metric: Metric, found: Means, frame: Frame) -> None:
    """Name the means beyond the limits, each in a line of its own at the edge."""
    below = [(place, one.mean) for place, one in found.items() if one.mean < frame.low]
    above = [(place, one.mean) for place, one in found.items() if one.mean > frame.high]
    for step, ((arm, labels), mean) in enumerate(below):
        _name(axes, metric, labels, f"↓ {arm}", mean, frame.low - frame.line * (step + 0.75))
    for step, ((arm, labels), mean) in enumerate(above):
        _name(axes, metric, labels, f"↑ {arm}", mean, frame.high + frame.line * (step + 0.25))


def _name(axes: Any, metric: Metric, labels: int, text: str, mean: float, height: float) -> None:
    text = f"{text} {mean:.{max(metric.digits - 1, 0)}f}"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # over the grid
    axes.text(labels * 0.9, height, text, fontsize=8.5, color="#555555", bbox=box)
