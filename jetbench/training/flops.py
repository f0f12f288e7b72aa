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
JETS = 64  # of the batch that is counted: a view pads to the longest jet of a batch


def forward_flops(network: Network, view: FittedView, jets: JetTensors, rows: np.ndarray) -> int:
    """Count the floating-point operations per jet of a forward pass on the first of the jets at `rows` (n,): multiplications and
    additions of linear layers and of convolutions, the rest being small beside them. The network's mode stays as it is."""
    total, training = 0, network.training

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += 2 * output.numel() * _summed(layer)

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, COUNTED)]
    network.eval()
    shown = torch.from_numpy(rows[:JETS])
    with torch.inference_mode():
        network(view(jets.batch(shown)).to(device()))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total // len(shown)


def _summed(layer: nn.Module) -> int:
    """How many products are added up to one number of the layer's output."""
    if isinstance(layer, nn.Linear):
        return layer.in_features
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    return layer.in_channels // layer.groups * math.prod(layer.kernel_size)
