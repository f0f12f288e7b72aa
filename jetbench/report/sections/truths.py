"""Planted truths: what must come out whatever the data."""

from __future__ import annotations

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.truths import truths
from jetbench.report.words import count

__all__ = ["render"]

BODY = """
<p>What must come out whatever the data: a violation is the sign of a bug, or of bad luck as rare as the level of the tests
allows.</p>
{{ table }}
"""


def render(results: Results) -> SectionContent | None:
    found = truths(results)
    if not found:
        return None
    lines = [Line((t.claim, count(t.labels), Cell(t.state, style=t.state), Cell(t.text, style="wrap"))) for t in found]
    listed = table(("truth", "labels", "state", "found"), lines, left=("state", "found"))
    return SectionContent("truths", "Planted truths", fragment(BODY, table=listed))
