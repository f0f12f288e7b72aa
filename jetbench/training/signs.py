"""What the end of a training says about its length: whether the loss still falls, and how far the encoder has moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jetbench.statistics.trend import LEAST_LEVELS, relative_change
from jetbench.training.device import device

__all__ = ["Start", "Tail", "Trained"]

TENTH = 10  # the loss is followed over the last tenth of the steps
LEVELS = 10  # averages of the loss in that tenth, so that the noise of single batches does not hide its course


@dataclass(frozen=True)
class Trained:
    """What a training came to: its costs, passes and seconds, and signs of its length by key."""

    costs: dict[str, float]
    signs: dict[str, float]


class Tail:
    """The training loss over the last tenth of `steps`, summed in up to ten levels of equally many steps. `sums` are those of a
    training that goes on."""

    def __init__(self, steps: int, sums: Sequence[float] = ()) -> None:
        self.first, self.steps = steps - steps // TENTH, steps
        levels = min(LEVELS, self.steps - self.first)
        # sums stay where the network is: a look at each loss would make a GPU wait
        self.sums = torch.tensor(sums or [0.0] * levels, dtype=torch.float64, device=device())

    def add(self, step: int, loss: Tensor) -> None:
        """Take in the loss (scalar, fp64) of a step, counted from 0."""
        if step >= self.first:
            self.sums[self._level(step)] += loss

    def signs(self, step: int) -> dict[str, float]:
        """Return the change of the loss and its error, as shares of the mean loss, after so many steps; nothing where the
        training was stopped early or is too short, or where its loss has no shares since it is not positive."""
        sums = self.sums.cpu().numpy()
        if step < self.steps or len(sums) < LEAST_LEVELS or sums.sum() <= 0:
            return {}
        change, error = relative_change(sums / np.bincount(self._level(np.arange(self.first, self.steps))))
        return {"loss_change": change, "loss_change_error": error}

    def _level(self, step: Any) -> Any:
        """The level of a step, or of many."""
        return (step - self.first) * len(self.sums) // (self.steps - self.first)


class Start:
    """The encoder's parameters before the first step. A training that goes on has them too, since it builds its network anew."""

    def __init__(self, encoder: nn.Module) -> None:
        self.parameters = [p.detach().clone() for p in encoder.parameters()]

    def signs(self, encoder: nn.Module) -> dict[str, float]:
        """Return |w − w₀| / |w₀| over all parameters of the encoder, which may have moved to another device."""
        pairs = zip(encoder.parameters(), self.parameters, strict=True)
        moved = sum(float((now.detach().cpu() - then.cpu()).double().square().sum()) for now, then in pairs)
        length = sum(float(then.double().square().sum()) for then in self.parameters)
        return {"encoder_change": (moved / length) ** 0.5}
