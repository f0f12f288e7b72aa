"""What holds of every network of constituents."""

from __future__ import annotations

import pytest
import torch
from models.toy_sets import NUMBER, SHAPES, toy_sets
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from jetbench.models import models
from jetbench.models.cost import count_flops
from jetbench.models.network import Network, build_network
from jetbench.spec import Component, options

SETS = [entry for entry in models if entry.kind == "network" and entry.view == "constituents"]
CASES = [
    *[pytest.param(Component(name=entry.name), id=entry.name) for entry in SETS],
    pytest.param(Component(name="particle-transformer", options=options({"pairwise": True})), id="pairwise"),
    pytest.param(Component(name="particlenet", options=options({"shortcut": "concatenate"})), id="concatenate"),
]
PUBLISHED = [pytest.param(entry, id=entry.name) for entry in SETS if entry.published]
every = pytest.mark.parametrize("component", CASES)


def network_of(component: Component, seed: int = 0) -> Network:
    return build_network(component, SHAPES, 2, seed)


@pytest.mark.parametrize("entry", PUBLISHED)
def test_the_published_size_has_outputs(entry) -> None:
    network = build_network(Component(name=entry.name, options=entry.published), SHAPES, 2, 0)
    outputs = network(toy_sets())
    assert outputs.shape == (8, 2)
    assert outputs.isfinite().all()


@pytest.mark.slow  # the other counter takes ten seconds to begin
@every
def test_operations_are_those_of_another_counter(component: Component) -> None:
    """It leaves out the search for neighbours, which takes differences and no product of matrices."""
    network, inputs = network_of(component).eval(), toy_sets((NUMBER,))
    with FlopCounterMode(display=False) as other, sdpa_kernel(SDPBackend.MATH), torch.no_grad():  # it counts no other kernel
        network(inputs)
    searched = sum(m.flops((torch.empty(1, NUMBER, d), None)) for m, d in searches(network))
    assert count_flops(network, inputs) - searched == other.get_total_flops()


def searches(network: Network) -> list[tuple[torch.nn.Module, int]]:
    """Every search for neighbours, with the dimensions of its points."""
    layers = [layer for layer in network.encoder.children() if hasattr(layer, "nearest")]
    widths = [2, *(layer.features for layer in layers)]
    return [(layer.nearest, width) for layer, width in zip(layers, widths, strict=False)]
