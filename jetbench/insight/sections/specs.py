"""What differs between the specs of the runs that are shown, as `jetbench diff` lists it."""

from __future__ import annotations

from jetbench.insight.agreement import seed_pairs
from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.suites.difference import chain_differences, value_text

__all__ = ["render"]

TEXT = """<p>{{ names|join(" and ") }}: no difference.</p>"""


def render(given: SideBySide) -> SectionContent:
    """Show a table of dotted paths for each subject against the first, of runs of one seed where there are such."""
    body = ""
    for one in given.inspections[1:]:
        names = (given.names[0], one.subject.name)
        pairs = seed_pairs(given.baseline.seeds, one.seeds) or [(given.baseline.shown, one.shown)]
        found = chain_differences(pairs[0][0].run.specs, pairs[0][1].run.specs)
        lines = [Line((path, *(Cell(value_text(value), style="left wrap") for value in values))) for path, *values in found]
        body += table(("", *names), lines, left=names) if lines else fragment(TEXT, names=names)
    return SectionContent("specs", "What differs between their specs", body)
