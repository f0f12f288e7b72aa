"""Jets with a teacher beside their labels, as a run has them that follows stored scores."""

from __future__ import annotations

import torch
from torch.nn.functional import one_hot

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.objectives.distilled import PROBABILITIES

__all__ = ["taught"]


def taught(jets: Jets) -> JetTensors:
    """Return the jets as tensors; the teacher is the surer the further a jet stands down, from 0.6 for its own class to 0.95."""
    tensors, classes = JetTensors(jets), len(jets.meta.class_names)
    own = one_hot(tensors.targets["label"].long(), classes).float()
    sure = torch.linspace(0.6, 0.95, len(jets))[:, None]
    tensors.targets[PROBABILITIES] = sure * own + (1 - sure) * (1 - own) / (classes - 1)
    return tensors
