"""The best so far against what had been spent by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, PALETTE
from jetbench.report.content import Plot
from jetbench.report.curves import count_passes
from jetbench.report.drawing import legend, style
from jetbench.report.study.history import History, history
from jetbench.report.study.looks import BEST, SMALL, draw_trial, score_limits
from jetbench.report.study.names import aim_heading
from jetbench.report.study.ranking import ranks
from jetbench.report.study.spent import ended
from jetbench.suites.studies import Study
from jetbench.suites.trials import Searching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "draw_arms", "plot", "plot_of_arms"]

HYPERVOLUME = "hypervolume of the front"
TRIALS = (
    "The line is the best so far, a point is a trial, the star the one that is selected; the first has the recipe's own values."
)
SPENT = "What pruned and diverged trials have spent is counted."


def plot(searching: Searching, name: str) -> Plot:
    """Describe the history of one search, with its trials."""
    one_aim = len(searching.study.aims) == 1
    return Plot(
        name,
        f"Best so far against labelled passes: {best_name(searching.study)}",
        f"{TRIALS if one_aim else 'The share of the box that the front of the trials so far dominates.'} {SPENT}",
        draw,
        (searching,),
    )


def plot_of_arms(searchings: Sequence[Searching], name: str) -> Plot:
    """Describe the histories of several arms in one plot."""
    return Plot(
        name,
        "Best so far of each arm against labelled passes",
        f"Every arm has as many trials; what these spend may differ. A line begins with the recipe's own values. {SPENT}",
        draw_arms,
        (best_name(searchings[0].study), {one.arm: history(one) for one in searchings}),
    )


def best_name(study: Study) -> str:
    """Name what grows better: the aim, or of several aims the hypervolume."""
    return aim_heading(study.aims[0]) if len(study.aims) == 1 else HYPERVOLUME


def draw(searching: Searching) -> Figure:
    """Draw the best so far, and of a single aim every trial."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), dpi=DPI, layout="constrained")
    axes, past, one_aim = figure.add_subplot(), history(searching), len(searching.study.aims) == 1
    if one_aim:
        aim = searching.study.aims[0]
        axes.set_ylim(score_limits(aim, [trial.scores[0] for trial in ended(searching) if trial.scores]))
    else:
        axes.set_ylim(0, 1.03)
    _draw_best(axes, past.labelled, past, BEST, "best so far")
    if one_aim:
        rank = ranks(searching)
        for trial, passes in zip(ended(searching), past.labelled, strict=True):
            draw_trial(axes, searching, trial, passes, trial.scores[0] if trial.scores else None, rank.get(trial.number))
    style(axes)
    _name(axes, "labelled passes", best_name(searching.study))
    return figure


def draw_arms(what: str, past: Mapping[str, History]) -> Figure:
    """Draw the best so far of each arm against labelled passes, and where there are any against unlabelled ones."""
    from matplotlib.figure import Figure

    kinds = ["labelled", *(["unlabelled"] if any(one.unlabelled.any() for one in past.values()) else [])]
    figure = Figure(figsize=(4.6 * len(kinds) + 2.6, 3.9), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        for place, (arm, one) in enumerate(past.items()):
            if getattr(one, kind).any():
                _draw_best(axes, getattr(one, kind), one, PALETTE[place % len(PALETTE)], arm)
        style(axes)
        _name(axes, f"{kind} passes", what if kind == "labelled" else "")
    legend(figure, panels)
    return figure


def _draw_best(axes: Any, passes: np.ndarray, past: History, color: str, name: str) -> None:
    axes.step(passes, past.best, where="post", color=color, linewidth=1.8, label=name)


def _name(axes: Any, passes: str, score: str) -> None:
    count_passes(axes, False)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{passes} spent / 1000", fontsize=SMALL, color=INK)
    axes.set_ylabel(score.replace(", ", ",\n"), fontsize=SMALL, color=INK)
