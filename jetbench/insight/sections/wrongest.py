"""Error analysis: the jets of each class that a classifier is most wrong about, with picture, observables and score."""

from __future__ import annotations

import numpy as np

from jetbench.evaluation.likelihood import likelihood
from jetbench.evaluation.wrongest import wrongest
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.gallery import draw, gallery, observed, told
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count

__all__ = ["render"]

MOST = 5  # jets of a class
TEXT = """<p>Of the {{ jets|count }} test jets {{ wrong|count }} are given less probability of their true class than of another.
Below are the jets of each class that are given the least.</p>"""
CAPTION = "The {n} wrongest jets of the class {name}, the wrongest first, each with the probability of its class. {panels}"


def render(inspection: Inspection) -> SectionContent | None:
    """Show them for every class; nothing for a regression or a pretraining."""
    if inspection.regression or not inspection.shown.tested:
        return None
    rows, truth, scores = inspection.shown.scores
    names = inspection.meta.class_names
    found, own = wrongest(inspection.shown.task.losses(truth, scores), MOST, truth), likelihood(truth, scores)
    body = fragment(TEXT, jets=len(truth), wrong=_wrong(own, scores))
    plots: list[Plot] = []
    if inspection.no_jets:
        lines = [
            Line((names[label], count(int(rows[k])), f"{own[k]:.4f}")) for label, places in found.items() for k in places.tolist()
        ]
        return SectionContent("wrongest", "The wrongest jets", body + table(("true class", "row", "its probability"), lines))
    lines, headings = [], list[str]()
    for label, places in found.items():
        jets = inspection.shown.jets_at(places)
        headings, cells = observed(jets)
        for k, cell in zip(places.tolist(), cells, strict=True):
            lines.append(Line((names[label], count(int(rows[k])), f"{own[k]:.4f}", *cell)))
        texts = [f"row {rows[k]}: {own[k]:.3f}" for k in places.tolist()]
        shown = gallery(inspection, jets, label, texts)
        caption = CAPTION.format(n=len(places), name=names[label], panels=told(shown))
        plots.append(
            Plot(f"wrongest_{label}", f"Wrongest jets of class {names[label]}", caption, draw, (shown, inspection.simulated))
        )
    body += table(("true class", "row", "its probability", *headings), lines)
    return SectionContent("wrongest", "The wrongest jets", body, tuple(plots))


def _wrong(own: np.ndarray, scores: np.ndarray) -> int:
    """How many jets are given less probability of their own class than of another."""
    return int((own < (0.5 if scores.ndim == 1 else scores.max(axis=1))).sum())
