"""ResNet-15: a 3×3 stem and stages of two basic blocks; 15 convolutions with three stages (two of them 1×1 shortcuts)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models.widths import read_widths
from jetbench.views.inputs import Inputs

__all__ = ["ResNet15"]

GROUPS = 8


def _norm(kind: str) -> Callable[[int], nn.Module]:
    if kind == "group":
        return lambda width: nn.GroupNorm(min(GROUPS, width), width)
    if kind == "batch":
        return nn.BatchNorm2d
    raise SuiteError(f"norm is 'group' or 'batch', not {kind!r}")


class BasicBlock(nn.Module):
    """conv-norm-relu-conv-norm plus a shortcut, which is a normalised 1×1 convolution where the shape changes."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = norm(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x), inplace=True)


class ResNet15(nn.Module):
    """The tensor `image` (n, channels, rows, columns) -> features (n, `features`), by global average pooling.

    The defaults 16-32-64 with norm="batch" are the published electron/photon form (174 529 parameters with two channels and
    one linear output); norm="group" and stages="64-128-256-512" with dropout that of the SSL jet-image recipe. Group
    normalisation does not mix the jets of a batch, which two views of one jet, a small budget and evaluation all need.
    """

    def __init__(
        self, shapes: Mapping[str, tuple[int, ...]], stages: str = "16-32-64", norm: str = "group", dropout: float = 0.0
    ) -> None:
        super().__init__()
        channels = shapes["image"][0]
        widths = read_widths("stages of resnet15", stages)
        make = _norm(norm)
        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False), make(widths[0]), nn.ReLU(inplace=True)]
        inputs = widths[0]
        for stage, width in enumerate(widths):
            layers += [BasicBlock(inputs, width, 1 if stage == 0 else 2, make), BasicBlock(width, width, 1, make)]
            inputs = width
        self.layers = nn.Sequential(*layers)
        self.dropout = nn.Dropout(dropout)
        self.features = inputs
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, inputs: Inputs) -> Tensor:
        return self.dropout(self.layers(inputs["image"]).float().mean(dim=(2, 3)))
