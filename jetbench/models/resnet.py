"""Residual networks of 15 convolutions in the forms of the field, one with squeeze and excitation, and a deeper one.

Convolutions are counted with the two 1×1 shortcuts, for three stages.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from jetbench.models.blocks import BasicBlock, GlobalPool, Norm, normalisation, stage
from jetbench.models.image_encoder import ImageEncoder, stem
from jetbench.models.widths import read_widths

__all__ = ["ResNet15", "ResNet15Batch", "ResNet15EndToEnd", "ResNet27", "SEResNet15"]

Shapes = Mapping[str, tuple[int, ...]]


def _stages(widths: list[int], blocks: int, norm: Norm, squeeze: bool) -> dict[str, nn.Module]:
    """layer1, layer2, …: each but the first halves the image."""
    before = [widths[0], *widths]
    return {f"layer{i + 1}": stage(before[i], width, blocks, 1 if i == 0 else 2, norm, squeeze) for i, width in enumerate(widths)}


class ResNet15(ImageEncoder):
    """A 3×3 stem that is fit for the image's size, stages of two basic blocks, global average pooling.

    The defaults are those of the SSL jet-image recipe, which grows to 512 features with group normalisation and dropout; it
    tells no share of dropout, and 0.1 is ours. Group normalisation does not mix the jets of a batch, which two views of one jet,
    a small budget and evaluation all need.
    """

    blocks = 2
    squeeze = False

    def __init__(self, shapes: Shapes, stages: str = "64-128-256-512", norm: str = "group", dropout: float = 0.1) -> None:
        widths, make = read_widths("stages", stages), normalisation(norm)
        parts = stem(shapes["image"], widths[0], make) | _stages(widths, self.blocks, make, self.squeeze)
        super().__init__({**parts, "average": GlobalPool("mean"), "dropout": nn.Dropout(dropout)}, widths[-1])


class SEResNet15(ResNet15):
    """ResNet-15 whose blocks weigh their channels by squeeze and excitation before the sum, as SE-ResNet's do (Hu et al.,
    arXiv:1709.01507, figure 3)."""

    squeeze = True


class ResNet27(ResNet15):
    """ResNet-15 with four blocks in each stage instead of two."""

    blocks = 4


class ResNet15Batch(ImageEncoder):
    """The published electron/photon form: a 3×3 stem, 16-32-64 channels with batch normalisation. With two channels and one
    linear output it has 174 529 parameters, and its parts have the names of that network."""

    def __init__(self, shapes: Shapes) -> None:
        widths, make = [16, 32, 64], normalisation("batch")
        first = nn.Conv2d(shapes["image"][0], widths[0], 3, 1, 1, bias=False)
        parts = {"conv1": first, "bn1": make(widths[0]), "relu": nn.ReLU(inplace=True), **_stages(widths, 2, make, False)}
        super().__init__({**parts, "average": GlobalPool("mean")}, widths[-1])


class ResNet15EndToEnd(ImageEncoder):
    """The original of the CMS end-to-end studies (Andrews et al., arXiv:1807.11916): a 7×7 stem to 16 channels and max-pooling,
    three residual blocks of 16, one to 32 of stride 2, three of 32, and the largest of all pixels. Nothing is normalised.

    Each block's second convolution begins smaller by the root of the number of blocks, so that what the blocks add up to is of
    the size of what comes in (Hayou et al., arXiv:2010.12859).
    """

    def __init__(self, shapes: Shapes) -> None:
        parts: dict[str, nn.Module] = {
            "conv1": nn.Conv2d(shapes["image"][0], 16, 7, 1, 3),
            "relu": nn.ReLU(inplace=True),
            "pool": nn.MaxPool2d(2),
            "layer1": stage(16, 16, 3, 1, None),
            "layer2": stage(16, 32, 1, 2, None),
            "layer3": stage(32, 32, 3, 1, None),
            "largest": GlobalPool("max"),
        }
        super().__init__(parts, 32)
        blocks = [module for module in self.modules() if isinstance(module, BasicBlock)]
        with torch.no_grad():
            for block in blocks:
                block.conv2.weight.div_(len(blocks) ** 0.5)
