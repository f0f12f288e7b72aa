"""Parallel coordinates: each trial is a line through its values to its scores."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish
from jetbench.report.content import Plot
from jetbench.report.study.fronts import spans_decades
from jetbench.report.study.looks import BEST, COLORS, axis_place, is_log, score_limits
from jetbench.report.study.marks import mark
from jetbench.report.study.names import aim_name, parameter_name, plain_number, value_text
from jetbench.report.study.ranking import ranks
from jetbench.report.study.spent import ended
from jetbench.suites.studies import Aim, Searched
from jetbench.suites.trials import Searching, Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot"]


@dataclass(frozen=True)
class Axis:
    """A vertical axis: `place` gives the height of a trial in [0, 1], None where it has none; `ticks` are heights with texts."""

    name: str
    place: Callable[[Trial], float | None]
    ticks: tuple[tuple[float, str], ...]


def plot(searching: Searching, name: str) -> Plot:
    """Describe the parallel coordinates of a search."""
    return Plot(
        name,
        "Parallel coordinates of the trials",
        "Each line is a trial, the darker the better; the selected one stands out. Better scores are at the top. Dashed lines "
        "were pruned; trials that have diverged or failed end before the score.",
        draw,
        (searching,),
    )


def draw(searching: Searching) -> Figure:
    """Draw an axis for each parameter, and then for each aim."""
    from matplotlib.figure import Figure

    axes_of = [*map(_parameter_axis, searching.study.searched), *_score_axes(searching)]
    figure = Figure(figsize=(1.6 + 1.75 * len(axes_of), 4.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    finish(axes)
    axes.set_axis_off()
    axes.set(xlim=(-0.15, len(axes_of) - 0.55), ylim=(-0.05, 1.2))
    for x, one in enumerate(axes_of):
        _draw_axis(axes, x, one)
    rank = ranks(searching)
    for trial in sorted(ended(searching), key=lambda trial: -rank.get(trial.number, len(rank) + 1)):  # the best on top
        heights = [one.place(trial) for one in axes_of]
        points = [(x, height) for x, height in enumerate(heights) if height is not None]
        (line,) = axes.plot(*zip(*points, strict=True), **_look(searching, trial, rank))
        line.set_gid(mark(trial, rank.get(trial.number)))
    return figure


def _look(searching: Searching, trial: Trial, rank: dict[int, int]) -> dict[str, Any]:
    if trial.number == searching.winner or trial.number in searching.front:
        return {"color": BEST, "linewidth": 2.4, "zorder": 4}
    if trial.state != "complete":
        return {"color": COLORS[trial.state], "linewidth": 0.9, "alpha": 0.6, "linestyle": (0, (4, 3))}
    share = (rank[trial.number] - 1) / max(len(rank) - 1, 1)
    return {"color": PALETTE[0], "linewidth": 1.5 - 0.6 * share, "alpha": 0.9 - 0.7 * share}


def _draw_axis(axes: Any, x: int, one: Axis) -> None:
    axes.plot([x, x], [0, 1], color=MUTED, linewidth=1.1, zorder=2)
    axes.text(x, 1.06, textwrap.fill(one.name, 15), ha="center", va="bottom", fontsize=9.5, color=INK)
    for height, text in one.ticks:
        axes.plot([x, x + 0.03], [height, height], color=MUTED, linewidth=1.1, zorder=2)
        axes.text(
            x + 0.05, height, text, ha="left", va="center", fontsize=8.5, color=INK, zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
        )  # fmt: skip


def _parameter_axis(one: Searched) -> Axis:
    choices = one.space.choices
    scale = np.log if is_log(one) else np.asarray
    places = [axis_place(one, end) for end in choices or (one.space.low, one.space.high)]
    low, high = float(scale(min(places))), float(scale(max(places)))
    span = high - low or 1.0

    def height(value: float) -> float:
        return (float(scale(value)) - low) / span

    middle = () if choices else (float(np.exp((low + high) / 2)) if is_log(one) else (low + high) / 2,)
    shown = [(place, value_text(choice)) for place, choice in zip(places, choices, strict=True)] if choices else []
    shown += [] if choices else [(value, f"{value:.2g}") for value in (*places, *middle)]
    ticks = tuple((height(value), text) for value, text in shown)
    return Axis(parameter_name(one), lambda trial: height(axis_place(one, trial.values[one.path])), ticks)


def _score_axes(searching: Searching) -> Iterator[Axis]:
    for number, aim in enumerate(searching.study.aims):
        yield _score_axis(aim, number, [trial.scores[number] for trial in ended(searching) if trial.scores])


def _score_axis(aim: Aim, number: int, scores: list[float]) -> Axis:
    """Better ones are higher; an aim that spans decades goes by its logarithm."""
    decades = spans_decades(scores)
    limits = (min(scores), max(scores)) if decades else score_limits(aim, scores)
    scale, values = (np.log, np.geomspace) if decades else (np.asarray, np.linspace)
    bottom, upper = map(float, scale(limits if aim.larger_is_better else limits[::-1]))

    def height(value: float) -> float:
        return float(np.clip((scale(value) - bottom) / (upper - bottom), 0.0, 1.0))

    rounded = [float(f"{value:.2g}") if decades else float(value) for value in values(*limits, 5)]
    ticks = tuple((height(value), plain_number(value)) for value in rounded)
    return Axis(aim_name(aim), lambda trial: height(trial.scores[number]) if trial.scores else None, ticks)
