"""What each fault does as a table in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.report.fault_words import fault_lines
from jetbench.report.results import Results

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["faults_table"]

HEADINGS = ("fault", "arm", "honest", "faulty", "verdict", "what moved", "interval", "as expected")


def faults_table(results: Results) -> Table | None:
    """Make the table; None for a suite without faults."""
    from rich.table import Table
    from rich.text import Text

    if not (lines := list(fault_lines(results))):
        return None
    made = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        made.add_column(heading, overflow="fold", no_wrap=heading in ("honest", "faulty"))
    before = ""
    for line in lines:
        cells = (
            "" if line["fault"] == before else line["fault"],
            line["arm"],
            f"{line['honest']}\n{line['honest verdict']}",
            f"{line['faulty']}\n{line['faulty verdict']}",
            line["verdict"],
            line["what moved"],
            line["interval"],
            f"{line['as expected']}\n({line['expected']})",
        )
        made.add_row(*(Text(cell) for cell in cells), style="bold" if _changed(line["verdict"]) else "")
        before = line["fault"]
    return made


def _changed(verdict: str) -> bool:
    return verdict not in ("same verdict", "not run yet")
