"""HTML of the report: fragments are templates that escape what they are given."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from jetbench.report import words
from jetbench.report.content import Cell, Line

__all__ = ["by_budget", "fragment", "table", "warnings_box"]

TABLE = """
{% macro content(cell) %}
{{ cell.text }}{% if cell.under %}<span class="under">{{ cell.under }}</span>{% endif %}
{% endmacro %}
{% macro style(names) %}
{% if names %} class="{{ names }}"{% endif %}
{% endmacro %}
<div class="scroll"><table>
<thead><tr>
{% for cell in headings %}
<th{{ style(cell.style) }}>{{ content(cell) }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for names, cells, span in lines %}
<tr{{ style(names) }}>
{% for cell in cells %}
<td{{ style(cell.style) }}{% if loop.last and span > 1 %} colspan="{{ span }}"{% endif %}>{{ content(cell) }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table></div>
"""
BOX = """
<div class="warnings">
<h3>To know before you quote this</h3>
<ul>
{% for warning in warnings %}
<li{% if loud and warning.startswith(loud) %} class="violated"{% endif %}>{{ warning }}</li>
{% endfor %}
</ul>
</div>
"""


def fragment(template: str, **values: Any) -> str:
    """Return the HTML that a jinja template gives; values are escaped, but for those that are `fragment`s themselves. The filter
    `count` writes whole numbers."""
    from markupsafe import Markup

    return Markup(_environment().from_string(template).render(values))


def table(headings: Sequence[str | Cell], lines: Iterable[Line], left: Collection[str] = ()) -> str:
    """Return the HTML of a table; columns hold numbers and stand at the right, but for the first and those named by `left`."""
    places = [place for place, one in enumerate(headings) if (one if isinstance(one, str) else one.text) in left]
    rows = [(line.style, _cells(line.cells, places), len(headings) - len(line.cells) + 1) for line in lines]
    return fragment(TABLE, headings=_cells(headings, places), lines=rows)


def warnings_box(warnings: Sequence[str], loud: str = "") -> str:
    """Return the HTML of a box with warnings, of which those that begin with `loud` stand out."""
    return fragment(BOX, warnings=warnings, loud=loud)


def by_budget(lines: Iterable[tuple[int, Line]]) -> list[Line]:
    """Return the lines in the order of their label budgets, with a line that names it before those of each budget."""
    found: list[Line] = []
    for labels, some in groupby(lines, key=itemgetter(0)):
        found += [Line((f"{words.count(labels)} labels",), "budget"), *(line for _, line in some)]
    return found


def _cells(given: Sequence[str | Cell], left: Collection[int]) -> list[Cell]:
    cells = [Cell(one) if isinstance(one, str) else one for one in given]
    return [replace(cell, style=f"left {cell.style}".rstrip()) if i in left else cell for i, cell in enumerate(cells)]


@cache
def _environment() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["count"] = words.count
    return environment
