"""Every arm's difference to its baseline with its interval, budget by budget."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.forest import forest
from jetbench.report.results import Results
from jetbench.report.rows import rows

__all__ = ["render"]


def render(results: Results) -> SectionContent | None:
    found = [row for row in rows(results) if row.comparison]
    plots = (forest(results, found, "differences", "Difference of every arm to its baseline with its interval"),)
    return SectionContent("differences", plots=plots) if found else None
