"""Supervised objectives: the task's own loss, plain or on mixed jets."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look, Objective
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs
from jetbench.views.mixing import Mixing

__all__ = ["Mixup", "Supervised"]

ClassWeights = Literal["none", "balanced"]


class Supervised(Objective):
    """The loss of the task, mean over the batch, in which jets may have weights of mean one over the training. With
    `class_weights` "balanced" each class has the same weight in it, however many training labels it has. Raises `SuiteError`
    for a task without classes then."""

    def __init__(self, network: Network, task: Task, look: Look, class_weights: ClassWeights = "none") -> None:
        super().__init__(network, task.balanced() if class_weights == "balanced" else task, look)

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        return (self.look(jets, rng).with_target(self.encoded(jets), jets.weight),)

    def encoded(self, jets: Batch) -> Tensor:
        """Return what the task asks for of each jet (size, outputs)."""
        return self.task.encode(jets.targets[self.task.column], jets.meta)

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Return what is minimised, a scalar with gradient, from outputs (size, outputs), what `encoded` gives, and the weights
        of the jets (size,)."""
        return self.task.loss(outputs, target) if weight is None else self.task.weighted_loss(outputs, target, weight)

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        (seen,) = inputs
        every, target = network.every(seen).float(), seen.target
        assert target is not None
        weight = () if seen.weight is None else (seen.weight,)
        loss = torch.stack([self.loss(outputs, target, *weight) for outputs in every.unbind(dim=1)]).mean()
        return {"loss": loss, **self.task.diagnostics(network.combined(every).detach(), target)}


class Mixup(Supervised):
    """Each jet is mixed with another of its batch, share λ ~ Beta(alpha, alpha) per batch, and so are the targets. Both are
    augmented before, each on its own; how jets are mixed is the view's affair. Of jets with weights w and v the loss of the mixed
    jet is λw times that of the one's target and (1−λ)v times that of the other's: its weight is the sum of both, in whose shares
    the targets are mixed."""

    def __init__(
        self, network: Network, task: Task, look: Look, alpha: float = 0.2, class_weights: ClassWeights = "none"
    ) -> None:
        super().__init__(network, task, look, class_weights)
        self.alpha = alpha

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        augmented = self.look.augmented(jets, rng)
        # torch's Beta takes no generator, numpy's does
        share = np.random.default_rng(int(torch.randint(2**62, (), generator=rng))).beta(self.alpha, self.alpha)
        mixing = Mixing(share, torch.randperm(jets.size, generator=rng))
        mixed, target = self.look.view.mixed(augmented, mixing), self.encoded(jets)
        if jets.weight is None:
            return (mixed.with_target(mixing.mean(target)),)
        weight = mixing.mean(jets.weight)
        shared = mixing.mean(jets.weight[:, None] * target) / weight.where(weight > 0, 1.0)[:, None]
        return (mixed.with_target(shared, weight),)
