"""Columns R_x: the background rejection 1/ε_B of two classes where x % of the signal is kept."""

from __future__ import annotations

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.rejections import UNRESOLVED, rejection_limits, rejection_text, seed_rejection
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import LEVEL_TEXT
from jetbench.statistics.mean_rejection import MeanRejection

__all__ = ["columns"]

LEGEND = """R<sub>x</sub> = 1/ε<sub>B</sub> at x % signal efficiency, from the mean ε<sub>B</sub> over seeds, below it its
{{ level }} interval from seeds and test sample. {{ unresolved }}."""


def columns(results: Results) -> Columns:
    """Show the working points of the literature, the largest first; none for many classes, where each signal has its own."""
    if len(results.plan.instance.meta.class_names) > 2:
        return Columns()
    points = sorted(EFFICIENCIES, reverse=True)
    found = {percent: {place: seed_rejection(results, *place, percent) for place in places(results)} for percent in points}
    unresolved = any(one and not one.resolved for by_place in found.values() for one in by_place.values())
    return Columns(
        tuple(Column(f"R{x}", {place: _cell(one) for place, one in found[x].items()}, beside=True) for x in points),
        legend=fragment(LEGEND, unresolved=UNRESOLVED, level=LEVEL_TEXT),
        remark=f"{', '.join(f'R{x}' for x in points)}: 1/ε_B at that signal efficiency",
        lines=(f"R: {UNRESOLVED}",) if unresolved else (),
    )


def _cell(found: MeanRejection | None) -> Cell:
    return Cell(rejection_text(found), rejection_limits(found)) if found else Cell("–")
