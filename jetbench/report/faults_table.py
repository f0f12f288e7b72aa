"""What each fault does as a table in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.report.faults import fault_lines
from jetbench.report.results import Results

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["faults_table"]


def faults_table(results: Results) -> Table | None:
    """Make the table; None for a suite without faults."""
    from rich.table import Table
    from rich.text import Text

    if not (lines := list(fault_lines(results))):
        return None
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in ("fault", "arm", "honest", "faulty", "changed"):
        made.add_column(heading, overflow="fold")
    for line in lines:
        cells = (
            line["fault"],
            line["comparison"].split(" ", 1)[0],
            f"{line['honest']}\n{line['honest verdict']}",
            f"{line['faulty']}\n{line['faulty verdict']}",
            line["how"].split(";", 1)[0],
        )
        made.add_row(*(Text(cell) for cell in cells), style="bold" if line["changed"] == "yes" else "")
    return made
