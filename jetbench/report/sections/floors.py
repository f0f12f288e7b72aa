"""Every arm that is compared against each floor, with the paired difference and what follows from it."""

from __future__ import annotations

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.floors import FLOOR_WORDS
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, brief_difference, spoilt_by
from jetbench.statistics.comparison import Comparison
from jetbench.tasks.task import Metric

__all__ = ["render"]

BODY = """
{{ table }}
<p><small>{{ metric }} of the arm minus that of the floor with the {{ level }} interval, paired by seeds and test jets; all
corrected by Holm for their number.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    if not results.clearings:
        return None
    floors = list(dict.fromkeys(floor for _, floor, _ in results.clearings))
    places = dict.fromkeys((labels, arm) for arm, _, labels in results.clearings)
    lines = [
        (labels, Line((arm, *(_cell(results.metric, results.clearings.get((arm, floor, labels))) for floor in floors))))
        for labels, arm in places
    ]
    shown = table(("arm", *floors), by_budget(lines))
    return SectionContent(
        "floors", "Against the floors", fragment(BODY, table=shown, metric=results.metric.name, level=LEVEL_TEXT)
    )


def _cell(metric: Metric, found: Comparison | None) -> Cell:
    """A dash where the floor has no seed at the budget."""
    if found is None:
        return Cell("–")
    return Cell(brief_difference(metric, found), " ".join(filter(None, (FLOOR_WORDS[found.verdict], spoilt_by(found)))))
