"""How a trial looks in every plot of a study, and the axes that these share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jetbench.evaluation.plots import INK, MUTED, PALETTE
from jetbench.report.study.marks import mark
from jetbench.report.study.names import aim_name, parameter_name, value_text
from jetbench.spec import Scalar
from jetbench.suites.studies import Aim, Searched
from jetbench.suites.trials import Searching, State, Trial

__all__ = [
    "BEST",
    "COLORS",
    "MARKERS",
    "SMALL",
    "axis_place",
    "draw_trial",
    "is_log",
    "label_scores",
    "score_limits",
    "set_parameter_axis",
]

SMALL = 10.5  # font size of the names of axes [pt]
BEST = PALETTE[1]  # of the trial that is selected, and of the best so far
COLORS: dict[State, str] = {"complete": PALETTE[0], "pruned": MUTED, "diverged": "#7F0000", "failed": "#7F0000", "open": MUTED}
MARKERS: dict[State, str] = {"complete": "o", "pruned": "s", "diverged": "x", "failed": "x", "open": "."}
REACH = 4.0  # a score is shown where it is no further from the best than so many times the median is
MARGIN = 0.06  # share of the span of scores that is left free at both ends


def score_limits(aim: Aim, scores: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis of scores: a few bad trials do not squeeze all others. Two numbers, the smaller first."""
    values = np.array([score for score in scores if np.isfinite(score)], dtype=float)
    if not len(values):
        return 0.0, 1.0
    best, worst = (values.max(), values.min()) if aim.larger_is_better else (values.min(), values.max())
    reach = REACH * abs(np.median(values) - best)
    if 0 < reach < abs(worst - best):
        worst = best + np.sign(worst - best) * reach
    low, high = sorted((best, worst))
    free = MARGIN * (high - low) or 0.05 * abs(best) or 0.5
    return float(low - free), float(high + free)


def draw_trial(axes: Any, searching: Searching, trial: Trial, x: float, score: float | None, rank: int | None) -> None:
    """Draw a trial at its score; one beyond the axis, or without a score, at the worse edge of it."""
    low, high = axes.get_ylim()
    worse = low if searching.study.aims[0].larger_is_better else high
    beyond = score is None or not low <= score <= high
    selected = trial.number == searching.winner
    style: dict[str, Any] = {"color": COLORS[trial.state], "marker": MARKERS[trial.state], "markersize": 6, "alpha": 0.85}
    if beyond and trial.state in ("complete", "pruned"):
        style["marker"] = "v" if worse == low else "^"
    if trial.state == "pruned":
        style |= {"markerfacecolor": "white"}
    if selected:
        style |= {"color": BEST, "marker": "*", "markersize": 13, "zorder": 5, "alpha": 1.0}
    (drawn,) = axes.plot([x], [worse if beyond else score], linestyle="", clip_on=False, **style)
    drawn.set_gid(mark(trial, rank))


def label_scores(axes: Any, aim: Aim) -> None:
    """Name the axis of scores."""
    axes.set_ylabel(aim_name(aim), fontsize=SMALL, color=INK)


def axis_place(one: Searched, value: Scalar) -> float:
    """Return where a value stands on the axis of its parameter: a number at itself, any other at the place of its choice."""
    return float(value) if _numbers(one) else float(one.space.choices.index(value))  # type: ignore[arg-type]


def is_log(one: Searched) -> bool:
    """Tell whether the axis of a parameter is logarithmic."""
    low, high = _ends(one)
    return _numbers(one) and low > 0 and (one.space.log or high >= 10 * low)


def set_parameter_axis(axes: Any, one: Searched) -> None:
    """Give the horizontal axis the scale, the limits, the ticks and the name of a parameter."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = _ends(one)
    axes.set_xlabel(parameter_name(one), fontsize=SMALL, color=INK)
    if not _numbers(one):
        axes.set_xticks(range(len(one.space.choices)), map(value_text, one.space.choices))
        axes.set_xlim(-0.5, len(one.space.choices) - 0.5)
        return
    if is_log(one):
        free = (high / low) ** MARGIN
        axes.set(xscale="log", xlim=(low / free, high * free))
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if high < 5e2 * low else (1.0,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        free = MARGIN * (high - low)
        axes.set_xlim(low - free, high + free)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=one.space.whole))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _numbers(one: Searched) -> bool:
    choices = one.space.choices
    return not choices or all(isinstance(choice, int | float) and not isinstance(choice, bool) for choice in choices)


def _ends(one: Searched) -> tuple[float, float]:
    """The ends of the range, or the smallest and the largest of choices that are numbers."""
    if not _numbers(one):
        return 0.0, float(len(one.space.choices) - 1)
    ends = one.space.choices or (one.space.low, one.space.high)
    return float(min(ends)), float(max(ends))  # type: ignore[type-var, arg-type]
