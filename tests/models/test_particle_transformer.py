from __future__ import annotations

import pytest
import torch
from models.toy_sets import FEATURES, SHAPES, mask_of, toy_sets
from torch import nn

from jetbench.data.batch import JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.network import build_network, network_for
from jetbench.models.particle_transformer import ParticleTransformer
from jetbench.spec import Component, options
from jetbench.views.inputs import Inputs
from jetbench.views.view import fit_view


def test_its_layers_are_those_of_torch() -> None:
    """JetCLR's are torch's, with their defaults."""
    encoder, inputs = ParticleTransformer(SHAPES).eval(), toy_sets()
    x, mask = encoder.embed(inputs["constituents"]), mask_of(inputs)
    for layer in (encoder.layer1, encoder.layer2):
        other = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True).eval()
        other.load_state_dict(
            {
                "self_attn.in_proj_weight": layer.project.weight,
                "self_attn.in_proj_bias": layer.project.bias,
                **{f"self_attn.out_proj.{name}": tensor for name, tensor in layer.out.state_dict().items()},
                **{f"linear1.{name}": tensor for name, tensor in layer.each[0].state_dict().items()},
                **{f"linear2.{name}": tensor for name, tensor in layer.each[3].state_dict().items()},
                **{f"{norm}.{name}": t for norm in ("norm1", "norm2") for name, t in getattr(layer, norm).state_dict().items()},
            }
        )
        x = torch.stack([_alone(other, jet, real) for jet, real in zip(x, mask, strict=True)])
    torch.testing.assert_close(encoder(inputs), (x * mask[..., None]).sum(dim=1) / 20, rtol=1e-4, atol=1e-5)


def _alone(layer: nn.Module, jet: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """One jet without its padding, filled up again."""
    padded = torch.zeros_like(jet)
    if real.any():
        padded[real] = layer(jet[real][None])[0]
    return padded


def test_its_published_size_is_that_of_jetclr() -> None:
    """Four layers of a width and a feedforward of 1000, and the embedding."""
    with torch.device("meta"):
        encoder = ParticleTransformer(SHAPES, **dict(models["particle-transformer"].published))
    matrices = 4 * (1000 * 3000 + 3000 + 3 * (1000 * 1000 + 1000) + 4 * 1000)
    assert sum(p.numel() for p in encoder.parameters()) == FEATURES * 1000 + 1000 + matrices
    assert (encoder.features, encoder.layer1.heads) == (1000, 4)


@pytest.fixture
def batch(toy_jets: Jets):
    return JetTensors(toy_jets).batch(torch.arange(60))


def test_pairs_are_those_of_the_units_of_the_jets_whatever_the_scaling(batch) -> None:
    """The bias of two networks of the same weights, whose views are fitted to other jets, is the same."""
    component = Component(name="particle-transformer", options=options({"pairwise": True}))
    given = Component(name="constituents", options=options({"number": 20}))
    views = [fit_view(given, batch), fit_view(given, batch.replace(values=3 * batch.values, eta=batch.eta / 2))]
    assert views[0].mean != views[1].mean
    networks = [network_for(component, view, 2, seed=1).eval() for view in views]
    biases = [net.encoder.pairs(view(batch)["constituents"], view(batch).mask) for net, view in zip(networks, views, strict=True)]
    torch.testing.assert_close(*biases, rtol=1e-3, atol=1e-4)
    unfitted = build_network(component, views[0].shapes, 2, seed=1).eval().encoder.pairs
    plain = views[0].unscaled(batch)
    torch.testing.assert_close(unfitted(plain["constituents"], plain.mask), biases[0], rtol=1e-3, atol=1e-4)
    assert networks[0].state_dict().keys() == build_network(component, views[0].shapes, 2, seed=1).state_dict().keys()


def test_a_bias_of_attention_is_of_real_pairs_and_changes_what_is_seen(batch) -> None:
    component = Component(name="particle-transformer", options=options({"pairwise": True}))
    view = fit_view(Component(name="constituents", options=options({"number": 50})), batch)
    encoder, seen = network_for(component, view, 2, seed=1).eval().encoder, view(batch)
    bias = encoder.pairs(seen["constituents"], seen.mask)
    assert bias.shape == (60, 4, 50, 50)
    pairs = (seen.mask[:, :, None] & seen.mask[:, None] & ~torch.eye(50, dtype=torch.bool))[:, None].expand_as(bias)
    assert not bias[~pairs].any()
    torch.testing.assert_close(bias, bias.transpose(2, 3), rtol=1e-3, atol=1e-5)  # no pair has a first and a second
    with_pairs, encoder.pairs = encoder(seen), None
    assert not torch.allclose(with_pairs, encoder(seen), rtol=1e-3)


@pytest.mark.parametrize(
    ("given", "features", "message"),
    [
        ({"width": 30, "heads": 4}, 8, "width 30 .* no multiple of its 4 heads"),
        ({"pairwise": True}, 3, "view's features at 'all'"),
    ],
)
def test_what_makes_no_sense_is_told(given: dict, features: int, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        build_network(Component(name="particle-transformer", options=options(given)), {"constituents": (5, features)}, 2, 0)


def test_dropout_is_drawn_in_training_alone() -> None:
    encoder, inputs = ParticleTransformer(SHAPES, dropout=0.5), toy_sets()
    assert not torch.equal(encoder(inputs), encoder(inputs))
    encoder.eval()
    assert torch.equal(encoder(inputs), encoder(inputs))


def test_a_jet_does_not_see_another_one() -> None:
    encoder, inputs = ParticleTransformer(SHAPES).eval(), toy_sets()
    alone = Inputs({"constituents": inputs["constituents"][3:4]}, mask_of(inputs)[3:4])
    torch.testing.assert_close(encoder(inputs)[3:4], encoder(alone), rtol=1e-4, atol=1e-5)
