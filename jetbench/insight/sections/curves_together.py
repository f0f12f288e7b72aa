"""ROC curves of classifiers on the same jets, or residuals of regressions, beside what they predict jet by jet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.plots import INK, LINES, MUTED, PALETTE, RocLine, roc_line, roc_plot, sign
from jetbench.evaluation.regression_plots import Histogram, residual_histogram
from jetbench.insight.agreement import signal_scores
from jetbench.insight.drawing import panels, style
from jetbench.insight.sections.correlation import scatter
from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Plot, SectionContent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_residuals", "draw_roc", "render"]

ROC = "Test jets of the runs that are shown; the bands are 68 % intervals of the background count."
MANY = " All classes but the first count as signal, by the probability of not being of the first."


def render(given: SideBySide) -> SectionContent:
    """Show the curves of the runs that are shown."""
    simulated, names = given.baseline.simulated, given.names
    if given.baseline.regression:
        found = {name: residual_histogram(given.truth, one) for name, one in zip(names, given.predictions, strict=True)}
        target = given.baseline.shown.task.column
        plot = Plot(
            "residuals", "Residuals", "All test jets, of the runs that are shown.", draw_residuals, (found, target, simulated)
        )
        return SectionContent("residuals", "Residuals", plots=(plot, scatter(given)), beside=len(names) == 2)
    labels = (given.truth > 0).astype(np.int64)
    lines = [roc_line(name, labels, signal_scores(one)) for name, one in zip(names, given.predictions, strict=True)]
    caption = ROC + (MANY if len(given.class_names) > 2 else "")
    plot = Plot("roc", "ROC curves", caption, draw_roc, (tuple(lines), simulated))
    return SectionContent("roc", "Background rejection", plots=(plot, scatter(given)), beside=len(names) == 2)


def draw_roc(lines: tuple[RocLine, ...], simulated: bool) -> Figure:
    """Draw background rejection against signal efficiency."""
    figure = roc_plot(lines)
    sign(figure, simulated)
    return figure


def draw_residuals(found: Mapping[str, Histogram], target: str, simulated: bool) -> Figure:
    """Draw the distributions of the residuals over each other."""
    figure, ((axes,),) = panels(1, 1, simulated, width=5.6, height=3.8)
    axes.axvline(0, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for i, (name, one) in enumerate(found.items()):
        look = {"color": PALETTE[i % len(PALETTE)], "linestyle": LINES[i % len(LINES)]}
        axes.stairs(one.shares, one.edges, linewidth=2, label=name, baseline=None, **look)
    axes.set(xlim=next(iter(found.values())).edges[[0, -1]], ylim=(0, None))
    axes.set_xlabel(f"{target}: prediction − truth [GeV]", fontsize=11, color=INK)
    axes.set_ylabel("test jets per bin [%]", fontsize=11, color=INK)
    style(axes)
    axes.legend(frameon=False, fontsize=10)
    return figure
