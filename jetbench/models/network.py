"""An encoder with a head: what the training loop trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.spec import Component

__all__ = ["Network", "build_network"]


class Network(nn.Module):
    """`encoder` maps inputs to features (n, features); `head` maps features to class logits (n, classes)."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.encoder(inputs)
        # bf16 logits would give hundreds of jets the same score: the head is fp32 whatever the encoder is
        with torch.autocast(inputs.device.type, enabled=False):
            return self.head(features.float())


def _head(kind: str, features: int, classes: int, dropout: float) -> nn.Module:
    if kind == "linear":
        return nn.Linear(features, classes)
    if kind == "mlp":  # the SSL jet-image recipe's head, dropout 0.3 by default there
        return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, classes))
    raise SuiteError(f"head is 'linear' or 'mlp', not {kind!r}")


def build_network(component: Component, channels: int, classes: int, seed: int) -> Network:
    """A freshly initialised network. Encoder and head draw from seeds of their own, so that arms of one seed share both
    whatever is done to the other."""
    from jetbench.seeds import derive

    keywords = component.keywords()
    head, head_dropout = keywords.pop("head", "linear"), keywords.pop("head_dropout", 0.3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("init", "encoder", seed))
        encoder = models[component.name].load()(channels, **keywords)
        torch.manual_seed(derive("init", "head", seed))
        return Network(encoder, _head(head, encoder.features, classes, head_dropout))
