"""What the encoder knows: its features in two planes, and how well they alone tell the classes apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jetbench.errors import RunError
from jetbench.evaluation.plots import INK, PALETTE
from jetbench.insight.drawing import draw_cloud, panels, style
from jetbench.insight.embedding import features_of, principal_plane, tsne_plane
from jetbench.insight.explanations import untrained_twin
from jetbench.insight.inspection import MOST_SEEDS, Inspection
from jetbench.insight.probes import NEIGHBOURS, probe_accuracies
from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.drawing import legend
from jetbench.report.markup import fragment, table
from jetbench.report.words import count
from jetbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

MOST_TSNE = 1000  # jets: its time grows faster than their number
TEXT = """<p>Accuracy of probes that are fitted to the features of half of {{ jets|count }} test jets and tested on the other
half: a logistic regression, and the {{ neighbours }} nearest neighbours by cosine, or all of fewer.</p>"""
CAPTION = (
    "Features of test jets, standardised: the two principal components, with their shares of the variance, and t-SNE of the "
    "first {jets}, where neighbours are alike and distances between groups mean little."
)


def render(inspection: Inspection) -> SectionContent | None:
    """Show them where there is a network and its jets."""
    if inspection.no_jets or inspection.shown.no_model:
        return None
    features = features_of(inspection.shown, inspection.shown.jets)
    plane, explained = principal_plane(features)
    near = tsne_plane(features[:MOST_TSNE])
    names = inspection.groups
    by_class = {name: (plane[inspection.labels == k], near[inspection.labels[:MOST_TSNE] == k]) for k, name in names.items()}
    caption = CAPTION.format(jets=count(len(near)))
    plot = Plot("embedding", "Features of test jets in two planes", caption, draw, (by_class, explained, inspection.simulated))
    return SectionContent("embedding", "What the encoder knows", _probes(inspection, features), (plot,))


def _probes(inspection: Inspection, features: np.ndarray) -> str:
    """The table of probes: of each seed, and of the first one's encoder before its training; nothing without classes."""
    try:
        rows = {inspection.shown.run.planned.name: probe_accuracies(features, inspection.labels)}
    except RunError:
        return ""
    jets = inspection.shown.jets
    for one in inspection.seeds[1:MOST_SEEDS]:
        rows[one.run.planned.name] = probe_accuracies(features_of(one, jets), inspection.labels)
    twin = features_of(inspection.shown, jets, untrained_twin(inspection.shown))
    rows["the first of them untrained"] = probe_accuracies(twin, inspection.labels)
    lines = [Line((name, *map(_cell, found.values()))) for name, found in rows.items()]
    told = fragment(TEXT, jets=len(features), neighbours=NEIGHBOURS)
    return told + table(("encoder of", *next(iter(rows.values()))), lines)


def _cell(given: Interval) -> Cell:
    return Cell(f"{given.mean:.3f}", f"[{given.low:.3f}, {given.high:.3f}]")


def draw(by_class: Mapping[str, tuple[np.ndarray, np.ndarray]], explained: np.ndarray, simulated: bool) -> Figure:
    """Draw the jets of each class in the principal plane at the left and in that of t-SNE at the right."""
    figure, grid = panels(1, 2, simulated, width=5.2, height=4.2)
    names = [f"principal component {i + 1}  ({100 * share:.0f} % of the variance)" for i, share in enumerate(explained)]
    for axes, place, (across, up) in zip(grid[0], (0, 1), (names, ["t-SNE 1", "t-SNE 2"]), strict=True):
        for i, (name, planes) in enumerate(by_class.items()):
            points = planes[place]
            draw_cloud(axes, points[:, 0], points[:, 1], PALETTE[i % len(PALETTE)], name)
        axes.set_xlabel(across, fontsize=10.5, color=INK)
        axes.set_ylabel(up, fontsize=10.5, color=INK)
        style(axes)
    legend(figure, grid[0])
    return figure
