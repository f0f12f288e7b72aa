"""What the convolutional encoders are made of: normalisation, squeeze and excitation, the residual block, pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from jetbench.errors import SuiteError

__all__ = ["BasicBlock", "GlobalPool", "Norm", "SqueezeExcitation", "normalisation", "stage"]

GROUPS = 8
REDUCTION = 16  # of the channels that squeeze and excitation looks at, as published
LEAST_SQUEEZED = 4  # channels that are left of few ones

Norm = Callable[[int], nn.Module]  # a normalisation of so many channels


def normalisation(kind: str) -> Norm:
    """Return what makes the normalisation of this kind, "group" or "batch". Raises `SuiteError` for another."""
    if kind == "group":
        return lambda width: nn.GroupNorm(min(GROUPS, width), width)
    if kind == "batch":
        return nn.BatchNorm2d
    raise SuiteError(f"norm is 'group' or 'batch', not {kind!r}")


class SqueezeExcitation(nn.Module):
    """Weigh the channels of (n, width, rows, columns) by a network of two layers of their means (Hu et al., arXiv:1709.01507)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        squeezed = max(LEAST_SQUEEZED, width // REDUCTION)
        self.weigh = nn.Sequential(nn.Linear(width, squeezed), nn.ReLU(), nn.Linear(squeezed, width), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weigh(x.mean(dim=(2, 3)))[:, :, None, None]


class BasicBlock(nn.Module):
    """conv-norm-relu-conv-norm plus a shortcut, which is a normalised 1×1 convolution where the shape changes; with `squeeze` the
    channels are weighed before the sum, and without a `norm` the convolutions have biases instead.

    The names are those of the published electron/photon network, whatever the normalisation is.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Norm | None, squeeze: bool = False) -> None:
        super().__init__()
        make, bias = norm or (lambda width: nn.Identity()), norm is None
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=bias)
        self.bn1 = make(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=bias)
        self.bn2 = make(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=bias), make(outputs))
        self.se = SqueezeExcitation(outputs) if squeeze else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.se(self.bn2(self.conv2(y))) + self.shortcut(x), inplace=True)


def stage(inputs: int, width: int, blocks: int, stride: int, norm: Norm | None, squeeze: bool = False) -> nn.Sequential:
    """Build residual blocks of one width; the first of them has the stride."""
    shapes = [(inputs, stride), *[(width, 1)] * (blocks - 1)]
    return nn.Sequential(*(BasicBlock(before, width, step, norm, squeeze) for before, step in shapes))


class GlobalPool(nn.Module):
    """(n, width, rows, columns) -> (n, width) in fp32: the mean or the largest of all pixels."""

    def __init__(self, kind: Literal["mean", "max"]) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: Tensor) -> Tensor:
        return x.float().mean(dim=(2, 3)) if self.kind == "mean" else x.float().amax(dim=(2, 3))
