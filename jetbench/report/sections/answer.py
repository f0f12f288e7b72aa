"""The answer to the suite's question, and what else the numbers say."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.sentences import answer, remarks

__all__ = ["render"]

BODY = """
<div class="answer {{ verdict }}"><p>{{ answer }}</p></div>
{% if remarks %}
<ul>
{% for remark in remarks %}
<li>{{ remark }}</li>
{% endfor %}
</ul>
{% endif %}
"""


def render(results: Results) -> SectionContent:
    primary = results.comparisons.get(results.primary)
    verdict = str(primary.verdict) if primary else "none"
    return SectionContent("answer", body=fragment(BODY, verdict=verdict, answer=answer(results), remarks=remarks(results)))
