"""The invariance card as a plain table of a hundred columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from jetbench.datainfo.invariance import Card, CardRow, Shift
from jetbench.spec import Component
from jetbench.views import augmentations

__all__ = ["card_text", "step_text"]

COLUMNS = (
    ("mass", "Δmass/GeV", 14, ".1f"),
    ("pt_percent", "ΔpT/%", 13, ".1f"),
    ("outside_percent", "outside", 8, ".1f"),
    ("multiplicity", "Δmultiplicity", 14, ".1f"),
    ("tau32", "Δtau32", 16, ".3f"),
    ("auc", "AUC", 7, ".4f"),
)  # field, heading, width, format
NAMES, LOSS = 20, 8  # widths of the first and the last column
WIDTH = NAMES + sum(width for _, _, width, _ in COLUMNS) + LOSS


def card_text(card: Card) -> str:
    """Write the card, a part with its strengths after the other; shifts are mean ± standard deviation over jets, "–" stands where
    a number is left out, and the AUC is followed by its loss. Below stands what the numbers are of, what is skipped or left out,
    and why, and which jets have no number for an observable."""
    lines = [f"{'augmentation':<{NAMES}}{''.join(f'{head:>{width}}' for _, head, width, _ in COLUMNS)}{'loss':>{LOSS}}"]
    lines.append(_line(card, card.none))
    for part in card.parts:
        steps = ", ".join(map(step_text, part.steps)) or "no step"
        lines += ["", *textwrap.wrap(f"{part.name}: {steps}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)]
        lines += [_line(card, row) for row in part.rows]
    return "\n".join([*lines, "", *_remarks(card)])


def step_text(step: Component) -> str:
    """Write a step with all its strengths, `drop(pt_scale=2, rate=0.3)`."""
    given = {**dict(augmentations[step.name].defaults), **step.keywords()}
    texts = (f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in given.items())
    return f"{step.name}({', '.join(texts)})"


def _remarks(card: Card) -> Iterator[str]:
    yield f"shifts: mean ± standard deviation over {card.shown}; outside: percent of the pT outside the frame"
    if card.none.auc is not None:
        yield "AUC: of trees that were fitted on other jets as they are, and what it loses"
    yield from (f"skipped {name}: {reason}" for name, reason in card.skipped)
    yield from (f"left out: {reason}" for reason in card.left_out)
    yield from (f"note: {note}" for note in card.notes)


def _line(card: Card, row: CardRow) -> str:
    cells = [f"{_cell(getattr(row, field), form):>{width}}" for field, _, width, form in COLUMNS]
    loss = None if row.auc is None or card.none.auc is None else card.none.auc - row.auc
    return f"{row.augmentation:<{NAMES}}{''.join(cells)}{_cell(loss, '+.4f'):>{LOSS}}"


def _cell(value: Shift | float | None, form: str) -> str:
    if isinstance(value, Shift):
        return f"{value.mean:+{form}} ± {value.deviation:{form}}"
    return "–" if value is None else format(value, form)
