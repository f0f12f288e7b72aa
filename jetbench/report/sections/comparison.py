"""The comparison as a table: every arm at every budget, its difference to the baseline, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from jetbench.report.content import Cell, Column, Line, SectionContent
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.pool_size import pool_names
from jetbench.report.published_beside import label_lines
from jetbench.report.results import Results
from jetbench.report.rows import Row, baseline_text, rows
from jetbench.report.rules import verdict_rules
from jetbench.report.sections import columns_of
from jetbench.report.words import (
    LEVEL_TEXT,
    capital,
    difference_errors,
    difference_limits,
    direction,
    label,
    mean_errors,
    mean_limits,
    number,
    verdict_lines,
)
from jetbench.suites.roles import Role

__all__ = ["render"]

BODY = """
{{ table }}
<p><small>Means over the finished seeds. {{ label }}: mean ± error between seeds ± error from the test sample, below it the
{{ level }} interval from both; ±? stands for one seed or encoder, which has no such error.
{% for legend in legends %}
{{ legend }}
{% endfor %}
Difference: the same of the differences, paired by seeds and test jets.
{% for rule in rules %}
{{ rule }}
{% endfor %}
</small></p>
{% for sentence in published %}
<p>{{ sentence }}</p>
{% endfor %}
"""


def render(results: Results) -> SectionContent:
    metric, added = results.metric, columns_of(results)
    columns = [column for part in added for column in part.columns]
    beside, others = ([column for column in columns if column.beside == wanted] for wanted in (True, False))
    headings: tuple[str | Cell, ...] = (
        "arm",
        "seeds",
        Cell(label(metric), direction(metric)),
        *(column.heading for column in beside),
        f"{metric.name} minus {baseline_text(results)}",
        "verdict",
        *(column.heading for column in others),
    )
    pools = pool_names(results)
    lines = by_budget([(row.labels, _line(results, row, beside, others, pools.get(row.arm, ""))) for row in rows(results)])
    body = fragment(
        BODY,
        table=table(headings, lines, left=("verdict",)),
        label=capital(label(metric)),
        level=LEVEL_TEXT,
        rules=[f"{capital(rule)}." for rule in verdict_rules(results)],
        legends=[part.legend for part in added if part.legend],
        published=label_lines(results),
    )
    return SectionContent("comparison", "The honest comparison" if results.plan.faults else "The comparison", body)


def _line(results: Results, row: Row, beside: Sequence[Column], others: Sequence[Column], pool: str) -> Line:
    metric, mean, place = results.metric, row.headline, (row.arm, row.labels)
    cells = (
        Cell(row.arm, pool if row.role in (Role.BASELINE, Role.RIVAL) else str(row.role)),
        f"{row.seeds}" if row.seeds == row.planned else f"{row.seeds} of {row.planned}",
        Cell(f"{number(metric, mean.mean)} {mean_errors(metric, mean)}", mean_limits(metric, mean)) if mean else "–",
        *(column.cells[place] for column in beside),
        *_verdict(results, row),
        *(column.cells[place] for column in others),
    )
    return Line(cells, "primary" if row.primary else "muted" if row.muted else "")


def _verdict(results: Results, row: Row) -> tuple[Cell, Cell]:
    """The difference to the baseline with its errors, and what follows from it."""
    metric, found = results.metric, row.comparison
    if found is None:
        return Cell(""), Cell("baseline" if row.role is Role.BASELINE else "no partner yet" if row.seeds else "missing")
    verdict, *need = verdict_lines(found, row.primary)
    below = difference_limits(metric, found)
    if found.pooled:
        below += f" all: {difference_limits(metric, found.pooled)}"
    difference = Cell(difference_errors(metric, found), below)
    return difference, Cell(verdict, " ".join(need), f"verdict {found.verdict}")
