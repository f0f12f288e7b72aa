"""What the parts of a report are made of: sections of the page, the plots in them, and columns of the comparison's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jetbench.report.fingerprint import fingerprint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cell", "Column", "Columns", "Line", "Plot", "SectionContent"]


@dataclass(frozen=True)
class Plot:
    """A picture that is yet to be drawn: `draw(*given)`, a function of nothing else, so that the same `given` need no second
    drawing. `name` is that of its file, without suffix; `alt` and `caption` are plain text. A `faulty` one shows arms that are
    faulty on purpose, and bears a watermark."""

    name: str
    alt: str
    caption: str
    draw: Callable[..., Figure]
    given: tuple[Any, ...]
    faulty: bool = False

    def digest(self) -> str:
        """Return the sha256 of what decides the picture, the code apart."""
        return fingerprint((f"{self.draw.__module__}.{self.draw.__qualname__}", self.given))


@dataclass(frozen=True)
class SectionContent:
    """One section of the page. Without a title it goes on where the section before it ends. `body` is HTML, made by
    `jetbench.report.markup`; the plots follow it, `beside` each other where the page is wide enough."""

    anchor: str
    title: str = ""
    body: str = ""
    plots: tuple[Plot, ...] = ()
    beside: bool = False


@dataclass(frozen=True)
class Cell:
    """Text of one cell of a table, with small print below it; `style` names classes of the page's style sheet."""

    text: str
    under: str = ""
    style: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a table. With fewer cells than the table has columns, the last of them reaches to the end."""

    cells: tuple[str | Cell, ...]
    style: str = ""


@dataclass(frozen=True)
class Column:
    """One column of the comparison's table: its cells by arm and label budget. Those `beside` the headline metric stand next to
    it, in the terminal too; the others stand at the end, for which only the page has room."""

    heading: str
    cells: Mapping[tuple[str, int], Cell]
    beside: bool = False


@dataclass(frozen=True)
class Columns:
    """Columns that one task adds to the table, and what they mean: `legend` as HTML below the page's table, `remark` for the
    terminal's first line of explanation, `lines` for lines of their own there."""

    columns: tuple[Column, ...] = ()
    legend: str = ""
    remark: str = ""
    lines: tuple[str, ...] = ()
