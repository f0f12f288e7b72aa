"""Layers are caught as they are computed, and nothing else changes."""

from __future__ import annotations

import pytest
import torch

from jetbench.errors import UnknownNameError
from jetbench.insight.activations import activations, stages_of
from jetbench.models.network import build_network
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

IMAGES = Inputs({"image": torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))})
RESNET = Component(name="resnet15", options=options({"stages": "8-16", "dropout": 0.0}))


def test_stages_are_caught_and_lead_to_the_features() -> None:
    encoder = build_network(RESNET, {"image": (3, 8, 8)}, 2, seed=0).eval().encoder
    assert stages_of(encoder) == ["layer1", "layer2"]
    found = activations(encoder, IMAGES, ["layer1", "layer2", "layer1.0.conv1"])
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == {
        "layer1.0.conv1": (4, 8, 8, 8),
        "layer1": (4, 8, 8, 8),
        "layer2": (4, 16, 4, 4),
    }
    torch.testing.assert_close(found["layer2"].mean(dim=(2, 3)), encoder(IMAGES).detach())
    assert not any(module._forward_hooks for module in encoder.modules())


def test_what_follows_in_place_does_not_change_what_was_caught() -> None:
    encoder = build_network(RESNET, {"image": (3, 8, 8)}, 2, seed=0).eval().encoder
    assert (activations(encoder, IMAGES, ["bn1"])["bn1"] < 0).any()  # the ReLU after it would leave nothing negative


def test_an_encoder_without_stages_shows_its_parts() -> None:
    network = build_network(Component(name="deep-sets"), {"constituents": (10, 8)}, 2, seed=0)
    assert stages_of(network.encoder) == ["particle", "jet"]


@pytest.mark.parametrize("name", ["particle-transformer", "particlenet"])
def test_stages_of_an_encoder_of_constituents_have_a_place_for_each(name: str) -> None:
    encoder = build_network(Component(name=name), {"constituents": (10, 8)}, 2, seed=0).eval().encoder
    sets = Inputs({"constituents": torch.randn(3, 10, 8)}, torch.arange(10)[None] < torch.tensor([[10], [4], [0]]))
    assert stages_of(encoder) == ["layer1", "layer2"]
    found = activations(encoder, sets, stages_of(encoder))
    assert {tensor.shape[:2] for tensor in found.values()} == {(3, 10)}


def test_a_layer_that_there_is_not_is_an_error_and_leaves_no_hook() -> None:
    encoder = build_network(RESNET, {"image": (3, 8, 8)}, 2, seed=0).eval().encoder
    with pytest.raises(UnknownNameError, match="no layer 'layer3'"):
        activations(encoder, IMAGES, ["layer1", "layer3"])
    assert not any(module._forward_hooks for module in encoder.modules())
