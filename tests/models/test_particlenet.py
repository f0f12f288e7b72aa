from __future__ import annotations

import pytest
import torch
from models.toy_sets import FEATURES, SHAPES, SIZES, mask_of, toy_sets
from torch import Tensor

from jetbench.errors import SuiteError
from jetbench.models import models
from jetbench.models.network import build_network
from jetbench.models.particlenet import EdgeConv, ParticleNet
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs


def slow(layer: EdgeConv, points: Tensor, features: Tensor, k: int) -> Tensor:
    """An edge convolution of one jet without padding, edge by edge."""
    if not len(points):
        return features.new_zeros(0, layer.features)
    found = []
    for i, x in enumerate(features):
        others = sorted(set(range(len(points))) - {i}, key=lambda j: float((points[i] - points[j]).square().sum()))[:k]
        edges = [layer.edge(torch.cat([x, features[j] - x])[None])[0] for j in others]
        mean = torch.stack(edges).mean(dim=0) if edges else x.new_zeros(layer.edge[0].out_features)
        found.append(torch.cat([mean, x]) if layer.shortcut is None else (mean + layer.shortcut(x[None])[0]).relu())
    return torch.stack(found)


@torch.no_grad()
@pytest.mark.parametrize("shortcut", ["sum", "concatenate"])
def test_it_gives_what_a_slow_version_gives_of_jets_without_padding(shortcut: str) -> None:
    torch.manual_seed(0)
    encoder, inputs = ParticleNet(SHAPES, blocks="8-16", neighbours=3, shortcut=shortcut), toy_sets()
    encoder(toy_sets(name="others"))  # whose means and variances are not those of a new network
    encoder.eval()
    for jet, size in enumerate(SIZES):
        features = inputs["constituents"][jet, :size]
        features = slow(encoder.layer1, features[:, :2], features, 3)
        features = slow(encoder.layer2, features, features, 3)
        pooled = features.mean(dim=0) if size else features.new_zeros(encoder.layer2.features)
        alone = Inputs({"constituents": inputs["constituents"][jet : jet + 1]}, mask_of(inputs)[jet : jet + 1])
        torch.testing.assert_close(encoder(alone)[0], encoder.connected(pooled), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("given", "published"), [((), 26_000), (models["particlenet"].published, 366_000)])
def test_its_sizes_are_the_published_ones(given, published: int) -> None:
    """arXiv:1902.08570 counts 26k and 366k for the seven features of a constituent and two classes."""
    network = build_network(Component(name="particlenet", options=given), {"constituents": (100, 7)}, 2, 0)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(published, abs=500)


def test_its_convolutions_by_hand() -> None:
    """Three layers and a shortcut each, without biases but with two numbers for a normalisation."""
    encoder = ParticleNet(SHAPES)
    edge = [2 * FEATURES * 32, 32 * 32, 32 * 32, FEATURES * 32, 2 * 32 * 64, 64 * 64, 64 * 64, 32 * 64]
    assert sum(p.numel() for p in encoder.parameters()) == sum(edge) + 4 * 2 * (32 + 64) + 64 * 128 + 128


def test_first_neighbours_are_those_in_the_plane_and_later_ones_among_features() -> None:
    encoder, inputs = ParticleNet(SHAPES).eval(), toy_sets()
    seen = []
    for layer in (encoder.layer1, encoder.layer2):
        layer.nearest.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    encoder(inputs)
    assert torch.equal(seen[0], inputs["constituents"][..., :2])
    assert seen[1].shape[2] == 32


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shortcut": "none"}, "shortcut is 'sum' or 'concatenate'"),
        ({"blocks": "64-x"}, r"blocks of particlenet is .* list of widths"),
        ({"neighbours": 0}, "neighbours is 0; a constituent has at least one"),
    ],
)
def test_what_makes_no_sense_is_told(given: dict, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        build_network(Component(name="particlenet", options=options(given)), SHAPES, 2, seed=0)
