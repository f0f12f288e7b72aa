"""Cells that are not finished, with the reason."""

from __future__ import annotations

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import table
from jetbench.report.results import NOT_RUN, Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

__all__ = ["render"]


def render(results: Results) -> SectionContent | None:
    lines = [_line(cell, reason) for cell, reason in results.missing.items()]
    body = table(("arm", "labels", "seed", "state", "reason"), lines, left=("state", "reason"))
    return SectionContent("missing", "Missing cells", body) if lines else None


def _line(cell: CellKey, reason: str) -> Line:
    state = "failed" if reason != NOT_RUN else "not finished"
    return Line((cell.arm, count(cell.labels), f"{cell.seed}", state, Cell(reason, style="wrap")))
