from __future__ import annotations

import math
from functools import partial

import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Grid, Jets, jets_from_images
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views import augment, augmentations
from jetbench.views.image import render
from jetbench.views.transforms import dequantise, energy_scale, reflect, rotate

WIDE = Grid(rows=16, columns=16, eta_extent=8.0, phi_extent=8.0)


@pytest.fixture
def batch(toy_jets: Jets) -> Batch:
    return JetTensors(toy_jets).batch(torch.arange(50))


def test_a_full_turn_is_the_identity(batch: Batch) -> None:
    turned = rotate(batch, torch.full((50,), 2 * math.pi))
    torch.testing.assert_close(turned.eta, batch.eta, atol=1e-6, rtol=0)
    torch.testing.assert_close(turned.phi, batch.phi, atol=1e-6, rtol=0)


def test_a_quarter_turn_takes_eta_to_phi(batch: Batch) -> None:
    turned = rotate(batch, torch.full((50,), math.pi / 2))
    torch.testing.assert_close(turned.phi, batch.eta, atol=1e-6, rtol=0)


def test_flipping_twice_is_the_identity(batch: Batch) -> None:
    coins = torch.rand(2, 50, generator=torch_rng("t")) < 0.5
    twice = reflect(reflect(batch, *coins), *coins)
    assert torch.equal(twice.eta, batch.eta)
    assert torch.equal(twice.phi, batch.phi)


@pytest.mark.parametrize("name", ["rotation", "flip", "translation", "smearing", "crop_zoom"])
def test_moving_deposits_keeps_the_energy(batch: Batch, name: str) -> None:
    moved = augment(batch, (Component(name=name),), torch_rng(name))
    assert not torch.equal(moved.eta, batch.eta)
    images = render(moved, WIDE)
    torch.testing.assert_close(images.sum(dim=(2, 3)), render(batch, WIDE).sum(dim=(2, 3)), rtol=1e-5, atol=1e-3)


def test_drop_hits_soft_deposits(batch: Batch) -> None:
    rates = []
    for low, high in ((0, 1), (5, 10), (20, 1e9)):
        inside = (batch.pt() >= low) & (batch.pt() < high)
        some = batch.keep(inside)
        left = augment(some, (Component(name="drop"),), torch_rng("drop"))
        rates.append(1 - len(left.jet) / len(some.jet))
    assert rates[0] > 0.2
    assert rates[1] < 0.05
    assert rates[2] == 0


def test_energy_scale_is_one_factor_per_jet(batch: Batch) -> None:
    scaled = augment(batch, (Component(name="energy_scale", options=options({"sigma": 0.1})),), torch_rng("scale"))
    ratio = scaled.pt() / batch.pt()
    for jet in range(5):
        mine = ratio[batch.jet == jet]
        torch.testing.assert_close(mine, mine[:1].expand_as(mine), rtol=1e-5, atol=0)
    assert ratio.std() > 0.05


def test_energy_scale_is_made_on_the_device_of_the_batch(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "randn", partial(torch.randn, device="cpu"))
    expected = energy_scale(batch, torch_rng("scale"))
    with torch.device("meta"):
        found = energy_scale(batch, torch_rng("scale"))
    assert torch.equal(found.values, expected.values)


def test_augmentations_draw_from_their_generator_alone(batch: Batch) -> None:
    steps = tuple(Component(name=entry.name) for entry in augmentations)
    torch.manual_seed(1)
    first = augment(batch, steps, torch_rng("a"))
    torch.manual_seed(2)
    again = augment(batch, steps, torch_rng("a"))
    other = augment(batch, steps, torch_rng("b"))
    assert torch.equal(first.eta, again.eta)
    assert torch.equal(first.values, again.values)
    assert first.eta.shape != other.eta.shape or not torch.equal(first.eta, other.eta)


def test_pixels_are_spread_inside_themselves_before_they_turn(toy_jets: Jets) -> None:
    grid = Grid(rows=8, columns=8, eta_extent=0.8, phi_extent=0.8)
    images = torch.rand(5, 3, 8, 8, generator=torch_rng("i")).numpy()
    batch = JetTensors(jets_from_images(images, toy_jets.meta.replace(grid=grid))).batch(torch.arange(5))
    spread = dequantise(batch, torch_rng("d"))
    assert (spread.eta - batch.eta).abs().max() <= 0.1
    assert (spread.eta - batch.eta).abs().mean() > 0.03
    torch.testing.assert_close(render(spread, grid), torch.from_numpy(images))
    turned = augment(batch, (Component(name="rotation"),), torch_rng("r"))
    radius, before = turned.eta.hypot(turned.phi), batch.eta.hypot(batch.phi)
    assert not torch.allclose(radius, before)
