"""Optimisers and learning-rate schedules of a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from jetbench.spec import Recipe

__all__ = ["Plateau", "build_optimizer", "rate"]


def build_optimizer(recipe: Recipe, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Build AdamW (decoupled decay) or Adam, in torch's fused form."""
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[recipe.optimizer]
    return kind(list(parameters), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the factor on the learning rate at `step` of `steps`: a linear warm-up over the share `warmup`, then constant or
    half a cosine to zero."""
    warmup = round(recipe.warmup * steps)
    if step < warmup:
        return (step + 1) / warmup
    if recipe.schedule != "cosine":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


class Plateau:
    """Halve the rate after more than `PATIENCE` validations without a lower loss (torch's ReduceLROnPlateau with factor 0.5,
    patience 5, relative threshold 1e-4: the SSL jet-image recipe's); its state is two numbers and the factor."""

    FACTOR, PATIENCE, THRESHOLD = 0.5, 5, 1e-4

    def __init__(self, state: list[float] | None = None) -> None:
        self.factor, self.best, self.bad = state or [1.0, 1e30, 0.0]

    def step(self, loss: float) -> None:
        if loss < self.best * (1 - self.THRESHOLD):
            self.best, self.bad = loss, 0.0
        else:
            self.bad += 1
        if self.bad > self.PATIENCE:
            self.factor, self.bad = self.factor * self.FACTOR, 0.0

    def state(self) -> list[float]:
        return [self.factor, self.best, self.bad]
