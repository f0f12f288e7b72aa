"""Optimisers and learning-rate schedules of a recipe."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from jetbench.spec import Recipe

__all__ = ["Plateau", "build_optimizer", "first_beta", "rate", "set_step"]

# torch's defaults of OneCycleLR (Smith & Topin, arXiv:1708.07120, in fastai's form of two phases): the rate begins at 1/25 of
# the recipe's and ends at 1e-4 of that; its peak is where Adam remembers least
ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1 / 25e4
ONE_CYCLE_BETAS = 0.95, 0.85  # at the ends of the cycle, at its peak
SHARE = "share"  # of the learning rate that a group of parameters has, by its key in the optimiser


def build_optimizer(recipe: Recipe, encoder: nn.Module, *others: nn.Module) -> torch.optim.Optimizer:
    """Build AdamW (decoupled decay) or Adam, in torch's fused form, of all parameters that have a gradient: those of the encoder
    as a group with its own share of the rate, and those of the other modules."""
    kind = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[recipe.optimizer]
    shares = ((recipe.encoder_rate, (encoder,)), (1.0, others))
    groups = [{"params": _trained(modules), SHARE: share} for share, modules in shares]
    kept = [group for group in groups if group["params"]]
    return kind(kept, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)


def _trained(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    return [parameter for module in modules for parameter in module.parameters() if parameter.requires_grad]


def set_step(optimizer: torch.optim.Optimizer, recipe: Recipe, learning_rate: float, step: int, steps: int) -> None:
    """Give an optimiser the learning rate of a step, of which each group has its share, and, in one cycle, its beta1."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group[SHARE]
        if recipe.schedule == "one-cycle":
            group["betas"] = first_beta(recipe, step, steps), group["betas"][1]


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the factor on the learning rate at `step` of `steps`, which is a function of the step alone.

    A linear warm-up over the share `warmup` is followed by a constant, by half a cosine to zero, or by half cosines to zero with
    warm restarts (Loshchilov & Hutter, arXiv:1608.03983). In one cycle the warm-up itself is half a cosine."""
    if recipe.schedule == "one-cycle":
        return _one_cycle(recipe, step, steps, ONE_CYCLE_START, 1.0, ONE_CYCLE_END)
    warmup = round(recipe.warmup * steps)
    if step < warmup:
        return (step + 1) / warmup
    if recipe.schedule == "cosine":
        return _half_cosine(1.0, 0.0, (step - warmup) / max(1, steps - warmup))
    if recipe.schedule == "warm-restarts":
        return _half_cosine(1.0, 0.0, _since_restart(recipe.first_restart, (step - warmup) * recipe.epochs / steps))
    return 1.0


def first_beta(recipe: Recipe, step: int, steps: int) -> float:
    """Return Adam's beta1 at `step` of `steps` in one cycle: the smaller, the larger the rate."""
    ends, peak = ONE_CYCLE_BETAS
    return _one_cycle(recipe, step, steps, ends, peak, ends)


def _one_cycle(recipe: Recipe, step: int, steps: int, start: float, peak: float, end: float) -> float:
    """From `start` to `peak` over the share `warmup` of the steps, from there to `end` at the last one, each by half a cosine."""
    top, last = recipe.warmup * steps - 1, steps - 1
    if step <= top:
        return _half_cosine(start, peak, step / top if top else 1.0)
    return _half_cosine(peak, end, (step - top) / (last - top))


def _half_cosine(start: float, end: float, share: float) -> float:
    """From `start` to `end` as `share` goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _since_restart(first: int, epochs: float) -> float:
    """The share of its stretch that a schedule with warm restarts has behind it after so many epochs: the first stretch takes
    `first` epochs, each other twice as many as the one before."""
    stretch = float(first)
    while epochs >= stretch:
        epochs, stretch = epochs - stretch, 2 * stretch
    return epochs / stretch


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
