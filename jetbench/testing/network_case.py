"""A model on trial: with toy jets as its view shows them, and small where it has the choice."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from jetbench.data.batch import JetTensors
from jetbench.models import ModelEntry
from jetbench.models.network import Network, network_for
from jetbench.seeds import torch_rng
from jetbench.spaces import WIDTHS
from jetbench.spec import Component, Options, options
from jetbench.testing.properties import LeftOut
from jetbench.testing.tensors import seeded
from jetbench.testing.toys import jets_for
from jetbench.views import views
from jetbench.views.inputs import Inputs
from jetbench.views.view import FittedView, fit_view

__all__ = ["JETS", "SHOWN", "NetworkCase", "pull", "small_model", "small_view"]

JETS, SHOWN = 96, 12
SMALL = {"pixels": 12, "number": 24}  # options of views, so that a step costs milliseconds


def small_view(name: str, batch: Any) -> FittedView:
    """Fit a view on a batch, small where it has the choice."""
    given = {option: value for option, value in SMALL.items() if option in dict(views[name].defaults)}
    return fit_view(Component(name=name, options=views[name].settle(batch.meta, given)), batch)


def small_model(entry: ModelEntry) -> Component:
    """Name a model with the first of the widths that studies would try, where it has a list of widths."""
    listed = {name for name, allowed in entry.allowed if allowed is WIDTHS}
    return Component(name=entry.name, options=options({n: s.choices[0] for n, s in entry.spaces if n in listed and s.choices}))


@dataclass(frozen=True)
class NetworkCase:
    """A model with these `options` and else its defaults, and toy jets as its view shows them."""

    entry: ModelEntry
    options: Options = ()

    @cached_property
    def tensors(self) -> JetTensors:
        return JetTensors(next(iter(jets_for(views[self.entry.view].needs, JETS).values())))

    @cached_property
    def view(self) -> FittedView:
        return small_view(self.entry.view, self.tensors.batch(torch.arange(JETS)))

    @property
    def component(self) -> Component:
        small = small_model(self.entry)
        return small.replace(options=options(small.keywords() | dict(self.options)))

    def shown(self, first: int = 0, number: int = SHOWN) -> Inputs:
        return self.view(self.tensors.batch(torch.arange(first, first + number)))

    def network(self, seed: int = 0) -> Network:
        return network_for(self.component, self.view, 2, seed)

    def encoder(self, seed: int = 0) -> Any:
        return self.network(seed).encoder

    def sets(self) -> tuple[Inputs, Tensor]:
        """Show inputs with their mask. Raises `LeftOut` for a view that has none."""
        seen = self.shown()
        if seen.mask is None:
            raise LeftOut("its view shows no sets")
        return seen, seen.mask


def pull(encoder: nn.Module, seen: Inputs, draw: int = 0) -> None:
    """Differentiate a random direction of the features, of which no normalisation is free."""
    with seeded("dropout", draw):
        found = encoder(seen)
    (found * torch.randn(found.shape, generator=torch_rng("direction", draw))).sum().backward()
