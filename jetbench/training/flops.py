"""How much a network computes for one jet."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from jetbench.data.batch import JetTensors
from jetbench.models.network import Network
from jetbench.training.device import device
from jetbench.views.view import FittedView

__all__ = ["forward_flops"]


def forward_flops(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray) -> int:
    """Count the floating-point operations of a forward pass of the first of the jets at `rows` (n,): a multiplication and an
    addition are two. Convolutions and products of matrices count, as torch's counter has it; what is done element by element does
    not. The network's mode stays as it is."""
    batch = jets.batch(torch.from_numpy(rows[:1]))
    training = network.training
    network.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(view(batch).to(device()))
    network.train(training)
    return int(counter.get_total_flops())
