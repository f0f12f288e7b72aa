"""Supervised objectives: cross-entropy, plain or on mixed images."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Inputs, Objective

__all__ = ["Mixup", "Supervised", "mix"]


class Supervised(Objective):
    """Softmax cross-entropy, mean over the batch."""

    def views(self, jets: Batch, rng: torch.Generator) -> Inputs:
        labels = F.one_hot(jets.targets["label"].long(), self.classes).float()
        return Inputs(self.augmented(jets, rng), labels)

    def forward(self, network: Network, inputs: Inputs) -> dict[str, Tensor]:
        logits = network(inputs.images).float()
        assert inputs.targets is not None
        hit = logits.argmax(1) == inputs.targets.argmax(1)
        return {"loss": F.cross_entropy(logits, inputs.targets), "accuracy": hit.float().mean().detach()}


class Mixup(Supervised):
    """Each image is mixed with another of its batch, share λ ~ Beta(alpha, alpha) per batch, and so are the labels. The
    pixels are mixed after scaling, as published."""

    def __init__(self, *args: Any, alpha: float = 0.2, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.alpha = alpha

    def views(self, jets: Batch, rng: torch.Generator) -> Inputs:
        plain = super().views(jets, rng)
        assert plain.targets is not None
        # torch's Beta takes no generator, numpy's does
        share = np.random.default_rng(int(torch.randint(2**62, (), generator=rng))).beta(self.alpha, self.alpha)
        return Inputs(*mix(plain.images, plain.targets, share, torch.randperm(len(plain.images), generator=rng)))


def mix(images: Tensor, targets: Tensor, share: float, partner: Tensor) -> tuple[Tensor, Tensor]:
    """share·x + (1 − share)·x[partner] of images (n, …) and targets (n, classes); partner (n,) is a permutation."""
    return share * images + (1 - share) * images[partner], share * targets + (1 - share) * targets[partner]
