"""The arms on the second test set as a table in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.report.also_test import AlsoRow, also_label, also_rows
from jetbench.report.results import Results
from jetbench.report.words import count, label, mean_errors, number

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

__all__ = ["also_table"]


def also_table(results: Results) -> Table | None:
    """Make the table; None where the suite has no second test set."""
    from rich.table import Table
    from rich.text import Text

    if not (rows := also_rows(results)):
        return None
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    made.add_column("arm", overflow="fold")
    made.add_column("labels", justify="right")
    made.add_column("n", justify="right")
    made.add_column(label(results.metric), no_wrap=True)
    made.add_column(f"on {also_label(results)}", no_wrap=True)
    for row in rows:
        made.add_row(Text(row.arm, style="dim" if row.muted else ""), count(row.labels), f"{row.seeds}", *_numbers(results, row))
    return made


def _numbers(results: Results, row: AlsoRow) -> list[Text]:
    from rich.text import Text

    metric = results.metric
    means = [f"{number(metric, one.mean)} {mean_errors(metric, one)}" if one else "–" for one in (row.own, row.there)]
    return [Text(text) for text in means]
