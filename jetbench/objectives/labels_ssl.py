"""Labels and pool together: in each step the task's loss on the label budget, and a self-supervised one on jets of the pool."""

from __future__ import annotations

from torch import Tensor

from jetbench.models.network import Network
from jetbench.objectives import objectives
from jetbench.objectives.base import Look, Objective
from jetbench.objectives.supervised import ClassWeights, Supervised
from jetbench.tasks.task import Task
from jetbench.views.inputs import Inputs

__all__ = ["LabelsAndPool"]


class LabelsAndPool(Supervised):
    """The supervised loss plus `weight` times that of the objective `ssl`, with its default options, which looks at as many jets
    of the pool as the batch of the budget has, augmented alike (S4L: Zhai et al., arXiv:1905.03670, equation 1)."""

    beside: Objective

    def __init__(
        self,
        network: Network,
        task: Task,
        look: Look,
        ssl: str = "simclr",
        weight: float = 1.0,
        class_weights: ClassWeights = "none",
    ) -> None:
        super().__init__(network, task, look, class_weights)
        self.beside = objectives[ssl].load()(network, task, look)
        self.weight = weight

    def forward(self, network: Network, inputs: tuple[Inputs, ...]) -> dict[str, Tensor]:
        labelled, *unlabelled = inputs
        out, beside = super().forward(network, (labelled,)), self.beside(network, tuple(unlabelled))
        both = {"supervised_loss": out["loss"].detach(), "unlabelled_loss": beside["loss"].detach()}
        return {**out, **both, "loss": out["loss"] + self.weight * beside["loss"]}

    def after_step(self, network: Network, progress: float) -> None:
        """Move what the objective on the pool moves."""
        self.beside.after_step(network, progress)
