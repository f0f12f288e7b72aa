"""Columns R_x: the background rejection 1/ε_B of two classes where x % of the signal is kept."""

from __future__ import annotations

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.rejections import SeedRejection, seed_rejection
from jetbench.report.results import Results
from jetbench.report.rows import places

__all__ = ["columns"]

LEGEND = """R<sub>x</sub> = 1/ε<sub>B</sub> at x % signal efficiency, below it the mean number of background jets that are left; a
“&gt;” marks a lower bound, since in some seeds none is left."""


def columns(results: Results) -> Columns:
    """Show the working points of the literature, the largest first; none for many classes, where each signal has its own."""
    if len(results.plan.instance.meta.class_names) > 2:
        return Columns()
    points = sorted(EFFICIENCIES, reverse=True)
    found = {percent: {place: seed_rejection(results, *place, percent) for place in places(results)} for percent in points}
    empty = any(one and one.empty for by_place in found.values() for one in by_place.values())
    return Columns(
        tuple(Column(f"R{x}", {place: _cell(one) for place, one in found[x].items()}, in_terminal=True) for x in points),
        legend=fragment(LEGEND),
        remark=f"{', '.join(f'R{x}' for x in points)}: 1/ε_B at that signal efficiency",
        lines=("R with >: in some seeds no background jet is left, so this is a lower bound",) if empty else (),
    )


def _cell(found: SeedRejection | None) -> Cell:
    return Cell(found.text, found.remark) if found else Cell("–")
