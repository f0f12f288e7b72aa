"""SimCLR: two augmented views of a jet attract, all other jets of the batch repel."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import plain_projection
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["SimCLR", "info_nce"]

COLDEST, HOTTEST = 0.01, 1.0  # between which the temperature is learnt


def info_nce(z: Tensor, temperature: Tensor | float) -> Tensor:
    """Return NT-Xent of Chen et al. (arXiv:2002.05709), mean over the 2n anchors.

    z (2n, d): rows i and i+n are the two views of jet i; rows are normalised here. The loss is written as log-softmax over
    the 2n−1 other rows, in fp32.
    """
    with torch.autocast(z.device.type, enabled=False):  # .float() alone does not keep a product of matrices out of bf16
        z = F.normalize(z.float(), dim=1)
        similarity = z @ z.T / temperature
        itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        positive = torch.arange(len(z), device=z.device).roll(len(z) // 2)
        return F.cross_entropy(similarity.masked_fill(itself, -torch.inf), positive)


class SimCLR(TwoViews):
    """Projection head of two layers on the features, InfoNCE with the temperature's logarithm learnt (start 0.07, kept in
    [0.01, 1], as CLIP does, where it starts too)."""

    def __init__(self, network: Network, task: Task, look: Look, projection: int = 128, temperature: float = 0.07) -> None:
        super().__init__(network, task, look)
        if not COLDEST <= temperature <= HOTTEST:  # beyond them the clamp would leave it without a gradient
            raise SuiteError(f"simclr: temperature {temperature}; it is in [{COLDEST}, {HOTTEST}]")
        self.projection = plain_projection(network.encoder.features, projection)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        z = self.projection(network.encoder(Inputs.join(inputs)))
        temperature = self.log_temperature.clamp(math.log(COLDEST), math.log(HOTTEST)).exp()
        loss = info_nce(z, temperature)
        first, second = F.normalize(z.detach().float(), dim=1).chunk(2)
        return {
            "loss": loss,
            "temperature": temperature.detach(),
            "alignment": (first - second).square().sum(1).mean(),  # Wang & Isola, arXiv:2005.10242
            "uniformity": torch.pdist(first).square().mul(-2).exp().mean().log(),
        }
