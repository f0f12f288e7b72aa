"""Residuals and responses of all arms in one plot, budget by budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.evaluation.regression_plots import Histogram, residual_histogram, response_histogram
from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import legend, style
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

KINDS = {residual_histogram: 0.0, response_histogram: 1.0}  # with the place of a perfect prediction

Found = Mapping[str, Sequence[Histogram]]  # by arm, one of each kind


def render(results: Results) -> SectionContent | None:
    found = [plot for labels in results.plan.instance.settings.labels if (plot := _plot(results, labels))]
    return SectionContent("residuals", "Residuals and response", plots=tuple(found)) if found else None


def _plot(results: Results, labels: int) -> Plot | None:
    arms = [arm for arm in results.plan.arms if results.seeds(arm, labels)]
    if not arms:
        return None
    found = {arm: [_summed(results, arm, labels, kind) for kind in KINDS] for arm in arms}
    shown = f"Share of the test jets, of all seeds together, at {count(labels)} labels"
    caption = f"{shown}; jets beyond the ends count among all and are not drawn."
    alt = f"Residuals and responses at {labels} labels"
    return Plot(f"residuals_{labels}", alt, caption, draw, (found, results.task.column, labels, looks(results.plan)))


def _summed(results: Results, arm: str, labels: int, kind: Any) -> Histogram:
    every: list[Histogram] = [kind(*results.scores(CellKey(arm, labels, seed))[1:]) for seed in results.seeds(arm, labels)]
    return replace(every[0], counts=np.sum([one.counts for one in every], axis=0), jets=sum(one.jets for one in every))


def draw(found: Found, target: str, labels: int, named: Mapping[str, Look]) -> Figure:
    """Draw the distributions of every arm: residuals at the left, responses at the right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, 4.6), dpi=DPI, layout="constrained")
    for place, neutral in enumerate(KINDS.values()):
        axes: Any = figure.add_subplot(1, 2, place + 1)
        axes.axvline(neutral, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        for arm, histograms in found.items():
            _draw_arm(axes, histograms[place], named[arm], arm)
        axes.set_xlim(*next(iter(found.values()))[place].edges[[0, -1]])
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"{target}:  {next(iter(found.values()))[place].quantity}", fontsize=11, color=INK)
        style(axes, f"{count(labels)} labels")
    figure.axes[0].set_ylabel("test jets per bin  [%]", fontsize=11, color=INK)
    legend(figure, figure.axes)
    return figure


def _draw_arm(axes: Any, found: Histogram, look: Look, name: str) -> None:
    line = {"linewidth": 1.3, "zorder": 2} if look.muted else {"linewidth": 2.0, "zorder": 3}
    axes.stairs(found.shares, found.edges, color=look.color, linestyle=look.dashes, label=name, baseline=None, **line)
