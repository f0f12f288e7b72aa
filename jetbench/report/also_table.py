"""The arms on the other test sets, and what they lose there, as tables in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.report.also_test import AlsoRow, also_heading, also_rows
from jetbench.report.losses import STURDY, loss_table
from jetbench.report.results import Results
from jetbench.report.rows import baseline_text, places
from jetbench.report.words import brief_difference, count, differences_of, label, mean_errors, number, signed

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["also_table", "losses_table"]


def also_table(results: Results) -> Table | None:
    """Make the table; None where the suite has no other test set."""
    from rich.table import Table
    from rich.text import Text

    if not (rows := also_rows(results)):
        return None
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    made.add_column("arm", overflow="fold")
    made.add_column("labels", justify="right")
    made.add_column("n", justify="right")
    made.add_column(label(results.metric), no_wrap=True)
    for one in results.plan.instance.variations:
        made.add_column(f"on {also_heading(results, one)}", no_wrap=True)
    for row in rows:
        made.add_row(Text(row.arm, style="dim" if row.muted else ""), count(row.labels), f"{row.seeds}", *_numbers(results, row))
    return made


def _numbers(results: Results, row: AlsoRow) -> list[Text]:
    from rich.text import Text

    metric = results.metric
    means = [f"{number(metric, one.mean)} {mean_errors(metric, one)}" if one else "–" for one in (row.own, *row.there.values())]
    return [Text(text) for text in means]


def losses_table(results: Results) -> Table | None:
    """Make a table with a row for each arm on each other test set: what it loses, and that minus what its baseline loses."""
    from rich.table import Table
    from rich.text import Text

    metric, found = results.metric, loss_table(results)
    if not found.losses:
        return None
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("test set", "labels", "arm", f"loss of {metric.name}", f"minus {baseline_text(results)}", "verdict"):
        made.add_column(heading, justify="right" if heading == "labels" else "left", no_wrap=heading != "arm")
    for one in results.plan.instance.variations:
        for arm, labels in places(results):
            if (loss := found.losses.get((arm, labels, one.name))) is None:
                continue
            compared = found.differences.get((arm, labels, one.name))
            cells = [also_heading(results, one), count(labels), arm, f"{signed(metric, loss.mean)} {mean_errors(metric, loss)}"]
            cells += [brief_difference(differences_of(metric), compared), STURDY[compared.verdict]] if compared else ["", ""]
            made.add_row(*(Text(cell) for cell in cells))
    return made
