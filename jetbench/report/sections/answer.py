"""The answer to the suite's question, and what else the numbers say."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.gains import gain_differences
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.sentences import details, remarks
from jetbench.report.verdicts import verdicts

__all__ = ["render"]

BODY = """
{% for sentence, lines, verdict in answers %}
<div class="answer {{ verdict }}"><p>{{ sentence }}</p>
{% if lines %}
<ul>
{% for line in lines %}
<li>{{ line }}</li>
{% endfor %}
</ul>
{% endif %}
</div>
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
    found = [*(str(one.verdict) if one else "none" for one in primary), *("none" for _ in gain_differences(results))]
    told = list(zip(verdicts(results), details(results), found, strict=True))
    return SectionContent("answer", body=fragment(BODY, answers=told, remarks=remarks(results)))
