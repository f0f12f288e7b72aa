"""Attributions against closed forms: a linear network, the axiom of completeness, a map of one channel."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from jetbench.insight.attributions import Score, grad_cam, integrated_gradients
from jetbench.models.network import Network, build_network
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

IMAGES = torch.randn(6, 2, 4, 4, generator=torch.Generator().manual_seed(0))


class Flat(nn.Module):
    """An encoder whose features are the pixels."""

    def forward(self, inputs: Inputs) -> Tensor:
        return inputs["image"].flatten(1)


class Sets(nn.Module):
    """The sum of the first feature over the elements that are there."""

    def forward(self, inputs: Inputs) -> Tensor:
        assert inputs.mask is not None
        return (inputs["constituents"][..., :1] * inputs.mask[..., None]).sum(dim=1)


def linear(outputs: int) -> Network:
    torch.manual_seed(1)
    return Network(Flat(), nn.Linear(32, outputs))


@pytest.mark.parametrize(
    ("outputs", "number", "rows"),
    [(1, 1, [1.0]), (1, 0, [-1.0]), (2, 1, [-1.0, 1.0]), (2, 0, [1.0, -1.0]), (3, 2, [-0.5, -0.5, 1.0])],
)
def test_of_a_linear_network_they_are_weights_times_inputs(outputs: int, number: int, rows: list[float]) -> None:
    network = linear(outputs)
    weights = torch.tensor(rows) @ network.head.weight
    baseline = torch.full((1, 2, 4, 4), 0.3)
    found, gap = integrated_gradients(Score(network, "image", number), IMAGES, None, baseline)
    torch.testing.assert_close(found, (weights.view(2, 4, 4) * (IMAGES - baseline)).detach())
    torch.testing.assert_close(gap, torch.zeros(6), atol=1e-5, rtol=0)


def test_a_regression_is_attributed_in_its_unit() -> None:
    network = linear(1)
    found, _ = integrated_gradients(Score(network, "image", unit=50.0), IMAGES, None, torch.zeros(1, 2, 4, 4))
    torch.testing.assert_close(found.flatten(1), (50 * network.head.weight * IMAGES.flatten(1)).detach())


def test_only_what_is_there_of_a_set_is_attributed() -> None:
    network = Network(Sets(), nn.Linear(1, 1))
    sets, mask = torch.randn(3, 5, 2), torch.tensor([[True] * 5, [True, True, False, False, False], [False] * 5])
    found, _ = integrated_gradients(Score(network, "constituents"), sets, mask, torch.zeros(1, 5, 2))
    wanted = network.head.weight[0, 0].detach() * sets[..., 0] * mask
    torch.testing.assert_close(found[..., 0], wanted)
    assert not found[..., 1].any()


@pytest.mark.parametrize(
    "component",
    [
        Component(name="resnet15", options=options({"stages": "8-16", "dropout": 0.0})),
        Component(name="se-vgg", options=options({"stages": "8-16"})),
        Component(name="resnet15-e2e"),
    ],
    ids=lambda component: component.name,
)
def test_they_add_up_to_the_difference_of_the_scores(component: Component) -> None:
    score = Score(build_network(component, {"image": (2, 8, 8)}, 2, seed=0).eval(), "image")
    images = torch.rand(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    baseline = images.mean(dim=0, keepdim=True)
    found, gap = integrated_gradients(score, images, None, baseline, steps=256)
    with torch.no_grad():
        difference = score(images) - score(baseline)
    torch.testing.assert_close(found.flatten(1).sum(dim=1).float(), difference + gap.float(), atol=1e-5, rtol=1e-4)
    assert gap.abs().mean() < 0.05 * difference.abs().mean()


class Convolved(nn.Module):
    """One convolution of one channel, averaged."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.Conv2d(2, 1, 1, bias=False)

    def forward(self, inputs: Inputs) -> Tensor:
        return self.layer1(inputs["image"]).mean(dim=(2, 3))


def test_grad_cam_of_one_averaged_channel_is_that_channel_times_its_weight() -> None:
    encoder = Convolved()
    network = Network(encoder, nn.Linear(1, 1))
    nn.init.constant_(network.head.weight, 32.0)
    found = grad_cam(Score(network, "image"), encoder.layer1, IMAGES)
    torch.testing.assert_close(found, 2 * encoder.layer1(IMAGES)[:, 0].detach())  # 32/16 pixels
