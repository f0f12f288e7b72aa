"""A plot as part of the page: an SVG drawing whose text stays text and whose trials can be told apart."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jetbench.report.study.marks import marked

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["inline_svg"]

POINTS, PIXELS = 72, 96 / 72  # per inch, the unit of a drawing's size; and of a page per point


def inline_svg(figure: Figure, name: str, alt: str, told: Mapping[int, str]) -> str:
    """Return the figure as an `<svg>` element that scales with the page; the same figure gives the same text.

    `name` sets its inner names apart from those of other drawings on the page, `alt` says what it shows, `told` what each trial
    is, by number.
    """
    import matplotlib
    from markupsafe import Markup, escape
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)
    text = buffer.getvalue()
    inside = marked(text[text.index("<svg") :].split(">", 1)[1], told)
    inside = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{name}-", inside)
    width, height = (POINTS * inch for inch in figure.get_size_inches())
    size = f'viewBox="0 0 {width:g} {height:g}" style="max-width: {PIXELS * width:.0f}px"'
    return Markup(f'<svg role="img" aria-label="{escape(alt)}" {size}>' + inside)
