"""The answer to the suite's question, and what else the numbers say."""

from __future__ import annotations

from itertools import zip_longest

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.sentences import answers, remarks

__all__ = ["render"]

BODY = """
{% for text, verdict in answers %}
<div class="answer {{ verdict }}"><p>{{ text }}</p></div>
{% endfor %}
{% if remarks %}
<ul>
{% for remark in remarks %}
<li>{{ remark }}</li>
{% endfor %}
</ul>
{% endif %}
"""


def render(results: Results) -> SectionContent:
    primary = [results.comparisons.get(place) for place in results.primaries]
    verdicts = [str(found.verdict) if found else "none" for found in primary]
    told = list(zip_longest(answers(results), verdicts, fillvalue="none"))
    return SectionContent("answer", body=fragment(BODY, answers=told, remarks=remarks(results)))
