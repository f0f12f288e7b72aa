"""SE-VGG: plain 3×3 convolutions in a row, with squeeze and excitation and a max-pooling after each stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import nn

from jetbench.models.blocks import GlobalPool, Norm, SqueezeExcitation, normalisation
from jetbench.models.image_encoder import ImageEncoder
from jetbench.models.widths import read_widths

__all__ = ["SEVGG"]


class SEVGG(ImageEncoder):
    """Stages of two convolutions, from the third on of three, whose channels are weighed before 2×2 pixels are pooled into their
    largest; global average pooling.

    The default widths are those of VGG's configuration D (Simonyan and Zisserman, arXiv:1409.1556, table 1); the published SE-VGG
    on jet images does not tell its own. A side of one pixel stays as it is, so that small images pass through all stages.
    """

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], stages: str = "64-128-256-512-512", norm: str = "batch") -> None:
        widths, make = read_widths("stages", stages), normalisation(norm)
        before = [shapes["image"][0], *widths]
        parts: dict[str, nn.Module] = {
            f"layer{i + 1}": nn.Sequential(*_layers(before[i], width, 2 if i < 2 else 3, make)) for i, width in enumerate(widths)
        }
        super().__init__({**parts, "average": GlobalPool("mean")}, widths[-1])


def _layers(inputs: int, width: int, convolutions: int, norm: Norm) -> Iterator[nn.Module]:
    for _ in range(convolutions):
        yield from (nn.Conv2d(inputs, width, 3, 1, 1, bias=False), norm(width), nn.ReLU(inplace=True))
        inputs = width
    yield SqueezeExcitation(width)
    yield nn.MaxPool2d(2, ceil_mode=True)
