"""A predicted number: residuals and response, bias and resolution in bins, and the jets of the largest residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.bins import binned
from jetbench.evaluation.plots import INK, MUTED, PALETTE
from jetbench.evaluation.regression_plots import MEASURES, MOST_SPREAD, Histogram, guide, residual_histogram, response_histogram
from jetbench.evaluation.wrongest import wrongest
from jetbench.insight.drawing import panels, style
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.gallery import draw as draw_gallery
from jetbench.insight.sections.gallery import gallery, observed, told
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.markup import table
from jetbench.report.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from jetbench.evaluation.bins import Binned

__all__ = ["draw", "render"]

MOST = 6  # worst jets
CAPTION = (
    "Residuals and responses of all test jets, on axes that are the same for every model, and beyond whose ends no jet is drawn; "
    "then the median residual and the resolution, half of the central 68 % of the response, in bins of the truth with equally "
    f"many jets. The axis of the resolution ends at {MOST_SPREAD:g}, where the truth is not known at all."
)


def render(inspection: Inspection) -> SectionContent | None:
    """Show them for a regression."""
    if not inspection.regression or not inspection.shown.tested:
        return None
    rows, truth, predicted = inspection.shown.scores
    target = inspection.shown.task.column
    shown = (residual_histogram(truth, predicted), response_histogram(truth, predicted), binned(truth, truth, predicted), target)
    plots = [Plot("residuals", "Residuals, response, bias and resolution", CAPTION, draw, (*shown, inspection.simulated))]
    (places,) = wrongest(inspection.shown.task.losses(truth, predicted), MOST).values()
    headings, cells = list[str](), [list[str]() for _ in places]
    if not inspection.no_jets:
        jets = inspection.shown.jets_at(places)
        headings, cells = observed(jets)
        texts = [f"true {truth[k]:.0f}, predicted {predicted[k]:.0f}" for k in places.tolist()]
        shown_jets = gallery(inspection, jets, 1, texts)
        caption = f"The jets of the largest residuals, the largest first; {target} in GeV. {told(shown_jets)}"
        given = (shown_jets, inspection.simulated)
        plots.append(Plot("worst", "Jets of the largest residuals", caption, draw_gallery, given))
    lines = [
        Line(
            (
                count(int(rows[k])),
                f"{truth[k]:.1f}",
                f"{predicted[k]:.1f}",
                f"{predicted[k] - truth[k]:+.1f}".replace("-", "−"),
                *cell,
            )
        )
        for k, cell in zip(places.tolist(), cells, strict=True)
    ]
    body = table(("row", f"true {target} [GeV]", "predicted [GeV]", "residual [GeV]", *headings), lines)
    return SectionContent("residuals", "Response, residuals and worst jets", body, tuple(plots))


def draw(residuals: Histogram, response: Histogram, bins: Binned, target: str, simulated: bool) -> Figure:
    """Draw the two distributions above, and what they are in bins of the truth below."""
    figure, grid = panels(2, 2, simulated, width=5.2, height=2.9)
    for axes, found, neutral in ((grid[0, 0], residuals, 0.0), (grid[0, 1], response, 1.0)):
        axes.stairs(found.shares, found.edges, fill=True, color=PALETTE[0], alpha=0.35)
        axes.axvline(neutral, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)))
        axes.set(xlim=found.edges[[0, -1]], ylim=(0, None))
        axes.set_xlabel(f"{target}: {found.quantity}", fontsize=10.5, color=INK)
        axes.set_ylabel("test jets per bin [%]", fontsize=10.5, color=INK)
        style(axes)
    middle, half = (bins.edges[1:] + bins.edges[:-1]) / 2, np.diff(bins.edges) / 2
    for axes, (measure, heading) in zip(grid[1], MEASURES.items(), strict=True):
        values, errors = getattr(bins, measure), getattr(bins, f"{measure}_se")
        axes.errorbar(middle, values, errors, half, fmt="o", color=PALETTE[0], markersize=4, linewidth=1.4)
        guide(axes, measure)
        axes.set_xlabel(f"true {target} [GeV]", fontsize=10.5, color=INK)
        axes.set_ylabel(heading, fontsize=10.5, color=INK)
        style(axes)
    return figure
