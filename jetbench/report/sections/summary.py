"""What an answer of many parts comes to, before all of them."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.forest import forest
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import rows
from jetbench.report.summary import MANY, summary

__all__ = ["render"]

BODY = """
<div class="answer">
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
</div>
"""


def render(results: Results) -> SectionContent | None:
    """Show the sentences, and of many primary comparisons their intervals."""
    sentences, found = summary(results), [row for row in rows(results) if row.primary and row.comparison]
    if not sentences:
        return None
    alt = "Difference of every primary arm to its baseline with its interval"
    plots = (forest(results, found, "primaries", alt),) if len(results.primaries) >= MANY and found else ()
    return SectionContent("summary", body=fragment(BODY, sentences=sentences), plots=plots)
