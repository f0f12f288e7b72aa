"""What a view is: fitted once on jets of the pool, then a map from a batch to a network's inputs, stored with the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

import torch

from jetbench.data.batch import Batch
from jetbench.jets import Channel
from jetbench.spec import Component, Scalar
from jetbench.values import Value
from jetbench.views import views
from jetbench.views.inputs import Inputs
from jetbench.views.mixing import Mixing

__all__ = ["FittedView", "fit_view"]


class FittedView(Value, ABC):
    """A view for networks. Its fields hold what was fitted, so that JSON gives it back."""

    @classmethod
    @abstractmethod
    def fit(cls, batch: Batch, options: Mapping[str, Scalar]) -> Self:
        """Fit the view with its settled options on jets of the pool, without their labels."""

    @abstractmethod
    def __call__(self, batch: Batch) -> Inputs:
        """Show a batch."""

    @abstractmethod
    def unscaled(self, batch: Batch) -> Inputs:
        """Show a batch before what was fitted is applied: what somebody without jetbench can make of jets."""

    @abstractmethod
    def scale(self, inputs: Inputs) -> Inputs:
        """Apply what was fitted to the tensors of `unscaled`, which then are those that `__call__` gives."""

    @abstractmethod
    def told(self, channels: tuple[Channel, ...]) -> str:
        """Say in sentences how the tensors of `unscaled` are made of jets with these channels."""

    def mixed(self, batch: Batch, mixing: Mixing) -> Inputs:
        """Show jets that are mixed in pairs. Unless a view says otherwise, their tensors are mixed as they are shown: after
        scaling, as published for images (Zhang et al., arXiv:1710.09412)."""
        return Inputs({name: mixing.mean(tensor) for name, tensor in self(batch).tensors.items()})

    @abstractmethod
    def hide(self, batch: Batch, share: float, rng: torch.Generator) -> Inputs:
        """Show each jet without a part of it, about `share`, which is drawn at random, and beside it what was hidden: `place`
        (n, k, …), where that is, `content` (n, k, …), what the whole jet has there, and which of the k places were, `hidden`
        (n, k)."""

    @property
    @abstractmethod
    def hidden_widths(self) -> tuple[int, int]:
        """How many numbers tell a place that was hidden, and its content."""

    @property
    @abstractmethod
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor of the inputs, for one jet: what an encoder is built for."""


def fit_view(component: Component, batch: Batch) -> FittedView:
    """Fit the named view on a batch of the pool, with the defaults of options that its component leaves out."""
    entry = views[component.name]
    view: type[FittedView] = entry.load()
    defaults = dict(entry.defaults) if entry.settles is None else {}
    return view.fit(batch, defaults | component.keywords())
