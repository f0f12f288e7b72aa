"""Inputs in another range than those of the pretraining."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

from pydantic import SerializeAsAny

from jetbench.faults.fault import Fault
from jetbench.spec import Scalar
from jetbench.views.view import FittedView

if TYPE_CHECKING:
    import torch

    from jetbench.data.batch import Batch
    from jetbench.jets import Channel
    from jetbench.training.bundle import Preprocessing
    from jetbench.views.inputs import Inputs
    from jetbench.views.mixing import Mixing

__all__ = ["Magnified", "Range255"]

FACTOR = 255.0


class Magnified(FittedView):
    """Another view whose scaled tensors are `factor` times as large; what is no number of a jet, as a mask, stays."""

    inner: SerializeAsAny[FittedView]
    factor: float

    @classmethod
    def fit(cls, batch: Batch, options: Mapping[str, Scalar]) -> Self:
        raise NotImplementedError("it is made of a view that was fitted")

    def __call__(self, batch: Batch) -> Inputs:
        return self._magnified(self.inner(batch))

    def unscaled(self, batch: Batch) -> Inputs:
        return self.inner.unscaled(batch)

    def scale(self, inputs: Inputs) -> Inputs:
        return self._magnified(self.inner.scale(inputs))

    def told(self, channels: tuple[Channel, ...]) -> str:
        return self.inner.told(channels)

    def mixed(self, batch: Batch, mixing: Mixing) -> Inputs:
        return self._magnified(self.inner.mixed(batch, mixing))

    def hide(self, batch: Batch, share: float, rng: torch.Generator) -> Inputs:
        return self._magnified(self.inner.hide(batch, share, rng))

    @property
    def hidden_widths(self) -> tuple[int, int]:
        return self.inner.hidden_widths

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return self.inner.shapes

    def _magnified(self, inputs: Inputs) -> Inputs:
        scaled = {name: self.factor * one if one.is_floating_point() else one for name, one in inputs.tensors.items()}
        return inputs.with_tensors(**scaled)


class Range255(Fault):
    def preprocessing(self, preprocessing: Preprocessing) -> Preprocessing:
        changed: Preprocessing = preprocessing.replace(fitted=Magnified(inner=preprocessing.fitted, factor=FACTOR))
        return changed
