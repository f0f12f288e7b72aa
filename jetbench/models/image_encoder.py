"""What the encoders of images have in common: named parts in a row, initial weights, and a stem that is fit for the image."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from jetbench.models.blocks import Norm
from jetbench.views.inputs import Inputs

__all__ = ["ImageEncoder", "stem"]

LARGEST = 48  # pixels of the shorter side that the stages look at


class ImageEncoder(nn.Sequential):
    """The tensor `image` (n, channels, rows, columns) -> features (n, `features`), by `parts` in their order. Convolutions begin
    with the weights of He et al., arXiv:1502.01852."""

    def __init__(self, parts: Mapping[str, nn.Module], features: int) -> None:
        super().__init__(OrderedDict(parts))
        self.features = features
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, inputs: Inputs) -> Tensor:
        return super().forward(inputs["image"])


def stem(image: tuple[int, ...], width: int, norm: Norm) -> dict[str, nn.Module]:
    """Build the first convolution for images (channels, rows, columns), 3×3 of stride 1.

    Where the shorter side has more than 48 pixels, the stride is 2, and while that leaves more, 2×2 pixels are pooled into their
    largest: 125 pixels come out as 31, and all later stages cost what they cost on a small image.
    """
    side = min(image[1:])
    stride = 1 if side <= LARGEST else 2
    side, pools = -(-side // stride), list[nn.Module]()
    while side > LARGEST:
        side //= 2
        pools.append(nn.MaxPool2d(2))
    first = nn.Conv2d(image[0], width, 3, stride, 1, bias=False)
    return {"conv1": first, "bn1": norm(width), "relu": nn.ReLU(inplace=True), "pool": nn.Sequential(*pools)}
