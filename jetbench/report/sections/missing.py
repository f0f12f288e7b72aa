"""Cells that are not finished, with the reason."""

from __future__ import annotations

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import table
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

__all__ = ["render"]


def render(results: Results) -> SectionContent | None:
    lines = [_line(results, cell, reason) for cell, reason in results.missing.items()]
    body = table(("arm", "labels", "seed", "state", "reason"), lines, left=("state", "reason"))
    return SectionContent("missing", "Missing cells", body) if lines else None


def _line(results: Results, cell: CellKey, reason: str) -> Line:
    failed = results.ledger.failure(results.plan.cells[cell]) is not None
    state = "failed" if failed else "not finished"
    return Line((cell.arm, count(cell.labels), f"{cell.seed}", state, Cell(reason, style="wrap")))
