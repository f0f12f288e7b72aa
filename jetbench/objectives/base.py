"""The shape of an objective, and what it may ask of the training that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.spec import Component
from jetbench.views import augment

__all__ = ["Inputs", "Objective"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the network sees in one step: images (n, …) and targets (n, classes) as probabilities, where there are any."""

    images: Tensor
    targets: Tensor | None = None

    def to(self, device: torch.device) -> Inputs:
        return Inputs(self.images.to(device), None if self.targets is None else self.targets.to(device))


class Objective(nn.Module):
    """`views` turns a batch into inputs (no gradient, explicit generator), `forward` into the loss and its diagnostics.

    Teachers, queues and projection heads are submodules or buffers of the objective, so that checkpoints hold them. `render`
    is the model's view of a batch, with the preprocessing that belongs to the weights. `views_per_jet` counts a step's passes.
    """

    views_per_jet = 1

    def __init__(self, render: Callable[[Batch], Tensor], augmentation: tuple[Component, ...], classes: int) -> None:
        super().__init__()
        self.render = render
        self.augmentation = augmentation
        self.classes = classes

    def augmented(self, jets: Batch, rng: torch.Generator) -> Tensor:
        return self.render(augment(jets, self.augmentation, rng))

    def views(self, jets: Batch, rng: torch.Generator) -> Inputs:
        raise NotImplementedError

    def forward(self, network: Network, inputs: Inputs) -> dict[str, Tensor]:
        """A dict with "loss" (scalar, fp32, with gradient) and named diagnostics (scalars, detached)."""
        raise NotImplementedError
