"""Momentum contrast: a view of a jet is told from a queue of other jets' views, which a slowly moving encoder has made."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.errors import SuiteError
from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import plain_projection
from jetbench.objectives.teacher import follow, teacher_of
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["MoCo", "queue_loss"]


def queue_loss(query: Tensor, key: Tensor, queue: Tensor, temperature: float) -> Tensor:
    """Return InfoNCE of He et al. (arXiv:1911.05722, equation 1), mean over the batch, in fp32.

    query, key (n, d): two views of the same jets; queue (m, d): views of other jets. All rows have the norm one.
    """
    with torch.autocast(query.device.type, enabled=False):
        query, key, queue = query.float(), key.float(), queue.float()
        positive = (query * key).sum(dim=1, keepdim=True)
        similarity = torch.cat([positive, query @ queue.T], dim=1) / temperature
        return F.cross_entropy(similarity, torch.zeros(len(query), dtype=torch.long, device=query.device))


class MoCo(TwoViews):
    """Momentum encoder and queue are part of the objective, and so of its checkpoints (He et al., arXiv:1911.05722; the
    projection of two layers is that of version 2, arXiv:2003.04297). `queue` is the number of keys that are kept; until it is
    full, keys that were drawn at random stand in for jets. `momentum` is the share of the old in each step of the momentum
    encoder."""

    def __init__(
        self,
        network: Network,
        task: Task,
        look: Look,
        projection: int = 128,
        temperature: float = 0.2,
        queue: int = 2048,
        momentum: float = 0.99,
    ) -> None:
        super().__init__(network, task, look)
        if queue < 1 or not 0 <= momentum < 1 or temperature <= 0:
            given = f"queue {queue}, momentum {momentum}, temperature {temperature}"
            raise SuiteError(f"moco: {given}; the queue is at least 1, momentum in [0, 1), temperature above 0")
        self.projection = plain_projection(network.encoder.features, projection)
        self.teacher, self.teacher_projection = teacher_of(network.encoder), teacher_of(self.projection)
        self.temperature, self.momentum = temperature, momentum
        self.queue: Tensor
        self.keys: Tensor
        self.register_buffer("queue", F.normalize(torch.randn(queue, projection), dim=1))
        self.register_buffer("keys", torch.zeros(0, projection), persistent=False)

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        first, second = inputs
        query = F.normalize(self.projection(network.encoder(first)).float(), dim=1)
        with torch.no_grad():
            self.keys = F.normalize(self.teacher_projection(self.teacher(second)).float(), dim=1)
        loss = queue_loss(query, self.keys, self.queue, self.temperature)
        return {"loss": loss, "alignment": (query.detach() - self.keys).square().sum(dim=1).mean()}

    @torch.no_grad()
    def after_step(self, network: Network, progress: float) -> None:
        """Move the momentum encoder, and put the keys of the step in place of the oldest ones."""
        follow(self.teacher, network.encoder, self.momentum)
        follow(self.teacher_projection, self.projection, self.momentum)
        self.queue.copy_(torch.cat([self.queue, self.keys])[-len(self.queue) :])
