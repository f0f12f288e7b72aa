"""The validation loss of each trial against its passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, PALETTE
from jetbench.report.content import Plot
from jetbench.report.curves import count_passes
from jetbench.report.drawing import style
from jetbench.report.study.looks import BEST, COLORS, MARKERS, SMALL, score_limits
from jetbench.report.study.marks import mark
from jetbench.report.study.ranking import ranks
from jetbench.report.study.spent import ended
from jetbench.suites.studies import VALIDATION_LOSS
from jetbench.suites.trials import Searching

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot"]


def plot(searching: Searching, name: str) -> Plot:
    """Describe the learning curves of a search."""
    return Plot(
        name,
        "Validation loss of each trial against its passes",
        "The last stage of each trial's first seed, the darker the better; the selected one stands out. A square ends a trial "
        "that was pruned, a cross one that has diverged or failed.",
        draw,
        (searching,),
    )


def draw(searching: Searching) -> Figure:
    """Draw a line for each trial that has noted its loss."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 3.6), dpi=DPI, layout="constrained")
    axes, rank = figure.add_subplot(), ranks(searching)
    noted = [trial for trial in ended(searching) if trial.curve]
    axes.set_ylim(score_limits(VALIDATION_LOSS, [loss for trial in noted for _, loss in trial.curve]))
    for trial in sorted(noted, key=lambda trial: -rank.get(trial.number, len(rank) + 1)):
        share = (rank.get(trial.number, len(rank)) - 1) / max(len(rank) - 1, 1)
        look: dict[str, Any] = {
            "linewidth": 1.3,
            "color": PALETTE[0] if trial.state == "complete" else COLORS[trial.state],
            "alpha": 0.9 - 0.65 * share,
        }
        if trial.number == searching.winner or trial.number in searching.front:
            look = {"color": BEST, "alpha": 1.0, "linewidth": 2.4, "zorder": 4}
        passes, values = np.transpose(trial.curve)
        (line,) = axes.plot(passes, values, **look)
        line.set_gid(mark(trial, rank.get(trial.number)))
        if trial.state != "complete":
            (end,) = axes.plot(passes[-1:], values[-1:], marker=MARKERS[trial.state], color=COLORS[trial.state])
            end.set_gid(mark(trial, None))
    style(axes)
    count_passes(axes, True)
    axes.set_ylabel("validation loss,\nfirst seed", fontsize=SMALL, color=INK)
    return figure
