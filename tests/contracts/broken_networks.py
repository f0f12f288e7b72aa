"""An encoder of sets that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

import itertools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jetbench.views.inputs import Inputs

COUNT = itertools.count(1)


class Sums(nn.Module):
    """Features are a layer of the sum of a layer of each constituent."""

    features = 8
    local_features = 16

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(shapes["constituents"][1], 16), nn.Linear(16, 8)

    def parts(self, inputs: Inputs) -> Tensor:
        return self.first(inputs["constituents"]).tanh() * inputs.mask[..., None]

    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        return self.parts(inputs), inputs.mask

    def forward(self, inputs: Inputs) -> Tensor:
        return self.last(self.parts(inputs).float().sum(dim=1) / 20)


class Wide(Sums):
    features = 9


class Double(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        return super().forward(inputs).double()


class DoubleBuffer(Sums):
    def __init__(self, shapes: Any) -> None:
        super().__init__(shapes)
        self.register_buffer("scale", torch.ones((), dtype=torch.float64))


class OtherMask(Sums):
    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        return self.parts(inputs), torch.ones_like(inputs.mask)


class Counted(Sums):
    def __init__(self, shapes: Any) -> None:
        super().__init__(shapes)
        with torch.no_grad():
            self.first.bias.fill_(next(COUNT))


class Unused(Sums):
    def __init__(self, shapes: Any) -> None:
        super().__init__(shapes)
        self.spare = nn.Linear(2, 2)


class InPlace(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        inputs["constituents"].mul_(2)
        return super().forward(inputs)


class Dropout(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        return F.dropout(super().forward(inputs), 0.5, training=True)


class LeakyNorm(Sums):
    """Batch normalisation that follows what it is shown in evaluation too."""

    def __init__(self, shapes: Any) -> None:
        super().__init__(shapes)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, inputs: Inputs) -> Tensor:
        x, norm = super().forward(inputs), self.norm
        F.batch_norm(x, norm.running_mean, norm.running_var, training=True)
        return norm.weight * x + norm.bias


class OfTheBatch(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        x = super().forward(inputs)
        return x - x.mean(dim=0) / 2


class Unregistered(Sums):
    """A running mean that is a plain attribute, which no state holds."""

    def __init__(self, shapes: Any) -> None:
        super().__init__(shapes)
        self.mean = torch.zeros(8)

    def forward(self, inputs: Inputs) -> Tensor:
        x = super().forward(inputs)
        if self.training:
            self.mean = 0.5 * self.mean + 0.5 * x.detach().mean(dim=0)
        return x - self.mean


class LoadsOther(Sums):
    def load_state_dict(self, state: Any, strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict({name: 2 * tensor for name, tensor in state.items()}, strict, assign)


class Coarse(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        x = self.first(inputs["constituents"]) * inputs.mask[..., None]
        return self.last((x + 300 - 300).tanh().float().sum(dim=1) / 20)


class Chaotic(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        return (1e5 * super().forward(inputs)).sin()


class Ordered(Sums):
    def parts(self, inputs: Inputs) -> Tensor:
        return super().parts(inputs) * torch.arange(1, 1 + inputs.mask.shape[1])[:, None]


class Unmasked(Sums):
    def parts(self, inputs: Inputs) -> Tensor:
        return self.first(inputs["constituents"]).tanh()


class Divided(Sums):
    def forward(self, inputs: Inputs) -> Tensor:
        return super().forward(inputs) / inputs.mask.sum(dim=1, keepdim=True)


class FixedImages(nn.Module):
    """Of images of 12×12 pixels alone."""

    features = 4

    def __init__(self, shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.layer = nn.Linear(shapes["image"][0] * 144, 4)

    def forward(self, inputs: Inputs) -> Tensor:
        return self.layer(inputs["image"].flatten(1))
