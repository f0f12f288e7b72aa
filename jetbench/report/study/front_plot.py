"""Several aims against each other: every trial, and the front of those that no other dominates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE
from jetbench.report.content import Plot
from jetbench.report.drawing import style
from jetbench.report.study.fronts import hypervolume, spans_decades, unit_box
from jetbench.report.study.looks import BEST, SMALL
from jetbench.report.study.marks import mark
from jetbench.report.study.names import aim_heading
from jetbench.report.study.ranking import finished, losses, ranks
from jetbench.suites.trials import Searching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot"]


def plot(searching: Searching, name: str) -> Plot:
    """Describe the Pareto front of a search with several aims."""
    volume = hypervolume(unit_box(losses(searching.study, finished(searching))))
    return Plot(
        name,
        "Pareto front of the aims",
        f"One point a trial; no other trial is better than one of the front by one aim and no worse by the rest. The front "
        f"dominates {volume:.3f} of the box between the best and the worst value of each aim (its hypervolume; an aim that spans "
        "more than a factor of ten counts by its logarithm, and is drawn so).",
        draw,
        (searching,),
    )


def draw(searching: Searching) -> Figure:
    """Draw a panel for each aim after the first: the first aim against it."""
    from matplotlib.figure import Figure

    aims = searching.study.aims
    figure = Figure(figsize=(1.0 + 5.2 * (len(aims) - 1), 4.2), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(aims) - 1, sharey=True, squeeze=False)[0]
    for number, axes in enumerate(panels, 1):
        _draw_pair(axes, searching, number)
        axes.set_xlabel(aim_heading(aims[number]), fontsize=SMALL, color=INK)
    panels[0].set_ylabel(aim_heading(aims[0]).replace(", ", ",\n"), fontsize=SMALL, color=INK)
    return figure


def _draw_pair(axes: Any, searching: Searching, number: int) -> None:
    trials, rank = finished(searching), ranks(searching)
    if spans_decades([trial.scores[number] for trial in trials]):
        axes.set_xscale("log")
    for trial in trials:
        on_front = trial.number in searching.front
        look = {"color": BEST, "markersize": 8} if on_front else {"color": PALETTE[0], "markersize": 6, "alpha": 0.7}
        (drawn,) = axes.plot([trial.scores[number]], [trial.scores[0]], marker="o", linestyle="", zorder=3, **look)
        drawn.set_gid(mark(trial, rank[trial.number]))
    front = sorted((trial.scores[number], trial.scores[0]) for trial in trials if trial.number in searching.front)
    if len(searching.study.aims) == 2 and front:
        cheaper = not searching.study.aims[number].larger_is_better
        axes.step(*zip(*front, strict=True), where="post" if cheaper else "pre", color=MUTED, linewidth=1.3, zorder=1)
    style(axes)
