"""The smallest encoder, by which the steps of momentum teachers can be followed by hand."""

from __future__ import annotations

import torch
from torch import nn

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Objective, build_objective
from jetbench.spec import Component, options
from jetbench.tasks import build_task
from jetbench.views.inputs import Inputs

__all__ = ["on_a_line"]

TASK = build_task(Component(name="classification"))


class Line(nn.Module):
    """Features are a linear map of the sums of a jet's positions."""

    features = 4

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Linear(2, 4)

    def forward(self, inputs: Inputs) -> torch.Tensor:
        return self.map(inputs["place"])


def look(batch: Batch, rng: torch.Generator) -> Inputs:
    place = torch.stack([batch.sum(batch.eta), batch.sum(batch.phi)], dim=1)
    return Inputs({"place": place + 0.1 * torch.randn(place.shape, generator=rng)})


def on_a_line(name: str, **given: object) -> tuple[Network, Objective]:
    """Build the named objective for the encoder, with these options."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Network(Line(), nn.Linear(4, 2))
    return network, build_objective(Component(name=name, options=options(given)), network, TASK, look, seed=0)
