"""What the network looks at: integrated gradients and Grad-CAM, averaged over the jets of each class and for typical ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from jetbench.evaluation.plots import INK
from jetbench.insight.attributions import COMPLETE
from jetbench.insight.drawing import SMALL, draw_grid, draw_map, label_plane, panels
from jetbench.insight.frames import average_map, pictures
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.gallery import draw, gallery, told
from jetbench.jets import Grid
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count, joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Averages", "draw_averages", "render"]

NONE = "<p>There are no maps: {{ reason }}.</p>"
TEXT = """<p>Integrated gradients share out the difference between the score of a jet and that of a reference,
{{ reference }}, among {{ parts }}; over these jets the shares miss it by {{ gap }} % of its mean size, {{ judged }}.
So blue raises the score above that of the reference, and orange lowers it.{{ probability }}{{ cams }}</p>
{{ table }}"""
SMALL_GAP = "which is small: no more than the {:.0f} % that {} ask for"
LARGE_GAP = "which is more than the {:.0f} % that {} ask for: the maps show where, and not how much"
ASKED = "Sundararajan et al. (arXiv:1703.01365, section 5)"
REFERENCES = ("the mean image of the test jets", "a jet of as many average deposits")
PARTS = ("the pixels", "the constituents")
PROBABILITY = " The reference itself is given a probability of {:.2g} of being {}: colours are no verdict on the class of a jet."
CAMS = " Grad-CAM has no reference: it shows where the channels of {} are active that speak for the score, or against it."
HEADINGS = ("jets of", "score", "of the reference", "of these jets, mean", "difference")


@dataclass(frozen=True, eq=False)
class Averages:
    """Means over the jets of each group, by its name: pT, integrated gradients with their sign and by their size, Grad-CAM; each
    (rows, columns) of a frame. `score` says by group what is explained."""

    frame: Grid
    unit: str
    pictures: dict[str, np.ndarray]
    maps: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    cams: dict[str, np.ndarray]
    score: dict[str, str]


def render(inspection: Inspection) -> SectionContent | None:
    """Show maps where there is a network and its jets; say else why there are none, and nothing where the page says so before."""
    if inspection.no_maps:
        told = "" if inspection.no_jets or not inspection.shown.tested else fragment(NONE, reason=inspection.no_maps)
        return SectionContent("attributions", "What the network looks at", told) if told else None
    found, name = inspection.explanations, inspection.explainer.name
    sets = int(name != "image")
    jets = joined([f"{count(len(one.maps))} of {inspection.groups[k]}" for k, one in found.items()])
    gap = max(one.gap for one in found.values())
    body = fragment(
        TEXT,
        reference=REFERENCES[sets],
        parts=PARTS[sets],
        gap=f"{100 * gap:.1f}",
        judged=(SMALL_GAP if gap <= COMPLETE else LARGE_GAP).format(100 * COMPLETE, ASKED),
        probability=_probability(inspection),
        table=_scores(inspection),
        cams="" if sets else CAMS.format(inspection.explainer.cam_layer),
    )
    plots = [
        Plot(
            "attributions_mean",
            "Attributions averaged over the jets of each class",
            f"Means over test jets: {jets}. Signs cancel where some jets have deposits that speak for the score and others such "
            "that speak against it; the mean size shows where anything counts.",
            draw_averages,
            (_averages(inspection), inspection.simulated),
        )
    ]
    for k, rows in inspection.typical.items():
        plots.append(_single(inspection, k, rows))
    return SectionContent("attributions", "What the network looks at", body, tuple(plots))


def _probability(inspection: Inspection) -> str:
    """What a classifier of two classes makes of the reference; empty for any other network."""
    if inspection.regression or len(inspection.meta.class_names) > 2:
        return ""
    start = float(np.mean([one.starts.mean() for one in inspection.explanations.values()]))
    return PROBABILITY.format(expit(start), inspection.meta.class_names[1])


def _scores(inspection: Inspection) -> str:
    """The table of the scores that are explained: of the reference, and the mean of the jets of each group."""
    lines = []
    for k, one in inspection.explanations.items():
        own, start = float(one.scores.mean()), float(one.starts.mean())
        texts = [text.replace("-", "−") for text in (f"{start:.2f}", f"{own:.2f}", f"{own - start:+.2f}")]
        lines.append(Line((inspection.groups[k], inspection.score_text(k), *texts)))
    return table(HEADINGS, lines, left=HEADINGS[1:2])


def _averages(inspection: Inspection) -> Averages:
    frame, groups = inspection.frame, inspection.groups
    found = Averages(frame, pictures(inspection.explanations[min(groups)].batch, frame)[1], {}, {}, {}, {}, {})
    for k, one in inspection.explanations.items():
        name = groups[k]
        found.pictures[name] = pictures(one.batch, frame)[0].mean(axis=0)
        found.maps[name] = average_map(one.maps, one.places, frame)
        found.sizes[name] = average_map(np.abs(one.maps), one.places, frame)
        found.score[name] = inspection.score_text(k)
        if one.cams is not None:
            found.cams[name] = one.cams.mean(axis=0)
    return found


def _single(inspection: Inspection, group: int, rows: np.ndarray) -> Plot:
    """Jets whose scores lie in the middle of their group."""
    name = inspection.groups[group]
    test_rows, truth, predicted = (column[inspection.shown.sample[rows]] for column in inspection.shown.scores)
    if inspection.regression:
        texts = [f"true {wanted:.0f}, predicted {value:.0f}" for wanted, value in zip(truth, predicted, strict=True)]
        typical = f"the sizes of their residuals lie in the middle of the class; {inspection.shown.task.column} in GeV"
    else:
        texts = [f"row {row}: {_score(value)}" for row, value in zip(test_rows, predicted, strict=True)]
        typical = f"their scores lie in the middle of the class; above each is {_named(inspection)}"
    shown = gallery(inspection, inspection.shown.jets.take(rows), group, texts)
    caption = f"Typical jets of {name}: {typical}. {told(shown)}"
    return Plot(f"attributions_{group}", f"Attributions of typical jets of {name}", caption, draw, (shown, inspection.simulated))


def _named(inspection: Inspection) -> str:
    names = inspection.meta.class_names
    return f"its probability of {names[1]}" if len(names) == 2 else "the most probable class with its probability"


def _score(value: Any) -> str:
    """A prediction in short: a number, or the largest of the probabilities with its class."""
    values: Sequence[float] = np.atleast_1d(value).tolist()
    return f"{values[0]:.3g}" if len(values) == 1 else f"class {int(np.argmax(values))}: {max(values):.2f}"


def draw_averages(found: Averages, simulated: bool) -> Figure:
    """Draw a row for each group: mean picture, mean attribution, its mean size, mean Grad-CAM."""
    titles = [f"mean {found.unit}", "integrated gradients", "their mean size", *(["Grad-CAM"] if found.cams else [])]
    figure, grid = panels(len(found.pictures), len(titles), simulated, width=2.6, height=2.3)
    for row, name in enumerate(found.pictures):
        top = row == 0
        drawn = [
            draw_grid(grid[row, 0], found.pictures[name], found.frame, titles[0] if top else ""),
            draw_map(grid[row, 1], found.maps[name], found.frame, True, titles[1] if top else ""),
            draw_map(grid[row, 2], found.sizes[name], found.frame, False, titles[2] if top else ""),
        ]
        if found.cams:
            drawn.append(draw_map(grid[row, 3], found.cams[name], found.frame, True, titles[3] if top else ""))
        for axes, one, unit in zip(grid[row], drawn, ["", *[found.score[name]] * 3], strict=False):
            bar = figure.colorbar(one, ax=axes, shrink=0.8, aspect=18, pad=0.02)
            bar.ax.tick_params(labelsize=SMALL - 3)
            bar.set_label(unit, fontsize=SMALL - 3, color=INK)
    label_plane(grid)
    for axes, name in zip(grid[:, 0], found.pictures, strict=True):
        axes.set_ylabel(f"{name}\n$\\Delta\\eta$", fontsize=SMALL, color=INK)
    return figure
