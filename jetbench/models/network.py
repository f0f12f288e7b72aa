"""An encoder with a head: what the training loop trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from jetbench.models import HEAD, models
from jetbench.models.heads import build_head
from jetbench.seeds import derive
from jetbench.spec import Component
from jetbench.views.inputs import Inputs

__all__ = ["Network", "build_network"]


class Network(nn.Module):
    """`encoder` maps inputs to features (n, features); `head` maps features to outputs (n, outputs)."""

    def __init__(self, encoder: Any, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, inputs: Inputs) -> Tensor:
        features = self.encoder(inputs)
        # bf16 outputs would give hundreds of jets the same score: the head is fp32 whatever the encoder is
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features.float())


def build_network(component: Component, shapes: Mapping[str, tuple[int, ...]], outputs: int, seed: int) -> Network:
    """Build a freshly initialised network for inputs of these shapes (of one jet each).

    An encoder is constructed with the shapes and its options, and has the attribute `features`. Encoder and head draw from seeds
    of their own, so that arms of one seed share both whatever is done to the other.
    """
    keywords = component.keywords()
    head = {name: keywords.pop(name, default) for name, default in HEAD}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("init", "encoder", seed))
        encoder = models[component.name].load()(shapes, **keywords)
        torch.manual_seed(derive("init", "head", seed))
        return Network(encoder, build_head(head["head"], encoder.features, outputs, head["head_dropout"]))
