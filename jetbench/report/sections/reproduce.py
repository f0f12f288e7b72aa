"""The command that makes the numbers again, and where they stand in full precision."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.reproduce import command
from jetbench.report.results import Results

__all__ = ["render"]

BODY = """
<pre>{{ command }}</pre>
{% if not exact %}
<p>The suite is not found by this name or path, or has changed since: run this where the file is, with the settings of the
original run.</p>
{% endif %}
<p>Every number of this page stands in <code>results.csv</code>, <code>results.json</code> and <code>comparisons.json</code>
beside it.</p>
"""


def render(results: Results) -> SectionContent:
    line, exact = command(results.plan.instance)
    return SectionContent("reproduce", "How to make this again", fragment(BODY, command=line, exact=exact))
