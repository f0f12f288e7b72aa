"""Supervised objectives: the task's own loss, plain or on mixed inputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look, Objective
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["Mixup", "Supervised", "mix"]


class Supervised(Objective):
    """The loss of the task, mean over the batch, and over the output layers of a head that has several."""

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        target = self.task.encode(jets.targets[self.task.column], jets.meta)
        return (self.look(jets, rng).with_target(target),)

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        (seen,) = inputs
        every, target = network.every(seen).float(), seen.target
        assert target is not None
        loss = torch.stack([self.task.loss(outputs, target) for outputs in every.unbind(dim=1)]).mean()
        return {"loss": loss, **self.task.diagnostics(network.combined(every).detach(), target)}


class Mixup(Supervised):
    """Each jet's tensors are mixed with those of another of its batch, share λ ~ Beta(alpha, alpha) per batch, and so are the
    targets. They are mixed after scaling, as published."""

    def __init__(self, network: Network, task: Task, look: Look, alpha: float = 0.2) -> None:
        super().__init__(network, task, look)
        self.alpha = alpha

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        (plain,) = super().views(jets, rng)
        # torch's Beta takes no generator, numpy's does
        share = np.random.default_rng(int(torch.randint(2**62, (), generator=rng))).beta(self.alpha, self.alpha)
        return (mix(plain, share, torch.randperm(len(plain), generator=rng)),)


def mix(inputs: Inputs, share: float, partner: Tensor) -> Inputs:
    """Return share·x + (1 − share)·x[partner] for each tensor x and the target; partner (n,) is a permutation."""
    assert inputs.target is not None

    def mixed(x: Tensor) -> Tensor:
        return share * x + (1 - share) * x[partner]

    return Inputs({name: mixed(x) for name, x in inputs.tensors.items()}, target=mixed(inputs.target))
