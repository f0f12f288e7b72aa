"""Each view of a jet is told from a queue of earlier jets, which moves after every step."""

import torch
import torch.nn.functional as F

from jetbench.objectives import ObjectiveEntry
from jetbench.objectives.base import TwoViews
from jetbench.spaces import Allowed


class Queued(TwoViews):
    def __init__(self, network, task, look, queue=64):
        super().__init__(network, task, look)
        self.register_buffer("queue", F.normalize(torch.randn(queue, network.encoder.features), dim=1))
        self.register_buffer("seen", torch.zeros(0, network.encoder.features), persistent=False)

    def forward(self, network, inputs):
        first, self.seen = (F.normalize(one.float(), dim=1) for one in self.features(network, inputs))
        logits = torch.cat([(first * self.seen).sum(1, keepdim=True), first @ self.queue.T], 1) / 0.2
        self.seen = self.seen.detach()
        return {"loss": F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.long))}

    def after_step(self, network, progress):
        self.queue.copy_(torch.cat([self.queue, self.seen])[-len(self.queue) :])


TRAITS = {"labelled": False, "trains_head": False, "views": 2}
OPTIONS = {"defaults": (("queue", 64),), "allowed": (("queue", Allowed(least=1)),)}
JETBENCH = [ObjectiveEntry("queued", f"{__name__}:Queued", "contrast with earlier jets", **TRAITS, **OPTIONS)]
