"""Distillation: a student follows the probabilities that a finished run, its teacher, gives to the classes of each jet."""

from __future__ import annotations

from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.models.network import Network
from jetbench.objectives.base import Look
from jetbench.objectives.supervised import Supervised
from jetbench.tasks.task import Task

__all__ = ["PROBABILITIES", "Distilled", "softened"]

PROBABILITIES = "teacher_probabilities"  # among the targets of jets: (n, classes)


def softened(probabilities: Tensor, temperature: float) -> Tensor:
    """Return the softmax of logits over a temperature (n, classes) from the probabilities (n, classes) that the logits have
    at 1. A class without any probability has none at any temperature."""
    powers = probabilities.pow(1 / temperature)  # which needs no logarithm of zero
    return powers / powers.sum(dim=1, keepdim=True)


class Distilled(Supervised):
    """T² times the loss of the task between the outputs over the temperature T and the teacher's probabilities, softened by it:
    of classes their cross-entropy. By the factor the gradient is as large at every temperature (Hinton et al.,
    arXiv:1503.02531, section 2). T is 2, of 1 to 10, which they tried, a low one: two classes tell nothing of likeness between
    wrong ones. Temperatures are of the loss alone: the student predicts at 1."""

    def __init__(self, network: Network, task: Task, look: Look, temperature: float = 2.0) -> None:
        super().__init__(network, task, look)
        self.temperature = temperature

    def encoded(self, jets: Batch) -> Tensor:
        return jets.targets[PROBABILITIES]

    def loss(self, outputs: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        return self.temperature**2 * super().loss(outputs / self.temperature, softened(target, self.temperature), weight)
