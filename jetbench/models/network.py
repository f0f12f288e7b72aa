"""An encoder with a head: what the training loop trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from jetbench.models import models
from jetbench.models.heads import ManyHead, build_head
from jetbench.models.sets import PhysicalEncoder
from jetbench.seeds import derive
from jetbench.spec import Component
from jetbench.views.constituents import ConstituentsView
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView

__all__ = ["Network", "build_network", "network_for", "shape_fault"]


class Network(nn.Module):
    """`encoder` maps inputs to features (n, features); `head` maps features to outputs (n, outputs)."""

    def __init__(self, encoder: Any, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, inputs: Inputs) -> Tensor:
        return self.combined(self.every(inputs))

    def every(self, inputs: Inputs) -> Tensor:
        """Return the outputs (n, k, outputs) of each of the k output layers of the head."""
        features = self.encoder(inputs)
        # bf16 outputs would give hundreds of jets the same score: the head is fp32 whatever the encoder is
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            return self.head.every(features) if isinstance(self.head, ManyHead) else self.head(features)[:, None]

    def combined(self, every: Tensor) -> Tensor:
        """Return the outputs (n, outputs) that count, from those of every output layer (n, k, outputs)."""
        return self.head.combined(every) if isinstance(self.head, ManyHead) else every[:, 0]

    @property
    def part(self) -> str:
        """What each of the output layers is called where the head has several; else nothing."""
        return self.head.part if isinstance(self.head, ManyHead) else ""


def build_network(component: Component, shapes: Mapping[str, tuple[int, ...]], outputs: int, seed: int) -> Network:
    """Build a freshly initialised network for inputs of these shapes (of one jet each).

    An encoder is constructed with the shapes and its options, and has the attribute `features`. Encoder and head draw from seeds
    of their own, so that arms of one seed share both whatever is done to the other.
    """
    entry = models[component.name]
    keywords = dict(entry.defaults) | component.keywords()
    kind, dropout = keywords.pop("head"), keywords.pop("head_dropout")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive("init", "encoder", seed))
        encoder = entry.load()(shapes, **keywords)
        torch.manual_seed(derive("init", "head", seed))
        return Network(encoder, build_head(kind, encoder.features, outputs, dropout))


def network_for(component: Component, view: FittedView, outputs: int, seed: int) -> Network:
    """Build a freshly initialised network for what a fitted view shows, whose scaling an encoder may have to undo."""
    network = build_network(component, view.shapes, outputs, seed)
    if isinstance(network.encoder, PhysicalEncoder) and isinstance(view, ConstituentsView):
        network.encoder.unscale(view.mean, view.spread)
    return network


def shape_fault(features: Tensor, jets: int, encoder: Any) -> str:
    """Say what is wrong with the shape of an encoder's features of so many jets; empty where it is (jets, features)."""
    found, form = tuple(features.shape), (jets, encoder.features)
    return "" if found == form else f"features have the shape {found}, and {form} is declared"
