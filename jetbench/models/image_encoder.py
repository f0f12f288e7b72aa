"""What the encoders of images have in common: named parts in a row, initial weights, and a stem that is fit for the image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from itertools import takewhile

import torch
from torch import Tensor, nn

from jetbench.models.blocks import GlobalPool, Norm
from jetbench.models.halvings import halvings
from jetbench.views.inputs import Inputs

__all__ = ["ImageEncoder", "stem"]


class ImageEncoder(nn.Sequential):
    """The tensor `image` (n, channels, rows, columns) -> features (n, `features`), by `parts` in their order. Convolutions begin
    with the weights of He et al., arXiv:1502.01852."""

    def __init__(self, parts: Mapping[str, nn.Module], features: int) -> None:
        super().__init__(OrderedDict(parts))
        self.features = self.local_features = features
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, inputs: Inputs) -> Tensor:
        return super().forward(inputs["image"])

    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Compute the features of each place (n, places, `local_features`) that are pooled, and a mask that is true for all."""
        x = inputs["image"]
        for part in takewhile(lambda part: not isinstance(part, GlobalPool), self):
            x = part(x)
        features = x.flatten(2).transpose(1, 2)
        return features, torch.ones(features.shape[:2], dtype=torch.bool, device=x.device)


def stem(image: tuple[int, ...], width: int, norm: Norm) -> dict[str, nn.Module]:
    """Build the first convolution for images (channels, rows, columns), 3×3 of stride 1.

    Large images are halved, first by a stride of 2, and then by pooling 2×2 pixels into their largest: 125 pixels come out as
    31, and all later stages cost what they cost on a small image.
    """
    channels, rows, columns = image
    halved = halvings(rows, columns)
    first = nn.Conv2d(channels, width, 3, 2 if halved else 1, 1, bias=False)
    pools = [nn.MaxPool2d(2) for _ in range(halved - 1)]
    return {"conv1": first, "bn1": norm(width), "relu": nn.ReLU(inplace=True), "pool": nn.Sequential(*pools)}
