"""How many jets an objective really looks at in a step, and how many of them pass what is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look
from jetbench.views.inputs import Inputs

__all__ = ["CountedLook", "counted_passes"]


@dataclass(frozen=True)
class CountedLook(Look):
    """Notes the number of `jets` of every look at a batch."""

    jets: list[int] = field(default_factory=list)

    def augmented(self, batch: Batch, rng: torch.Generator) -> Batch:
        self.jets.append(batch.size)
        return super().augmented(batch, rng)


@contextmanager
def counted_passes(network: Network, objective: nn.Module) -> Iterator[list[int]]:
    """Note how many jets each call shows to the network's encoder, or to another one of its kind that the objective trains."""
    kind, found, inside = type(network.encoder), list[int](), list[nn.Module]()
    others = [one for one in objective.modules() if isinstance(one, kind) and any(p.requires_grad for p in one.parameters())]
    encoders = [network.encoder, *(one for one in others if one is not network.encoder)]
    calls = [(one, name) for one in encoders for name in ("forward", "local") if hasattr(one, name)]
    for encoder, name in calls:
        vars(encoder)[name] = _counting(getattr(encoder, name), encoder, found, inside)
    try:
        yield found
    finally:
        for encoder, name in calls:
            del vars(encoder)[name]


def _counting(call: Callable[..., Any], encoder: nn.Module, found: list[int], inside: list[nn.Module]) -> Callable[..., Any]:
    """The call, which is noted unless it is a part of another one of the same encoder."""

    def counting(inputs: Inputs) -> Any:
        if encoder not in inside:
            found.append(len(inputs))
        inside.append(encoder)
        try:
            return call(inputs)
        finally:
            inside.pop()

    return counting
