"""What the jets at hand do not allow, and why."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results

__all__ = ["render"]

BODY = """
<p>Left out of the suite; an augmentation is left out for all arms alike.</p>
<ul>
{% for line in lines %}
<li>{{ line }}</li>
{% endfor %}
</ul>
"""


def render(results: Results) -> SectionContent | None:
    lines = results.plan.skipped_lines()
    return SectionContent("skipped", "What these jets do not allow", fragment(BODY, lines=lines)) if lines else None
