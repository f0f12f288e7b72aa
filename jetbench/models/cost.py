"""What a network computes for one jet: parameters, floating-point operations, and shapes from the view to the outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from jetbench.models.network import Network
from jetbench.models.sets import Products
from jetbench.views.inputs import Inputs

__all__ = ["Cost", "count_flops", "network_cost", "shapes_text"]

COUNTED = (nn.Linear, nn.Conv1d, nn.Conv2d, Products)


@dataclass(frozen=True)
class Cost:
    """Parameters, the operations of a forward pass of one jet, and the shapes of its tensors, features and outputs in words."""

    parameters: int
    flops: int
    shapes: str


def network_cost(network: Network, shapes: Mapping[str, tuple[int, ...]], outputs: int) -> Cost:
    """Measure a network for inputs of these shapes; its mode stays as it is."""
    device = next(network.parameters()).device
    tensors = {name: torch.zeros(1, *shape, device=device) for name, shape in shapes.items()}
    elements = next(iter(shapes.values()))[0]
    mask = torch.ones(1, elements, dtype=torch.bool, device=device)  # of a set that is full
    flops = count_flops(network, Inputs(tensors, mask))
    return Cost(sum(p.numel() for p in network.parameters()), flops, shapes_text(shapes, network.encoder.features, outputs))


def shapes_text(shapes: Mapping[str, tuple[int, ...]], features: int, outputs: int) -> str:
    """Say what becomes of a jet: "image 3×32×32 → 512 features → 2 outputs"."""
    seen = ", ".join(f"{name} {'×'.join(map(str, shape))}" for name, shape in shapes.items())
    return f"{seen} → {features} features → {outputs} output{'s' if outputs > 1 else ''}"


def count_flops(network: nn.Module, inputs: object) -> int:
    """Count the floating-point operations of a forward pass of these inputs: multiplications and additions of linear layers, of
    convolutions, and of what compares the elements of a set, beside which the rest is small. The network's mode stays as it is.

    Torch's own counter says the same, but takes seconds to begin in each process."""
    total, training = 0, network.training

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        total += layer.flops(inputs) if isinstance(layer, Products) else 2 * output.numel() * _summed(layer)

    hooks = [layer.register_forward_hook(count) for layer in network.modules() if isinstance(layer, COUNTED)]
    network.eval()
    with torch.inference_mode():
        network(inputs)
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
