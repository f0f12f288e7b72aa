"""What a network computes for one jet."""

from __future__ import annotations

import numpy as np
import torch

from jetbench.data.batch import JetTensors
from jetbench.models.cost import count_flops
from jetbench.models.network import Network
from jetbench.training.device import device
from jetbench.views.view import FittedView

__all__ = ["forward_flops"]


def forward_flops(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray) -> int:
    """Count the floating-point operations of a forward pass of the first of the jets at `rows` (n,), as `count_flops` does."""
    return count_flops(network, view(jets.batch(torch.from_numpy(rows[:1]))).to(device()))
