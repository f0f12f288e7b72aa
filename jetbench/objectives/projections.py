"""Projection heads: what a self-supervised loss looks at instead of the encoder's features, and is thrown away afterwards."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

__all__ = ["normalised_projection", "plain_projection"]


def plain_projection(features: int, projection: int) -> nn.Sequential:
    """Build two layers from (n, features) to (n, projection), the hidden one as wide as the features (SimCLR,
    arXiv:2002.05709, section 4.2)."""
    return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Linear(features, projection))


def normalised_projection(*widths: int) -> nn.Sequential:
    """Build linear layers from (n, first width) to (n, last width); all but the last are followed by batch normalisation and ReLU
    (Barlow Twins, arXiv:2103.03230; VICReg, arXiv:2105.04906; BYOL, arXiv:2006.07733)."""
    *hidden, last = widths
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(hidden):
        layers += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]  # the norm would undo a bias
    return nn.Sequential(*layers, nn.Linear(hidden[-1], last))
