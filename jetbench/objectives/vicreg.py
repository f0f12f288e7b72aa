"""VICReg: two views of a jet agree, each dimension varies over the batch, and no two dimensions vary together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.models.network import Network
from jetbench.objectives.barlow_twins import off_diagonal
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import normalised_projection
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["VICReg", "covariance", "variance"]

HINGE, EPSILON = 1.0, 1e-4  # gamma and epsilon of the paper, section 4.1


def variance(z: Tensor) -> Tensor:
    """Return how much the standard deviation of each dimension of z (n, d) is short of one, mean over the dimensions (Bardes et
    al., arXiv:2105.04906, equations 1 and 2)."""
    return F.relu(HINGE - (z.var(dim=0) + EPSILON).sqrt()).mean()


def covariance(z: Tensor) -> Tensor:
    """Return the sum of the squared covariances between different dimensions of z (n, d), over d (equations 3 and 4)."""
    centred = z - z.mean(dim=0)
    return off_diagonal(centred.T @ centred / (len(z) - 1)).square().sum() / z.shape[1]


class VICReg(TwoViews):
    """Weights of the three terms by name. As the published code has it, the invariance is the mean over the dimensions as well,
    the variance that of both views, and the covariance their sum. The projection is that of Barlow Twins, as in the paper."""

    def __init__(
        self,
        network: Network,
        task: Task,
        look: Look,
        projection: int = 256,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
    ) -> None:
        super().__init__(network, task, look)
        self.projection = normalised_projection(network.encoder.features, projection, projection, projection)
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        first, second = (self.projection(features) for features in self.features(network, inputs))
        with torch.autocast(first.device.type, enabled=False):
            first, second = first.float(), second.float()
            terms = {
                "invariance": F.mse_loss(first, second),
                "variance": (variance(first) + variance(second)) / 2,
                "covariance": covariance(first) + covariance(second),
            }
            loss = torch.stack([weight * terms[name] for name, weight in self.weights.items()]).sum()
        return {"loss": loss, **{name: term.detach() for name, term in terms.items()}}
