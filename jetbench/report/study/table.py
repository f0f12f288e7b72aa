"""The trials of a search as a table, in a terminal and on the page; above it the rule by which one of them is selected."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jetbench.report.markup import fragment
from jetbench.report.study.marks import attributes
from jetbench.report.study.names import aim_name, parameter_name, plain_number, value_text
from jetbench.report.study.ranking import finished, ranks
from jetbench.report.study.spent import Spent, ended, spent, states_text
from jetbench.report.words import count
from jetbench.statistics.rounding import with_error
from jetbench.suites.trials import Searching, Trial
from jetbench.suites.winner import selection_rule

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["headings", "print_trials", "rows", "trials_table"]

HEADING = 16  # characters in a line of a column's name in the terminal
TABLE = """
<p>Selection: {{ rule }}.</p>
<div class="scroll trials"><table>
<thead><tr>
{% for heading in headings %}
<th>{{ heading }}</th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in rows %}
<tr {{ row.attributes }}{% if row.style %} style="{{ row.style }}"{% endif %}>
{% for cell in row.cells %}
<td>{{ cell }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
<tfoot><tr>
{% for cell in total %}
<td><strong>{{ cell }}</strong></td>
{% endfor %}
</tr></tfoot>
</table></div>
{% if lead %}
<p>{{ lead }}</p>
{% endif %}
<p><small>{{ legend }}</small></p>
"""
LEGEND = (
    "A pass is one jet through the network, those of every seed of a trial are added up. Trials that were pruned, diverged or "
    "failed have spent what they have spent."
)
PRETRAINED = (
    " Unlabelled passes are those of pretraining; a trial that changes nothing of it takes over the encoder of one before it and "
    "spends none."
)
"""What stands below the table."""


@dataclass(frozen=True)
class Row:
    """A trial's line: its cells, and whether it is the selected one or one that was not trained to its end."""

    trial: Trial
    rank: int | None
    cells: tuple[str, ...]
    chosen: bool

    @property
    def muted(self) -> bool:
        return self.trial.state != "complete"


def headings(searching: Searching) -> list[str]:
    """Name the columns of the table."""
    study = searching.study
    names = [*map(parameter_name, study.searched), *map(aim_name, study.aims)]
    return ["trial", *names, "rank", "state", "labelled passes", "unlabelled passes", "seconds"]


def rows(searching: Searching) -> Iterator[Row]:
    """Yield the lines of the table in the order of the trials' numbers."""
    rank = ranks(searching)
    for trial in searching.trials:
        chosen = trial.number == searching.winner or trial.number in searching.front
        place = rank.get(trial.number)
        values = [value_text(trial.values[one.path]) for one in searching.study.searched]
        scores = [plain_number(score) for score in trial.scores] or ["–"] * len(searching.study.aims)
        marked = f"{trial.number} *" if chosen else f"{trial.number}"
        cells = (marked, *values, *scores, f"{place or '–'}", trial.state, *_costs(spent([trial])))
        yield Row(trial, place, cells, chosen)


def _costs(one: Spent) -> tuple[str, str, str]:
    seconds = f"{one.seconds:.0f}" if one.seconds >= 10 else f"{one.seconds:.2g}"
    return count(round(one.labelled)), count(round(one.unlabelled)), seconds


def _total(searching: Searching) -> list[str]:
    """What the study has spent in all."""
    blank = [""] * (len(searching.study.searched) + len(searching.study.aims) + 2)
    return ["all", *blank, *_costs(spent(ended(searching)))]


def legend(searching: Searching) -> str:
    """Say what the columns of the table mean, and how its trials ended."""
    found = spent(ended(searching))
    pretrained = f" {count(found.pretrained, 'trial')} trained an encoder of their own." if found.pretrained else ""
    chosen = "on the Pareto front" if len(searching.study.aims) > 1 else "selected"
    return f"{states_text(searching)}. * {chosen}. {LEGEND}{PRETRAINED if found.pretrained else ''}{pretrained}"


def lead_text(searching: Searching) -> str:
    """Say how far the selected trial is ahead of the recipe's own values, and which others it is not ahead of; empty where none
    is selected."""
    if searching.lead is None:
        return ""
    gain, level = searching.lead.gain, len(searching.lead.level)
    told = f"Within one standard error of it (paired, jet by jet): {count(level, 'other trial')}."
    if gain is None:
        return told
    best = f"by {with_error(*gain)} in the validation loss, as the best of {len(finished(searching))}"
    return f"The selected trial is ahead of the recipe's own values {best}. {told}"


def trials_table(searching: Searching) -> str:
    """Return the HTML of the table, with the rule above it; its lines can be told apart by `marks.attributes`."""
    from markupsafe import Markup

    lines = [
        {
            "attributes": Markup(attributes(row.trial.number, row.trial.state, row.rank)),
            "style": "background: #fdf6e8" if row.chosen else "color: #5b6167" if row.muted else "",
            "cells": row.cells,
        }
        for row in rows(searching)
    ]
    return fragment(
        TABLE,
        rule=selection_rule(searching.study),
        headings=headings(searching),
        rows=lines,
        total=_total(searching),
        lead=lead_text(searching),
        legend=legend(searching),
    )


def print_trials(searching: Searching, console: Console) -> None:
    """Print the table with its rule above it; where the output is no terminal, without colours and never wrapped."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for heading in headings(searching):
        table.add_column(textwrap.fill(heading, HEADING), justify="left" if heading in ("trial", "state") else "right")
    for row in rows(searching):
        look = "bold" if row.chosen else "dim" if row.muted else ""
        table.add_row(*(Text(cell, style=look) for cell in row.cells))
    table.add_section()
    table.add_row(*(Text(cell, style="bold") for cell in _total(searching)))
    lines = [searching.name, f"Selection: {selection_rule(searching.study)}."]
    width = console.width
    if not console.is_terminal:
        console.width = max(width, console.measure(table).maximum, *map(len, [*lines, lead_text(searching), legend(searching)]))
    try:
        for text, look in zip(lines, ("bold", "dim"), strict=True):
            console.print(text, style=look, highlight=False, markup=False)
        console.print(table)
        if lead := lead_text(searching):
            console.print(lead, highlight=False, markup=False)
        console.print(legend(searching), style="dim", highlight=False, markup=False)
    finally:
        console.width = width
