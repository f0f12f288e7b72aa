from __future__ import annotations

import pytest

from jetbench.models.cost import network_cost
from jetbench.models.network import build_network
from jetbench.spec import Component, options


def test_the_cost_of_the_electron_photon_network_by_hand() -> None:
    """Pixels times products of every convolution, twice; its linear layer."""
    shapes = {"image": (2, 32, 32)}
    network = build_network(Component(name="resnet15-bn"), shapes, 1, seed=0)
    convolutions = [
        *[(1024, 2 * 9, 16), *[(1024, 16 * 9, 16)] * 4],
        *[(256, 16 * 9, 32), (256, 32 * 9, 32), (256, 16, 32), *[(256, 32 * 9, 32)] * 2],
        *[(64, 32 * 9, 64), (64, 64 * 9, 64), (64, 32, 64), *[(64, 64 * 9, 64)] * 2],
    ]
    cost = network_cost(network, shapes, 1)
    assert cost.flops == 2 * (sum(pixels * products * width for pixels, products, width in convolutions) + 64)
    assert (cost.parameters, cost.shapes) == (174_529, "image 2×32×32 → 64 features → 1 output")


@pytest.mark.parametrize("name", ["resnet15", "se-resnet15", "resnet27"])
def test_a_large_image_costs_what_a_small_one_does(name: str) -> None:
    component = Component(name=name, options=options({"stages": "8-16-32"}))
    costs = {
        side: network_cost(build_network(component, {"image": (3, side, side)}, 2, 0), {"image": (3, side, side)}, 2).flops
        for side in (32, 64, 125)
    }
    assert costs[125] < 1.2 * costs[32]
    assert costs[64] == pytest.approx(costs[32], rel=0.05)
