"""What differs between the specs of the runs that are shown, as `jetbench diff` lists it."""

from __future__ import annotations

from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.suites.difference import chain_differences, value_text

__all__ = ["render"]

TEXT = """<p>{{ names|join(" and ") }}: no difference.</p>"""


def render(given: SideBySide) -> SectionContent:
    """Show a table of dotted paths for each subject against the first, of runs of one seed where there are such."""
    body = ""
    for one, pairs in zip(given.inspections[1:], given.pairs, strict=True):
        mine, first = pairs[0] if pairs else (one.shown, given.baseline.shown)
        names = (first.run.name, mine.run.name)
        found = chain_differences(first.run.specs, mine.run.specs)
        lines = [Line((path, *(Cell(value_text(value), style="left wrap") for value in values))) for path, *values in found]
        body += table(("", *names), lines, left=names) if lines else fragment(TEXT, names=names)
    return SectionContent("specs", "What differs between their specs", body)
