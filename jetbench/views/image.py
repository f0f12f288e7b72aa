"""The image view: deposits rendered on a pixel grid with one scatter-add, and pixels turned into deposits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.jets import Channel, Grid, Jets, Meta, Provenance

__all__ = ["jets_from_images", "render"]


def render(batch: Batch, grid: Grid) -> Tensor:
    """Images (size, channels, rows, columns): rows along eta, columns along phi. Extensive channels are summed in a pixel,
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
        total = torch.zeros(len(image)).index_add_(0, pixel, values[:, weight])
        plain = torch.zeros(len(image)).index_add_(0, pixel, values[:, channel]) / hits.clamp(min=1)
        mean = torch.where(total != 0, image[:, channel] / torch.where(total != 0, total, 1), plain)
        mean[pixel[alone]] = values[alone, channel]
        image[:, channel] = mean


def jets_from_images(
    images: np.ndarray,
    channels: tuple[Channel, ...],
    grid: Grid,
    targets: dict[str, np.ndarray],
    class_names: tuple[str, ...] = (),
) -> Jets:
    """Jets whose deposits are the pixels of images (n, channels, rows, columns) float32 that are not zero in every channel,
    at the pixel centres. Rendering them on `grid` gives the images back bit for bit."""
    jet, row, column = np.nonzero((images != 0).any(axis=1))
    counts = np.bincount(jet, minlength=len(images))
    zeros = np.zeros(len(images), np.float32)
    return Jets(
        meta=Meta(channels=channels, class_names=class_names, grid=grid, provenance=Provenance(source="images")),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        eta=(((row + 0.5) / grid.rows * 2 - 1) * grid.eta_extent).astype(np.float32),
        phi=(((column + 0.5) / grid.columns * 2 - 1) * grid.phi_extent).astype(np.float32),
        values=np.ascontiguousarray(images[jet, :, row, column], dtype=np.float32),
        jet_eta=zeros,
        jet_phi=zeros,
        jet_pt=zeros,
        event=np.arange(len(images)),
        targets=targets,
    )
