"""The invariance card as a plot: what each augmentation shifts, and how far apart jets are in that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jetbench.datainfo.invariance import Card, CardRow
from jetbench.evaluation.plots import DPI, INK, MUTED, PALETTE, finish

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["card_plot"]

PANELS = (
    ("mass", "Δmass [GeV]"),
    ("pt_percent", "$\\Delta p_T$ [percent]"),
    ("multiplicity", "Δmultiplicity"),
    ("tau32", "$\\Delta\\tau_{32}$"),
)
ROW, HEAD = 0.3, 1.5  # inches of a row, and of all that is no row


def card_plot(card: Card, title: str = "") -> Figure:
    """Draw the mean shift of each augmentation with a bar of one standard deviation over jets to both sides, a panel for each
    observable that these jets have and a colour for each part of the card; beside them stands the loss of the trees' AUC. A row
    that several parts have is named with its part."""
    from matplotlib.figure import Figure

    rows = [(row, PALETTE[number % len(PALETTE)]) for number, part in enumerate(card.parts) for row in part.rows]
    panels = [(field, name) for field, name in PANELS if getattr(card.none, field) is not None]
    width = len(panels) + (card.none.auc is not None)
    figure = Figure(figsize=(2.2 + 2.8 * width, HEAD + ROW * (len(rows) + len(card.parts))), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, width, sharey=True, squeeze=False)[0]
    for one, (field, name) in zip(axes, panels, strict=False):
        _shifts(one, field, rows)
        _dressed(one, name)
    if card.none.auc is not None:
        for place, (row, color) in enumerate(rows):
            axes[-1].plot(card.none.auc - (row.auc or 0), place, "o", color=color)
        _dressed(axes[-1], "loss of the trees' AUC")
    axes[0].set_yticks(range(len(rows)), _names(card), color=INK)
    axes[0].set_ylim(len(rows) - 0.5, -0.5)
    _name_parts(figure, card)
    told = "\n".join(filter(None, [title, f"mean ± standard deviation over {card.shown}"]))
    figure.suptitle(_plain(told), fontsize=11, color=INK)
    return figure


def _names(card: Card) -> list[str]:
    """The rows by name, from the top down, with the part where more than one has a row of that name."""
    parts = Counter(name for part in card.parts for name in {row.augmentation for row in part.rows})
    return [
        _plain(f"{row.augmentation} ({part.name})" if parts[row.augmentation] > 1 else row.augmentation)
        for part in card.parts
        for row in part.rows
    ]


def _shifts(axes: Any, field: str, rows: Sequence[tuple[CardRow, str]]) -> None:
    for place, (row, color) in enumerate(rows):
        shift = getattr(row, field)
        axes.errorbar(shift.mean, place, xerr=shift.deviation, fmt="o", color=color, capsize=3, linewidth=2)


def _dressed(axes: Any, name: str) -> None:
    axes.axvline(0, color=MUTED, linewidth=1, zorder=0)
    axes.grid(axis="x", color=MUTED, alpha=0.25, linewidth=0.8)
    axes.set_xlabel(name, fontsize=11, color=INK)
    axes.locator_params(axis="x", nbins=4)
    finish(axes)


def _name_parts(figure: Figure, card: Card) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", color=PALETTE[number % len(PALETTE)], label=_plain(part.name))
        for number, part in enumerate(card.parts)
    ]
    figure.legend(handles=handles, loc="outside lower center", frameon=False, fontsize=10)


def _plain(text: str) -> str:
    """Text as it stands, which matplotlib would read as a formula between dollars."""
    return text.replace("$", r"\$")
