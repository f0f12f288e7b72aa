"""SupCon: all views of all jets of one class attract, all other jets of the batch repel. It uses the labels of the pool."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import plain_projection
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["SupCon", "supervised_contrastive_loss"]


def supervised_contrastive_loss(z: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return L_out of Khosla et al. (arXiv:2004.11362, equation 2), mean over the n anchors, in fp32.

    z (n, d), of which rows are normalised here; labels (n,): classes. Each row has another one of its class.
    """
    with torch.autocast(z.device.type, enabled=False):
        z = F.normalize(z.float(), dim=1)
        itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
        logits = (z @ z.T / temperature).masked_fill(itself, -torch.inf).log_softmax(dim=1)
        positive = (labels[:, None] == labels) & ~itself
        return -(logits.masked_fill(~positive, 0).sum(dim=1) / positive.sum(dim=1)).mean()


class SupCon(TwoViews):
    """Projection head as of SimCLR and temperature 0.1, both as published. The head of the network is not trained."""

    def __init__(self, network: Network, task: Task, look: Look, projection: int = 128, temperature: float = 0.1) -> None:
        super().__init__(network, task, look)
        self.projection = plain_projection(network.encoder.features, projection)
        self.temperature = temperature

    def views(self, jets: Batch, rng: torch.Generator) -> tuple[Inputs, ...]:
        labels = jets.targets[self.task.column][:, None]
        return tuple(seen.with_target(labels) for seen in super().views(jets, rng))

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        z, labels = self.projection(torch.cat(self.features(network, inputs))), Inputs.join(inputs).target
        assert labels is not None
        return {"loss": supervised_contrastive_loss(z, labels[:, 0], self.temperature)}
