from __future__ import annotations

import pytest
import torch

from jetbench.errors import SuiteError
from jetbench.models.deep_sets import DeepSets
from jetbench.models.network import build_network
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs

SHAPES = {"constituents": (12, 8)}


def sets(n: int = 5) -> Inputs:
    """n sets of 12 places, of which the first 12, 11, … are filled."""
    mask = torch.arange(12)[None] < (12 - torch.arange(n))[:, None]
    return Inputs({"constituents": torch.randn(n, 12, 8, generator=torch_rng("sets")) * mask[..., None]}, mask)


def test_the_order_of_constituents_does_not_matter() -> None:
    encoder, inputs, order = DeepSets(SHAPES), sets(), torch.randperm(12, generator=torch_rng("order"))
    assert inputs.mask is not None
    mixed = Inputs({"constituents": inputs["constituents"][:, order]}, inputs.mask[:, order])
    torch.testing.assert_close(encoder(inputs), encoder(mixed), rtol=1e-5, atol=1e-6)


def test_padding_does_not_matter() -> None:
    encoder, inputs = DeepSets(SHAPES), sets()
    assert inputs.mask is not None
    filled = Inputs({"constituents": torch.where(inputs.mask[..., None], inputs["constituents"], 99.0)}, inputs.mask)
    assert torch.equal(encoder(inputs), encoder(filled))


def test_the_sum_is_that_of_single_constituents() -> None:
    """A slow version: constituent by constituent."""
    encoder, inputs = DeepSets(SHAPES), sets(3)
    assert inputs.mask is not None
    slow = [
        sum(encoder.particle(inputs["constituents"][jet, i]) for i in range(12) if inputs.mask[jet, i]) / 20 for jet in range(3)
    ]
    torch.testing.assert_close(encoder(inputs), torch.stack([encoder.jet(one) for one in slow]), rtol=1e-5, atol=1e-6)


def test_its_size_is_that_of_its_widths() -> None:
    network = build_network(Component(name="deep-sets"), SHAPES, 2, seed=0)
    layers = [(8, 64), (64, 64), (64, 128), (128, 64), (64, 64), (64, 2)]
    assert sum(p.numel() for p in network.parameters()) == sum(a * b + b for a, b in layers)


@pytest.mark.parametrize("widths", ["", "64-x", "0-64"])
def test_widths_that_are_none_are_named(widths: str) -> None:
    with pytest.raises(SuiteError, match=r"particle of deep-sets is .* list of widths"):
        build_network(Component(name="deep-sets", options=options({"particle": widths})), SHAPES, 2, seed=0)


def test_features_begin_with_the_spread_of_what_is_seen() -> None:
    """Inputs of variance one; the sum over twelve constituents is in units of twenty."""
    torch.manual_seed(0)
    seen = Inputs({"constituents": torch.randn(500, 12, 8, generator=torch_rng("spread"))}, torch.ones(500, 12, dtype=torch.bool))
    spread = DeepSets(SHAPES)(seen).std(dim=0).mean()
    assert 0.03 < spread < 0.3  # 0.001 by torch's own start
