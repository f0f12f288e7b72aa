"""BYOL: from one view of a jet, what a slowly moving teacher sees in another view of it is predicted; no jet repels another."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from jetbench.models.network import Network
from jetbench.objectives.base import Look, TwoViews
from jetbench.objectives.projections import normalised_projection
from jetbench.objectives.teacher import follow, rising_momentum, teacher_of
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["BYOL", "regression_loss"]


def regression_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Return the squared distance between prediction and target (n, d), both scaled to the norm one, mean over the batch, in fp32
    (Grill et al., arXiv:2006.07733, equation 2)."""
    with torch.autocast(prediction.device.type, enabled=False):
        return 2 - 2 * F.cosine_similarity(prediction.float(), target.float(), dim=1).mean()


class BYOL(TwoViews):
    """Each view predicts the teacher's projection of the other, and both losses add up. Teacher and predictor are part of the
    objective. Projection and predictor have a hidden layer, as published twice as wide as the features; `momentum` is where the
    teacher's begins, 0.99 as published for its shorter trainings (0.996 for 1000 epochs), and rises to one."""

    def __init__(self, network: Network, task: Task, look: Look, projection: int = 128, momentum: float = 0.99) -> None:
        super().__init__(network, task, look)
        features = network.encoder.features
        self.projection = normalised_projection(features, 2 * features, projection)
        self.predictor = normalised_projection(projection, 2 * features, projection)
        self.teacher, self.teacher_projection = teacher_of(network.encoder), teacher_of(self.projection)
        self.momentum = momentum

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        first, second = (self.predictor(self.projection(features)) for features in self.features(network, inputs))
        with torch.no_grad():
            seen = self.teacher(Inputs.join(inputs)).chunk(2)
            first_target, second_target = (self.teacher_projection(features) for features in seen)
        return {"loss": regression_loss(first, second_target) + regression_loss(second, first_target)}

    def after_step(self, network: Network, progress: float) -> None:
        """Move the teacher."""
        momentum = rising_momentum(self.momentum, progress)
        follow(self.teacher, network.encoder, momentum)
        follow(self.teacher_projection, self.projection, momentum)
