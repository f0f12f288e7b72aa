"""Losses and weights that are not finite: found at the step that they began in, without a look at every step."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["Watch", "all_finite", "jets_in_words"]

SHOWN = 10  # rows of a batch that a message names


class Watch:
    """The losses of the steps since the last look. They stay where the network is: a look at each would make a GPU wait."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []

    def add(self, loss: Tensor) -> None:
        """Take in the loss (scalar, without gradient) of a step."""
        self.losses.append(loss)

    def look(self, step: int) -> int | None:
        """Return the first of the steps, counted from 0 and before `step`, whose loss is not finite, and forget them."""
        losses, self.losses = self.losses, []
        bad = torch.stack(losses).isfinite().logical_not().nonzero().flatten().tolist() if losses else []
        return step - len(losses) + int(bad[0]) if bad else None


def all_finite(parameters: Iterable[Tensor]) -> bool:
    """Say whether no number of any parameter is infinite or none at all."""
    return all(bool(parameter.isfinite().all()) for parameter in parameters)


def jets_in_words(rows: Tensor) -> str:
    """Name the jets of a batch by their rows (n,), ten at the most."""
    named = ", ".join(map(str, rows[:SHOWN].tolist()))
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return f"the jets in rows {named}{more}"
