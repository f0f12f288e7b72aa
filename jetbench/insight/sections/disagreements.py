"""The jets on which the subjects disagree most, with what each of them makes of it and what its network looks at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.plots import INK
from jetbench.insight.agreement import disagreements, signal_scores
from jetbench.insight.drawing import SMALL, draw_grid, draw_subjets, label_plane, panels
from jetbench.insight.sections.gallery import Gallery, draw_explained, gallery, observed, start_text, together
from jetbench.insight.side_by_side import SideBySide
from jetbench.jets import Jets
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count, joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

MOST = 6  # jets
TEXT = "<p>The jets whose predictions by the runs that are shown lie furthest apart.</p>"
CAPTION = (
    "The same jets side by side: their pT with the three hardest subjets, above it the truth and what {} predict, in this order; "
    "then the integrated gradients of each network of the {}, in the orientation that it sees. Blue speaks for a higher score, "
    "orange for a lower one, each map on its own scale."
)
STARTS = " They count from the scores of the reference, the mean of what each network sees: {}."


def render(given: SideBySide) -> SectionContent:
    """Show them as a table, and where their dataset is there as pictures."""
    places = disagreements(given.predictions, MOST)
    headings, cells = list[str](), [list[str]() for _ in places]
    plots: tuple[Plot, ...] = ()
    if not given.baseline.no_jets:
        jets = given.baseline.shown.jets_at(places)
        headings, cells = observed(jets)
        shown, simulated = _shown(given, jets, places)
        starts = [f"{name} {start_text(one)}" for name, one in shown.items() if one.starts is not None]
        caption = CAPTION.format(joined(list(given.names)), _score(given)) + (STARTS.format(", ".join(starts)) if starts else "")
        plots = (Plot("disagreements", "Jets on which they disagree most", caption, draw, (shown, simulated)),)
    lines = [Line((*_told(given, place), *cell)) for place, cell in zip(places.tolist(), cells, strict=True)]
    truth = f"true {given.baseline.shown.task.column} [GeV]" if given.baseline.regression else "true class"
    body = fragment(TEXT) + table(("row", truth, *given.names, *headings), lines)
    return SectionContent("disagreements", "Where they disagree", body, plots)


def _told(given: SideBySide, place: int) -> tuple[str, ...]:
    """Row, truth and each prediction of a test jet."""
    return (
        count(int(given.scores[0][0][place])),
        _truth(given, place, 1),
        *(_written(given, one[place]) for one in given.predictions),
    )


def _truth(given: SideBySide, place: int, digits: int) -> str:
    return f"{given.truth[place]:.{digits}f}" if given.baseline.regression else given.class_names[int(given.truth[place])]


def _briefly(given: SideBySide, place: int) -> str:
    """What each subject predicts of a test jet, where there is little room: of probabilities that of no background."""
    digits = 0 if given.baseline.regression else 2
    return " · ".join(f"{signal_scores(one[place][None])[0]:.{digits}f}" for one in given.predictions)


def _written(given: SideBySide, value: np.ndarray) -> str:
    if np.ndim(value):
        best = int(np.argmax(value))
        return f"{given.class_names[best]} {value[best]:.3f}"
    return f"{value:.1f}" if given.baseline.regression else f"{value:.4f}"


def _shown(given: SideBySide, jets: Jets, places: np.ndarray) -> tuple[Mapping[str, Gallery], bool]:
    """The jets as each subject with a network looks at them; without any, as they are."""
    texts = [f"{_truth(given, place, 0)}: {_briefly(given, place)}" for place in places.tolist()]
    groups = [0 if given.baseline.regression else int(given.truth[place]) for place in places.tolist()]
    seen = {one.shown.run.name: one for one in given.inspections if not one.no_maps} or {given.names[0]: given.baseline}
    found = {
        name: [gallery(one, jets.take(np.array([i])), group, [texts[i]]) for i, group in enumerate(groups)]
        for name, one in seen.items()
    }
    return {name: together(parts, _score(given)) for name, parts in found.items()}, given.baseline.simulated


def _score(given: SideBySide) -> str:
    """Say what the maps are of: of more than two classes each jet's own has a score."""
    return "score of each jet's true class" if len(given.class_names) > 2 else given.baseline.score_text(1)


def draw(found: Mapping[str, Gallery], simulated: bool) -> Figure:
    """Draw a column for each jet: its picture, then a map of each network."""
    first, explained = next(iter(found.values())), {name: one for name, one in found.items() if one.maps is not None}
    figure, grid = panels(1 + len(explained), len(first.pictures), simulated)
    brightest = float(first.pictures.max(initial=0))
    for k, axes in enumerate(grid[0]):
        drawn = draw_grid(axes, first.pictures[k], first.frame, first.texts[k], brightest)
        draw_subjets(axes, first.subjets[k])
    for line, one in zip(grid[1:], explained.values(), strict=True):
        for k, axes in enumerate(line):
            signed = draw_explained(axes, one, k)
    label_plane(grid)
    for axes, name in zip(grid[:, 0], [first.unit, *explained], strict=True):
        axes.set_ylabel(f"{name}\n$\\Delta\\eta$", fontsize=SMALL - 1, color=INK)
    figure.colorbar(drawn, ax=list(grid[0]), shrink=0.85, aspect=18, pad=0.01)
    if explained:
        bar = figure.colorbar(signed, ax=list(grid[1:].flat), shrink=0.85, aspect=18, pad=0.01, ticks=[])
        bar.set_label("against ← → for", fontsize=SMALL - 2, color=INK)
    return figure
