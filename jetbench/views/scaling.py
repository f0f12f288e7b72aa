"""Scaling of images to the size of one: fitted once on the pool, kept with the weights, used by every later stage."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from jetbench.jets import Channel
from jetbench.values import Value

__all__ = ["Scaling", "fit_scaling"]


class ChannelScaling(Value):
    """y = f(x/x0)/spread with f = log1p, or asinh for a channel that can be negative. No clipping, no per-jet factor."""

    function: Literal["log1p", "asinh"]
    x0: float  # in the channel's unit
    spread: float


class Scaling(Value):
    """One scaling per channel."""

    channels: tuple[ChannelScaling, ...]

    def __call__(self, images: Tensor) -> Tensor:
        """images (n, channels, rows, columns) in the channels' units -> the same shape, without unit."""
        out = torch.empty_like(images)
        for i, channel in enumerate(self.channels):
            function = torch.log1p if channel.function == "log1p" else torch.asinh
            torch.div(function(images[:, i] / channel.x0), channel.spread, out=out[:, i])
        return out


def fit_scaling(images: Tensor, channels: tuple[Channel, ...]) -> Scaling:
    """Fit x0, the median of a channel's |non-zero pixels|, and the spread, the root mean square of all transformed pixels."""
    return Scaling(channels=tuple(_fit_channel(images[:, i], c) for i, c in enumerate(channels)))


def _fit_channel(pixels: Tensor, channel: Channel) -> ChannelScaling:
    hit = pixels[pixels != 0]
    function: Literal["log1p", "asinh"] = "asinh" if channel.combine == "mean" or bool((hit < 0).any()) else "log1p"
    if len(hit) == 0:
        return ChannelScaling(function=function, x0=1.0, spread=1.0)
    x0 = float(hit.abs().median())
    transformed = (torch.log1p if function == "log1p" else torch.asinh)(pixels / x0)
    return ChannelScaling(function=function, x0=x0, spread=float(transformed.double().square().mean().sqrt()))
