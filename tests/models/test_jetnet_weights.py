"""The five-class ParticleNet of the package jetnet: its weights are imported, and give what jetnet's own network gives."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from models.plain_particlenet import PlainParticleNet, as_published, shipped, trained_a_little

import jetbench
from jetbench.errors import DataFileError
from jetbench.models.imported import import_model
from jetbench.spec import Component, options

JETNET = {"blocks": "64-128-256", "connected": 256, "neighbours": 16, "shortcut": "concatenate"}
TINY = JETNET | {"blocks": "8-16", "neighbours": 4}
needs_jetnet = pytest.mark.skipif(find_spec("jetnet") is None, reason="pip install 'jetbench[test]' installs jetnet")


def component(given: dict = JETNET) -> Component:
    return Component(name="particlenet", options=options(given))


def jets(n: int, number: int = 30) -> torch.Tensor:
    """Jets as jetnet shows them: angles and shares of pT; some are padded with its zeros, which are particles to it."""
    shown = torch.randn(n, number, 3, generator=torch.Generator().manual_seed(3)) * torch.tensor([0.1, 0.2, 0.05])
    shown -= torch.tensor([0.0, 0.0, 0.45])
    shown[: n // 2, number // 2 :] = torch.tensor([0.0, 0.0, -0.5])
    return shown


@needs_jetnet
def test_the_shipped_weights_give_the_numbers_of_jetnets_network(tmp_path: Path) -> None:
    plain = PlainParticleNet()
    state = torch.load(shipped(), map_location="cpu", weights_only=True)
    plain.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith("edge_convs.")})
    stored = import_model(shipped(), component(), tmp_path / "imported")
    assert (stored.channels, stored.outputs) == (3, 5)
    network = jetbench.build_model("particlenet", channels=3, outputs=5, weights=tmp_path / "imported", **JETNET).eval()
    with torch.no_grad():
        expected, found = plain.eval()(jets(6)), network(jets(6), torch.ones(6, 30, dtype=torch.bool))
    assert expected.abs().max() > 5  # they are trained
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_the_layout_is_told_and_read(tmp_path: Path) -> None:
    plain = trained_a_little()
    torch.save(as_published(plain), tmp_path / "weights.pt")
    stored = import_model(tmp_path / "weights.pt", component(TINY), tmp_path / "imported")
    assert stored.adaptations == (
        "the names are those of jetnet's ParticleNet: its edge_nets are the layers, fc1 is connected, fc2 the head",
    )
    network = jetbench.build_model("particlenet", channels=3, outputs=5, weights=tmp_path / "imported", **TINY).eval()
    with torch.no_grad():
        found = network(jets(4, 10), torch.ones(4, 10, dtype=torch.bool))
        torch.testing.assert_close(found, plain(jets(4, 10)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "channels", "message"),
    [
        (TINY | {"blocks": "8-32"}, 3, r"layer2\.edge\.0\.weight is \(16, 22\) and not \(32, 22\)"),
        ({"blocks": "8-16", "connected": 256, "neighbours": 4}, 3, r"the model has no layer1\.edge\.0\.bias"),
        (TINY, 6, r"layer1\.edge\.0\.weight is \(8, 6\) and not \(8, 12\)"),
    ],
)
def test_what_does_not_fit_is_named(given: dict, channels: int, message: str, tmp_path: Path) -> None:
    """Other widths, the other shortcut, and features that are not jetnet's three, of which there is no mean as of channels."""
    torch.save(as_published(trained_a_little()), tmp_path / "weights.pt")
    with pytest.raises(DataFileError, match=message):
        jetbench.build_model("particlenet", channels=channels, outputs=5, weights=tmp_path / "weights.pt", **given)


@pytest.mark.parametrize(
    ("name", "given"), [("deep-sets", {}), ("particle-transformer", {"pairwise": True}), ("particlenet", {})]
)
def test_own_weights_of_every_network_of_constituents_come_back(name: str, given: dict, tmp_path: Path) -> None:
    network = jetbench.build_model(name, channels=7, outputs=3, seed=1, **given).eval()
    torch.save({"state_dict": network.state_dict()}, tmp_path / "weights.pt")
    model = Component(name=name, options=options(given))
    stored = import_model(tmp_path / "weights.pt", model, tmp_path / "imported")
    assert (stored.channels, stored.outputs, stored.adaptations) == (7, 3, ())
    again = jetbench.build_model(name, channels=7, outputs=3, weights=tmp_path / "imported", **given).eval()
    seen = torch.randn(4, 9, 7), torch.rand(4, 9) > 0.3
    assert torch.equal(again(*seen), network(*seen))
