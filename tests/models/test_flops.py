from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from jetbench.models.cost import count_flops


class Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(4, 6, 3, padding=1, stride=2, groups=2), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(6 * 16, 3)
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images)


def counted(network: nn.Module, inputs: Tensor, rows: int) -> int:
    """Each jet is a row of the inputs; the first one is counted."""
    assert len(inputs) == rows
    return count_flops(network, inputs[:1])


def test_a_linear_layer_multiplies_and_adds() -> None:
    assert counted(nn.Linear(10, 3, bias=False), torch.zeros(5, 10), 5) == 2 * 10 * 3
    assert counted(nn.Linear(10, 3), torch.zeros(5, 7, 10), 5) == 7 * 2 * 10 * 3  # of each of seven constituents


@pytest.mark.slow  # the other counter takes ten seconds to begin
def test_it_counts_what_another_counter_counts() -> None:
    network, images = Convolutions(), torch.randn(100, 4, 8, 8)
    network.eval()
    with FlopCounterMode(display=False) as other, torch.no_grad():
        network(images[:1])
    assert counted(network, images, 100) == other.get_total_flops()


def test_convolutions_by_hand_and_nothing_is_left_behind() -> None:
    network = Convolutions()
    network.train()
    state = torch.get_rng_state()
    assert counted(network, torch.zeros(70, 4, 8, 8), 70) == 2 * (6 * 16 * 2 * 9) + 2 * (6 * 16 * 3)
    assert network.training
    assert not any(layer._forward_hooks for layer in network.modules())
    assert torch.equal(torch.get_rng_state(), state)  # a resumed training draws what it would have drawn
