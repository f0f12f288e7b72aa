"""A view of sets that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from pydantic import PrivateAttr

from jetbench.data.batch import Batch
from jetbench.views.constituents import ConstituentsView
from jetbench.views.inputs import Inputs


def unsorted(meta: Any, **given: Any) -> Any:
    return (("number", 24), ("channels", "all"))


def times(seen: Inputs, factor: Any) -> Inputs:
    return replace(seen, tensors={name: tensor * factor for name, tensor in seen.tensors.items()})


class Good(ConstituentsView):
    pass


class Shapeless(Good):
    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"constituents": (self.number, 1)}


class Unmasked(Good):
    def __call__(self, batch: Batch) -> Inputs:
        seen = super().__call__(batch)
        return seen.with_tensors(constituents=seen["constituents"] + 1)


class Labelled(Good):
    @classmethod
    def fit(cls, batch: Batch, options: Any) -> Any:
        return super().fit(batch.keep(batch.targets["label"][batch.jet] == 1), options)


class OfTheBatch(Good):
    def __call__(self, batch: Batch) -> Inputs:
        return times(super().__call__(batch), 1 / batch.size)


class Ordered(Good):
    def __call__(self, batch: Batch) -> Inputs:
        return super().__call__(batch.replace(eta=batch.eta * torch.arange(len(batch.eta))))


class Divided(Good):
    def __call__(self, batch: Batch) -> Inputs:
        seen = super().__call__(batch)
        assert seen.mask is not None
        return times(seen, 1 / seen.mask.sum(dim=1)[:, None, None])


class InPlace(Good):
    def __call__(self, batch: Batch) -> Inputs:
        batch.eta.neg_()
        return super().__call__(batch)


class Forgetful(Good):
    _factor: float = PrivateAttr(default=1.0)

    @classmethod
    def fit(cls, batch: Batch, options: Any) -> Any:
        view = super().fit(batch, options)
        view._factor = 2.0
        return view


class Unscaled(Good):
    def scale(self, inputs: Inputs) -> Inputs:
        return inputs


class Unmixed(Good):
    def mixed(self, batch: Batch, mixing: Any) -> Inputs:
        return times(self(batch), 0.5)


class Narrow(Good):
    def hide(self, batch: Batch, share: float, rng: torch.Generator) -> Inputs:
        seen = super().hide(batch, share, rng)
        return seen.with_tensors(place=seen["place"][..., :1])
