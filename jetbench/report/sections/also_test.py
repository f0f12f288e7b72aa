"""Every arm on the other test sets: what was learnt on one detector's jets, asked of another's."""

from __future__ import annotations

from jetbench.report.also_test import AlsoRow, also_heading, also_lines, also_rows, also_sentences
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, direction, joined, label, mean_errors, mean_limits, number

__all__ = ["render"]

BODY = """
<p>Every arm, trained and chosen as above, scored on {{ names }} as well. None of these jets was trained on, and no rate and no
weights were chosen by them.</p>
{% if lines %}
<ul>
{% for line in lines %}
<li>{{ line }}</li>
{% endfor %}
</ul>
{% endif %}
{{ table }}
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
<p><small>Means over the finished seeds ± error between seeds ± error from the sample of test jets, below them the {{ level }}
interval from both.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    rows, metric = also_rows(results), results.metric
    if not rows:
        return None
    names, better = [also_heading(results, one) for one in results.plan.instance.variations], direction(metric)
    sample = "second test" if len(names) == 1 else "test"
    others = [Cell(label(metric, sample), ", ".join(part for part in (name, better) if part)) for name in names]
    headings: tuple[str | Cell, ...] = ("arm", "seeds", Cell(label(metric), better), *others)
    lines = by_budget([(row.labels, _line(results, row)) for row in rows])
    body = fragment(
        BODY,
        names=joined(names),
        lines=also_lines(results),
        table=table(headings, lines),
        sentences=also_sentences(results),
        level=LEVEL_TEXT,
    )
    return SectionContent("also-test", "On other jets", body)


def _line(results: Results, row: AlsoRow) -> Line:
    metric = results.metric
    means = [
        Cell(number(metric, one.mean), f"{mean_errors(metric, one)} {mean_limits(metric, one)}", "narrow") if one else Cell("–")
        for one in (row.own, *row.there.values())
    ]
    return Line((row.arm, f"{row.seeds}", *means), "muted" if row.muted else "")
