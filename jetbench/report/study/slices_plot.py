"""The score against one searched parameter after the other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, MUTED
from jetbench.report.content import Plot
from jetbench.report.drawing import style
from jetbench.report.study.looks import axis_place, draw_trial, label_scores, score_limits, set_parameter_axis
from jetbench.report.study.names import aim_name
from jetbench.report.study.ranking import ranks
from jetbench.report.study.spent import ended
from jetbench.report.words import capital
from jetbench.suites.studies import Searched
from jetbench.suites.trials import Searching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot"]

ACROSS = 3  # panels side by side


def plot(searching: Searching, name: str) -> Plot:
    """Describe the slices of a search."""
    return Plot(
        name,
        f"{capital(aim_name(searching.study.aims[0]))} against each searched parameter",
        "One point a trial: a circle was trained to its end, a square was pruned, a cross has diverged or failed; a triangle "
        "lies beyond the axis. The star is selected; dotted, the recipe's own value. Other parameters differ as well.",
        draw,
        (searching,),
    )


def draw(searching: Searching) -> Figure:
    """Draw a panel for each parameter, by the first aim."""
    from matplotlib.figure import Figure

    searched, aim = searching.study.searched, searching.study.aims[0]
    across, down = min(len(searched), ACROSS), math.ceil(len(searched) / ACROSS)
    figure = Figure(figsize=(1.2 + 3.4 * across, 0.4 + 2.9 * down), dpi=DPI, layout="constrained")
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    limits = score_limits(aim, [trial.scores[0] for trial in ended(searching) if trial.scores])
    for place, axes in enumerate(panels.flat):
        if place >= len(searched):
            axes.set_visible(False)
            continue
        axes.set_ylim(limits)
        _draw_slice(axes, searching, searched[place])
        if place % across == 0:
            label_scores(axes, aim)
    return figure


def _draw_slice(axes: Any, searching: Searching, one: Searched) -> None:
    set_parameter_axis(axes, one)
    axes.axvline(axis_place(one, one.space.nearest(one.own)), color=MUTED, linestyle=":", linewidth=1.3)
    rank = ranks(searching)
    for trial in ended(searching):
        score = trial.scores[0] if trial.scores else None
        draw_trial(axes, searching, trial, axis_place(one, trial.values[one.path]), score, rank.get(trial.number))
    style(axes)
