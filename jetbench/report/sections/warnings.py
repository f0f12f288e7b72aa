"""What should make a reader doubt, in a box."""

from __future__ import annotations

from jetbench.report.content import SectionContent
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.warnings import LOUD, warnings

__all__ = ["render"]

BODY = """
<div class="warnings">
<h3>To know before you quote this</h3>
<ul>
{% for warning in warnings %}
<li{% if warning.startswith(loud) %} class="violated"{% endif %}>{{ warning }}</li>
{% endfor %}
</ul>
</div>
"""


def render(results: Results) -> SectionContent | None:
    found = warnings(results)
    return SectionContent("warnings", body=fragment(BODY, warnings=found, loud=LOUD)) if found else None
