"""The image view: deposits rendered on a pixel grid with one scatter-add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self

import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.jets import Channel, Grid, Meta
from jetbench.spec import Scalar
from jetbench.views.alignment import align
from jetbench.views.channels import Shown, show_channels, shown_channels
from jetbench.views.frame import image_grid
from jetbench.views.inputs import Inputs
from jetbench.views.patches import Patches
from jetbench.views.scaling import Scaling, fit_scaling
from jetbench.views.view import FittedView

__all__ = ["ImageView", "render"]

TURNED = (
    "Jets are turned first, so that the principal axis of their pT lies along eta, and mirrored, so that the quadrant with the "
    "most pT has positive eta and phi. "
)


class ImageView(FittedView):
    """Batch -> `image` (n, channels, rows, columns), without unit: pixels of `frame`, scaled.

    The channels are those of the jets, or their pT alone where `channels` is "pt". With `align` jets are brought into one
    orientation before."""

    frame: Grid
    scaling: Scaling
    channels: Shown = "all"
    align: Literal["principal"] | None = None

    @classmethod
    def fit(cls, batch: Batch, options: Mapping[str, Scalar]) -> Self:
        frame, shown, chosen = image_grid(options), shown_channels(options), options.get("align")
        seen = show_channels(align(batch) if chosen else batch, shown)
        scaling = fit_scaling(render(seen, frame), seen.meta.channels)
        return cls.model_validate({"frame": frame, "scaling": scaling, "channels": shown, "align": chosen})

    def __call__(self, batch: Batch) -> Inputs:
        return self.scale(self.unscaled(batch))

    def unscaled(self, batch: Batch) -> Inputs:
        seen = show_channels(align(batch) if self.align else batch, self.channels)
        return Inputs({"image": render(seen, self.frame)})

    def scale(self, inputs: Inputs) -> Inputs:
        return Inputs({"image": self.scaling(inputs["image"])})

    def hide(self, batch: Batch, share: float, rng: torch.Generator) -> Inputs:
        """Hide square patches, which then look empty. The place of a patch is its centre in units of the frame's half-widths, its
        content its pixels, scaled. The orientation of `align` is that of the whole jet."""
        image, patches = self.unscaled(batch)["image"], self._patches
        drawn = torch.rand(len(image), *patches.shape, generator=rng) < share
        shown = self.scale(Inputs({"image": image * ~patches.pixels(drawn)[:, None]}))
        place, content = patches.centres().expand(len(image), -1, -1), patches.contents(self.scaling(image))
        return shown.with_tensors(place=place, content=content, hidden=drawn.flatten(1))

    @property
    def hidden_widths(self) -> tuple[int, int]:
        return 2, len(self.scaling.channels) * self._patches.edge**2

    @property
    def _patches(self) -> Patches:
        return Patches(self.frame.rows, self.frame.columns)

    def told(self, channels: tuple[Channel, ...]) -> str:
        frame = self.frame
        return (
            f"{TURNED if self.align else ''}`image` (n, {len(self.scaling.channels)}, {frame.rows}, {frame.columns}) float32 has "
            f"{frame.rows} rows along eta over ±{frame.eta_extent:g} and {frame.columns} columns along phi over "
            f"±{frame.phi_extent:g} around the jet axis, both rising; deposits outside are left out. Its channels, not scaled, "
            f"are over the deposits of a pixel {_pixels_told(channels, self.channels)}."
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {"image": (len(self.scaling.channels), self.frame.rows, self.frame.columns)}


def _pixels_told(channels: tuple[Channel, ...], shown: Shown) -> str:
    """What a pixel holds of each channel."""
    if shown == "pt":
        summed = [channel for channel in channels if channel.role == "pt"]
        return f"one: the sum of {' + '.join(one.name for one in summed)} [{summed[0].unit or 'no unit'}]"
    each = (
        f"{one.name} [{one.unit or 'no unit'}], {f'the mean weighted by {one.weight}' if one.combine == 'mean' else 'the sum'}"
        for one in channels
    )
    return f"in this order: {'; '.join(each)}"


def render(batch: Batch, grid: Grid) -> Tensor:
    """Render images (size, channels, rows, columns): rows along eta, columns along phi. Extensive channels are summed in a pixel,
    mean channels averaged with the weight of their named channel. Deposits outside the grid are lost."""
    row = torch.floor((batch.eta / grid.eta_extent + 1) * (grid.rows / 2)).long()
    column = torch.floor((batch.phi / grid.phi_extent + 1) * (grid.columns / 2)).long()
    inside = (row >= 0) & (row < grid.rows) & (column >= 0) & (column < grid.columns)
    pixel = ((batch.jet * grid.rows + row) * grid.columns + column)[inside]
    values = batch.values[inside]
    image = values.new_zeros(batch.size * grid.rows * grid.columns, values.shape[1])
    image.index_add_(0, pixel, _weighted(values, batch.meta))
    _divide_means(image, pixel, values, batch.meta)
    return image.view(batch.size, grid.rows, grid.columns, -1).permute(0, 3, 1, 2).contiguous()


def _means(meta: Meta) -> list[tuple[int, int]]:
    """(mean channel, its weight channel) of every mean channel."""
    return [(i, meta.channel(c.weight)) for i, c in enumerate(meta.channels) if c.combine == "mean" and c.weight]


def _weighted(values: Tensor, meta: Meta) -> Tensor:
    means = _means(meta)
    if not means:
        return values
    values = values.clone()
    for channel, weight in means:
        values[:, channel] *= values[:, weight]
    return values


def _divide_means(image: Tensor, pixel: Tensor, values: Tensor, meta: Meta) -> None:
    """Turn weighted sums into means, in place. A pixel that one deposit alone has hit takes its value as it is, so that an
    image survives bit for bit; one whose weights add up to zero takes the plain mean."""
    means = _means(meta)
    if not means:
        return
    hits = torch.bincount(pixel, minlength=len(image))
    alone = hits[pixel] == 1
    for channel, weight in means:
        total = image.new_zeros(len(image)).index_add_(0, pixel, values[:, weight])
        plain = image.new_zeros(len(image)).index_add_(0, pixel, values[:, channel]) / hits.clamp(min=1)
        mean = torch.where(total != 0, image[:, channel] / torch.where(total != 0, total, 1), plain)
        mean[pixel[alone]] = values[alone, channel]
        image[:, channel] = mean
