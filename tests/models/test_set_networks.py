"""What holds of every network of constituents."""

from __future__ import annotations

import pytest
import torch
from models.toy_sets import FEATURES, NUMBER, SHAPES, mask_of, toy_sets
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from jetbench.data.batch import JetTensors
from jetbench.jets import Jets
from jetbench.models import models
from jetbench.models.cost import count_flops
from jetbench.models.network import Network, build_network, network_for
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.statistics.delong import auc
from jetbench.views.inputs import Inputs
from jetbench.views.view import fit_view

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


@every
def test_the_order_of_constituents_does_not_matter(component: Component) -> None:
    encoder, inputs, order = (
        network_of(component).encoder.eval(),
        toy_sets(),
        torch.randperm(NUMBER, generator=torch_rng("order")),
    )
    mixed = Inputs({"constituents": inputs["constituents"][:, order]}, mask_of(inputs)[:, order])
    torch.testing.assert_close(encoder(inputs), encoder(mixed), rtol=1e-4, atol=1e-5)


@every
@pytest.mark.parametrize("training", [False, True])
def test_neither_what_fills_padding_nor_how_much_there_is_matters(component: Component, training: bool) -> None:
    """In training, statistics of the batch are those of its constituents."""
    given = options(component.keywords() | ({"dropout": 0.0} if component.name != "deep-sets" else {}))
    encoder, inputs = network_of(component.replace(options=given)).encoder.train(training), toy_sets()
    mask = mask_of(inputs)
    filled = torch.where(mask[..., None], inputs["constituents"], 99.0)
    more = torch.cat([filled, torch.full((len(filled), 7, FEATURES), -3.0)], dim=1)
    longer = Inputs({"constituents": more}, torch.cat([mask, torch.zeros(len(filled), 7, dtype=torch.bool)], dim=1))
    expected = encoder(inputs)
    torch.testing.assert_close(encoder(Inputs({"constituents": filled}, mask)), expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(encoder(longer), expected, rtol=1e-4, atol=1e-5)


@every
def test_an_empty_jet_and_a_lonely_constituent_are_finite(component: Component) -> None:
    network = network_of(component)
    for sizes in ((0,), (1,), (0, 0, 1), (1, 2)):
        inputs = toy_sets(sizes)
        inputs["constituents"].requires_grad_()
        outputs = network(inputs)
        outputs.square().sum().backward()
        assert outputs.isfinite().all()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
        gradient = inputs["constituents"].grad
        assert gradient is not None
        assert gradient.isfinite().all()


@every
def test_every_weight_has_a_gradient_and_padding_has_none(component: Component) -> None:
    network, inputs = network_of(component), toy_sets()
    inputs["constituents"].requires_grad_()
    network(inputs).square().sum().backward()
    silent = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()}
    assert not silent
    gradient = inputs["constituents"].grad
    assert gradient is not None
    assert gradient[mask_of(inputs)].any(dim=1).all()
    assert not gradient[~mask_of(inputs)].any()


@every
def test_outputs_are_fp32_under_autocast(component: Component) -> None:
    network = network_of(component)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(toy_sets())
    assert outputs.dtype == torch.float32
    assert outputs.isfinite().all()


@every
def test_a_state_dict_comes_back_and_a_seed_decides(component: Component) -> None:
    one, again, other = (network_of(component, seed).eval() for seed in (1, 1, 2))
    assert torch.equal(one(toy_sets()), again(toy_sets()))
    assert not torch.equal(one(toy_sets()), other(toy_sets()))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(toy_sets()), other(toy_sets()))


@pytest.fixture(scope="module")
def toys(toy_jets: Jets) -> tuple[Network, Inputs, torch.Tensor]:
    """A view that is fitted to toy jets, what it shows of them, and their labels."""
    batch = JetTensors(toy_jets).batch(torch.arange(400))
    view = fit_view(Component(name="constituents", options=options({"number": 30})), batch)
    return view, view(batch), batch.targets["label"].long()


@every
def test_it_learns_toy_jets_bit_for_bit_alike(component: Component, toys: tuple) -> None:
    view, seen, labels = toys
    networks = [network_for(component, view, 2, seed=1) for _ in range(2)]
    for network in networks:
        optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
        for step in range(12):
            torch.manual_seed(step)
            chosen = torch.randperm(300)[:64]
            outputs = network(Inputs({"constituents": seen["constituents"][chosen]}, seen.mask[chosen]))
            loss = torch.nn.functional.cross_entropy(outputs, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    with torch.no_grad():
        outputs = networks[0].eval()(Inputs({"constituents": seen["constituents"][300:]}, seen.mask[300:]))
    assert auc(labels[300:].numpy(), (outputs[:, 1] - outputs[:, 0]).numpy()) > 0.9


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
