"""ParticleNet: convolutions over the nearest neighbours of each constituent, which are found anew among the features of each
layer."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from jetbench.errors import SuiteError
from jetbench.models.sets import Nearest, SetNorm, masked_mean, where_real
from jetbench.models.widths import read_widths
from jetbench.views.inputs import Inputs

__all__ = ["EdgeConv", "ParticleNet"]

DEPTH = 3  # linear layers of an edge convolution, as published
ANGLES = slice(0, 2)  # Δeta and Δphi among the features, by which the first neighbours are found


class EdgeConv(nn.Module):
    """Points (n, number, dimensions), features (n, number, inputs) and their mask -> features of another width.

    A network of each pair of a constituent and one of its neighbours, of x and x' − x, is averaged over the neighbours (Wang et
    al., arXiv:1801.07829). To that the "sum" adds a normalised linear map of x, while "concatenate" puts x beside it.
    """

    def __init__(self, inputs: int, width: int, neighbours: int, shortcut: str) -> None:
        super().__init__()
        joined = shortcut == "concatenate"
        self.nearest = Nearest(neighbours)
        self.edge = nn.Sequential(*_rows(2 * inputs, width, bias=joined))
        for _ in range(DEPTH - 1):
            self.edge.extend(_rows(width, width, bias=joined))
        self.shortcut = None if joined else nn.Sequential(nn.Linear(inputs, width, bias=False), SetNorm(width))
        self.features = width + inputs if joined else width

    def forward(self, points: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        nearest, there = self.nearest(points, mask)
        others = _gather(features, nearest)
        itself = features[:, :, None].expand_as(others)
        edges = where_real(self.edge, torch.cat([itself, others - itself], dim=-1), there)
        mean = masked_mean(edges, there).to(edges.dtype)
        if self.shortcut is None:
            return torch.cat([mean, features], dim=-1)
        return (mean + where_real(self.shortcut, features, mask)).relu()


class ParticleNet(nn.Module):
    """The tensor `constituents` (n, number, features) with its mask -> features (n, `features`): edge convolutions `layer1`,
    `layer2`, …, the mean over the constituents, a layer with dropout.

    Qu and Gouskos, arXiv:1902.08570: the defaults are those of ParticleNet-Lite; ParticleNet has blocks 64-128-256, 16 neighbours
    and a layer of 256. Neighbours are the nearest in eta and phi, then the nearest among features. Published networks take
    padding for constituents far away, and average over all; here a jet of few constituents has fewer neighbours. `blocks` are
    widths, joined by "-", and `connected` is that of the last layer; with the `shortcut` "concatenate" it is the network of the
    package jetnet (Kansal et al., arXiv:2106.11535).
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        blocks: str = "32-64",
        neighbours: int = 7,
        connected: int = 128,
        dropout: float = 0.1,
        shortcut: str = "sum",
    ) -> None:
        super().__init__()
        if shortcut not in ("sum", "concatenate"):
            raise SuiteError(f"shortcut is 'sum' or 'concatenate', not {shortcut!r}")
        if neighbours < 1:
            raise SuiteError(f"neighbours is {neighbours}; a constituent has at least one")
        width = shapes["constituents"][1]
        for i, block in enumerate(read_widths("blocks of particlenet", blocks)):
            layer = EdgeConv(width, block, neighbours, shortcut)
            self.add_module(f"layer{i + 1}", layer)
            width = layer.features
        self.connected = nn.Sequential(nn.Linear(width, connected), nn.ReLU(), nn.Dropout(dropout))
        self.local_features, self.features = width, connected

    def forward(self, inputs: Inputs) -> Tensor:
        pooled: Tensor = self.connected(masked_mean(*self.local(inputs)))
        return pooled

    def local(self, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Compute the features of each constituent (n, number, `local_features`), with their mask."""
        assert inputs.mask is not None
        features = inputs["constituents"]
        points = features[..., ANGLES]
        for name, layer in self.named_children():
            if name.startswith("layer"):
                features = points = layer(points, features, inputs.mask)
        return features, inputs.mask


def _rows(inputs: int, width: int, bias: bool) -> list[nn.Module]:
    return [nn.Linear(inputs, width, bias=bias), SetNorm(width), nn.ReLU()]


def _gather(features: Tensor, indices: Tensor) -> Tensor:
    """Features (n, number, width) at indices (n, number, k): (n, number, k, width)."""
    n, number, k = indices.shape
    rows = indices.reshape(n, number * k, 1).expand(-1, -1, features.shape[-1])
    return features.gather(1, rows).view(n, number, k, -1)
