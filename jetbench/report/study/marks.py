"""Which part of a drawing is which trial: names that a drawing carries, and what the page makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jetbench.suites.trials import Trial

__all__ = ["attributes", "mark", "marked"]

MARK = re.compile(r'<g id="trial:(\d+):(\w+):(\d*)">')


def mark(trial: Trial, rank: int | None) -> str:
    """Return the name of what is drawn of a trial, with its state, and its rank where it was trained to its end."""
    return f"trial:{trial.number}:{trial.state}:{'' if rank is None else rank}"


def attributes(number: int | str, state: str, rank: int | str | None) -> str:
    """Return the attributes that tell the page's script of which trial an element is."""
    return f'class="trial" data-trial="{number}" data-state="{state}" data-rank="{"" if rank is None else rank}"'


def marked(svg: str, told: Mapping[int, str]) -> str:
    """Return the drawing with what is named by `mark` turned into elements with `attributes`, which tell the text of their trial
    to whoever points at them."""
    from markupsafe import escape

    def element(found: re.Match[str]) -> str:
        number, state, rank = found.groups()
        return f"<g {attributes(number, state, rank)}><title>{escape(told.get(int(number), ''))}</title>"

    return MARK.sub(element, svg)
