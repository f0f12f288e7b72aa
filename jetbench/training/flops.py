"""What a network computes for one jet."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from jetbench.data.batch import JetTensors
from jetbench.models.network import Network
from jetbench.training.device import device
from jetbench.views.view import FittedView

__all__ = ["forward_flops"]

COUNTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


def forward_flops(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray) -> int:
    """Count the floating-point operations of a forward pass of the first of the jets at `rows` (n,): multiplications and
    additions of linear layers and of convolutions, beside which the rest is small. The network's mode stays as it is.

    Torch's own counter says the same, but takes seconds to begin in each process."""
    total, training = 0, network.training

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += 2 * output.numel() * _summed(layer)

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, COUNTED)]
    network.eval()
    with torch.inference_mode():
        network(view(jets.batch(torch.from_numpy(rows[:1]))).to(device()))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total


def _summed(layer: nn.Module) -> int:
    """How many products are added up to one number of the layer's output."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    return layer.in_channels // layer.groups * math.prod(layer.kernel_size)
