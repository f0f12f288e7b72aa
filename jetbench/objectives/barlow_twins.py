"""Barlow Twins: each dimension of the projection agrees between two views of a jet, and tells what no other dimension tells."""

from __future__ import annotations

import torch
from torch import Tensor

from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import normalised_projection
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["BarlowTwins", "cross_correlation", "off_diagonal"]

EPSILON = 1e-5  # of torch's batch normalisation, by which the published code normalises


def cross_correlation(first: Tensor, second: Tensor) -> Tensor:
    """Return the correlation (d, d) over the batch between the dimensions of two views' projections (n, d), in fp32 (Zbontar et
    al., arXiv:2103.03230, equation 2)."""
    with torch.autocast(first.device.type, enabled=False):
        return _normalised(first.float()).T @ _normalised(second.float()) / len(first)


def _normalised(z: Tensor) -> Tensor:
    return (z - z.mean(dim=0)) / (z.var(dim=0, unbiased=False) + EPSILON).sqrt()


def off_diagonal(matrix: Tensor) -> Tensor:
    """Return a square matrix with zeros on its diagonal."""
    return matrix - torch.diag(matrix.diagonal())


class BarlowTwins(TwoViews):
    """The sum of (1 - C_ii)² plus `redundancy` times that of the C_ij² beside the diagonal, of the cross-correlation C. The
    projection has three layers of one width, as published: four times the features there (8192 of 2048), and so by default of an
    encoder with 64."""

    def __init__(self, network: Network, task: Task, look: Look, projection: int = 256, redundancy: float = 0.005) -> None:
        super().__init__(network, task, look)
        self.projection = normalised_projection(network.encoder.features, projection, projection, projection)
        self.redundancy = redundancy

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        correlation = cross_correlation(*(self.projection(features) for features in self.features(network, inputs)))
        invariance = (1 - correlation.diagonal()).square().sum()
        redundancy = off_diagonal(correlation).square().sum()
        loss = invariance + self.redundancy * redundancy
        return {"loss": loss, "invariance": invariance.detach(), "redundancy": redundancy.detach()}
