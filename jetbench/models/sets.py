"""What the encoders of constituents have in common: padding has no part in what they normalise, compare, attend to and sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Attention", "Nearest", "PhysicalEncoder", "Products", "SetNorm", "masked_mean", "masked_sum", "where_real"]

SCALE = 20.0  # constituents that a jet has about: their summed features stay of the size of one


class Products(nn.Module, ABC):
    """A layer without weights that multiplies what it is given with each other."""

    @abstractmethod
    def flops(self, given: tuple[Any, ...]) -> int:
        """Count the multiplications and additions of a call with these arguments."""


class PhysicalEncoder(nn.Module, ABC):
    """An encoder that needs features of constituents in their own units, and undoes the scaling of the view for it."""

    @abstractmethod
    def unscale(self, mean: Sequence[float], spread: Sequence[float]) -> None:
        """Take what the view has subtracted from each feature, and what it has divided it by."""


class SetNorm(nn.BatchNorm1d):
    """Batch normalisation of rows (rows, width), those of real elements alone; of fewer than two, which have no spread, by the
    running mean and variance."""

    def forward(self, rows: Tensor) -> Tensor:
        if self.training and len(rows) < 2:
            return F.batch_norm(rows, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)
        return super().forward(rows)


class Attention(Products):
    """Queries, keys and values (n, heads, elements, width) and what each query may look at -> (n, heads, elements, width)."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, seen: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=seen, dropout_p=dropout)

    def flops(self, given: tuple[Any, ...]) -> int:
        queries, keys = given[:2]
        return 4 * queries.numel() * keys.shape[2]  # their products with the keys, and the means of the values


class Nearest(Products):
    """Points (n, elements, dimensions) and their mask (n, elements) -> the indices (n, elements, k) of the nearest real other
    points of each one, and which of these there are: a jet may have fewer than k + 1, and padding has no neighbours."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @torch.no_grad()
    def forward(self, points: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        elements = points.shape[1]
        itself = torch.eye(elements, dtype=torch.bool, device=points.device)
        with torch.autocast(points.device.type, enabled=False):  # in bf16 many would be equally far
            apart = _distances(points.float())
        apart = apart.masked_fill(itself | ~mask[:, None], torch.inf)
        nearest = apart.topk(min(self.number, elements), largest=False)
        return nearest.indices, nearest.values.isfinite() & mask[..., None]

    def flops(self, given: tuple[Any, ...]) -> int:
        return 3 * given[0].numel() * given[0].shape[1]  # differences, their squares and the sum


def _distances(points: Tensor) -> Tensor:
    """The distance of each point from each other one (n, elements, elements), by differences, which near ones keep the digits of;
    ONNX knows no function that computes them without all of them in memory."""
    if torch.compiler.is_exporting():
        return (points[:, :, None] - points[:, None]).square().sum(dim=-1).sqrt()
    return torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")


def where_real(layers: nn.Module, elements: Tensor, mask: Tensor) -> Tensor:
    """Apply layers for rows to elements (…, width) where the mask (…) is true; zero elsewhere.

    Only these are computed, so that statistics of a batch do not depend on padding; a graph for other programs, whose shapes are
    fixed and which has no such statistics, computes all.
    """
    if torch.compiler.is_exporting():
        found: Tensor = layers(elements.flatten(0, -2))
        return found.view(*mask.shape, -1) * mask[..., None]
    rows = layers(elements[mask])
    padded = rows.new_zeros(*mask.shape, rows.shape[-1])
    padded[mask] = rows
    return padded


def masked_sum(elements: Tensor, mask: Tensor) -> Tensor:
    """Sum elements (n, elements, width) where the mask is true, in units of the number that a jet has about: (n, width) in fp32,
    since a sum of many loses digits in bf16."""
    return (elements.float() * mask[..., None]).sum(dim=1) / SCALE


def masked_mean(elements: Tensor, mask: Tensor) -> Tensor:
    """Average elements (…, elements, width) where the mask is true: (…, width) in fp32, zero where there is none."""
    return (elements.float() * mask[..., None]).sum(dim=-2) / mask.sum(dim=-1, keepdim=True).clamp(min=1)
