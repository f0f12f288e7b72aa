from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Channel, Grid, Jets, jets_from_images
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views import augment
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


def one_by_one(batch: Batch, values: torch.Tensor) -> list[torch.Tensor]:
    return [values[batch.jet == jet] for jet in range(batch.size)]


def split(batch: Batch, seed: str = "s", **strengths: int) -> Batch:
    return augment(batch, (Component(name="collinear_splitting", options=options(strengths)),), torch_rng("split", seed))


@pytest.mark.parametrize(("number", "times"), [(45, 1), (80, 1), (80, 2), (1000, 3)])
def test_jets_are_filled_up_to_a_number_of_deposits_each_of_which_splits_once_at_a_time(
    batch: Batch, number: int, times: int
) -> None:
    before, after = (torch.bincount(one.jet, minlength=50).tolist() for one in (batch, split(batch, number=number, times=times)))
    for _ in range(times):
        before = [count + max(0, min(count, number - count)) for count in before]
    assert after == before


def test_prongs_stand_where_their_deposit_stood_and_have_all_of_it(batch: Batch) -> None:
    after = split(batch, times=1)
    assert torch.equal(after.jet, after.jet.sort().values)
    for jet in range(batch.size):
        mine, new = rows(batch, jet), rows(after, jet)
        places = [place for place, _ in mine]
        assert len(set(places)) == len(places)
        assert {place for place, _ in new} == set(places)
        for place, values in mine:
            prongs = [found for other, found in new if other == place]
            assert len(prongs) in (1, 2)
            assert all((prong >= 0).all() and (prong <= values).all() for prong in prongs)
            torch.testing.assert_close(sum(prongs, torch.zeros(3)), values, rtol=2e-7, atol=0)


def rows(batch: Batch, jet: int) -> list[tuple[tuple[float, float], torch.Tensor]]:
    mine = batch.jet == jet
    return list(zip(zip(batch.eta[mine].tolist(), batch.phi[mine].tolist(), strict=True), batch.values[mine], strict=True))


def test_shares_of_prongs_and_the_choice_of_deposits_are_uniform(toy_jets: Jets) -> None:
    """The choice by where in its jet a deposit stands, of jets that have not room for all prongs."""
    jets = JetTensors(toy_jets).batch(torch.arange(400))
    shares = split(jets, times=1, number=1000).pt()[::2] / jets.pt()
    assert stats.kstest(shares.numpy(), "uniform").pvalue > 0.01
    places = []
    for mine, new in zip(
        one_by_one(jets, jets.eta), one_by_one(after := split(jets, times=1, number=80), after.eta), strict=True
    ):
        if 40 < len(mine) < 80:
            twice = [new.tolist().count(eta) == 2 for eta in mine.tolist()]
            places += [(place + 0.5) / len(mine) for place, both in enumerate(twice) if both]
    assert len(places) > 3000
    assert stats.kstest(places, "uniform").pvalue > 0.01


def test_a_split_deposit_leaves_the_image_as_it_is(batch: Batch, toy_jets: Jets) -> None:
    """The two prongs are in one pixel, with one time, whose mean is another only where no energy weighs it."""
    timed = with_time(toy_jets)
    assert len(split(timed).jet) > 1.5 * len(timed.jet)
    for one, channels in ((batch, 3), (timed, 2)):
        torch.testing.assert_close(render(split(one), WIDE)[:, :channels], render(one, WIDE)[:, :channels], rtol=1e-6, atol=1e-5)
    before, after = render(timed, WIDE), render(split(timed), WIDE)
    weighed = before[:, 0] > 0
    assert weighed.sum() > 100
    torch.testing.assert_close(after[:, 2][weighed], before[:, 2][weighed], rtol=1e-5, atol=1e-5)


def with_time(jets: Jets) -> Batch:
    channels = (*jets.meta.channels[:2], Channel(name="time", unit="ns", combine="mean", weight="charged"))
    values = jets.values.copy()
    values[:, 2] = np.cos(np.arange(len(values)))
    return JetTensors(replace(jets, meta=jets.meta.replace(channels=channels), values=values)).batch(torch.arange(50))


def test_jets_without_deposits_are_split_and_shifted_into_themselves(batch: Batch) -> None:
    empty = batch.keep(batch.jet > 1)
    assert torch.bincount(split(empty).jet, minlength=50)[:2].tolist() == [0, 0]
    assert len(split(batch.keep(batch.jet < 0)).jet) == 0
    shifted = augment(empty, (Component(name="translation", options=options({"extents": 1.0})),), torch_rng("t"))
    assert shifted.eta.isfinite().all()


def test_soft_deposits_move_by_a_normal_distribution_of_a_tenth_over_their_pt(batch: Batch) -> None:
    """As in JetCLR, all deposits below 0.1 GeV as if they had that."""
    soft = batch.replace(values=batch.values * 0.02)
    moved = augment(soft, (Component(name="smearing"),), torch_rng("smear"))
    for shift in (moved.eta - soft.eta, moved.phi - soft.phi):
        pulls = shift / (0.1 / soft.pt().clamp(min=0.1))
        assert stats.kstest(pulls.numpy(), "norm").pvalue > 0.01
        assert stats.kstest(shift[soft.pt() < 0.1].numpy(), "norm").pvalue > 0.01


def test_a_deposit_is_lost_with_a_probability_that_falls_with_its_pt(batch: Batch) -> None:
    kept = [augment(batch, (Component(name="drop"),), torch_rng("drop", seed)) for seed in range(20)]
    expected = (0.3 * torch.exp(-batch.pt() / 2)).sum() * 20
    lost = 20 * len(batch.jet) - sum(len(one.jet) for one in kept)
    assert abs(lost - expected) < 3 * expected**0.5


def test_a_crop_keeps_an_area_and_stays_inside_the_frame(batch: Batch) -> None:
    """The corners of the square that is zoomed to the frame, found again from two points of each jet."""
    two = batch.replace(
        jet=torch.arange(2000).repeat_interleave(2),
        size=2000,
        eta=torch.tensor([0.0, 0.1]).repeat(2000),
        phi=torch.tensor([0.0, 0.1]).repeat(2000),
        values=torch.ones(4000, 3),
    )
    zoomed = augment(two, (Component(name="crop_zoom"),), torch_rng("crop"))
    zoom = (zoomed.eta[1::2] - zoomed.eta[::2]) / 0.1
    centre = -zoomed.eta[::2] / zoom
    assert stats.kstest((1 / zoom**2).numpy(), stats.uniform(0.8, 0.2).cdf).pvalue > 0.01
    assert ((centre.abs() + 0.8 / zoom) <= 0.8 + 1e-5).all()
    assert stats.kstest((centre / (0.8 - 0.8 / zoom)).numpy(), stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_a_factor_of_all_energies_is_the_brightness_of_an_image_and_leaves_times_alone(toy_jets: Jets) -> None:
    timed = with_time(toy_jets)
    bright = augment(timed, (Component(name="energy_scale", options=options({"sigma": 0.2})),), torch_rng("b"))
    factor = (bright.sum(bright.pt()) / timed.sum(timed.pt()))[:, None, None]
    images, before = render(bright, WIDE), render(timed, WIDE)
    torch.testing.assert_close(images[:, :2], before[:, :2] * factor[..., None], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(images[:, 2], before[:, 2], rtol=1e-4, atol=1e-4)
    assert 0.15 < factor.std() < 0.25


def test_a_shift_by_the_extent_is_that_of_a_slow_loop_and_keeps_phi_an_angle(batch: Batch) -> None:
    """Uniform over ±1 of what is from the smallest to the largest coordinate; phi cut at ±pi, where the room is less."""
    wide = batch.replace(phi=batch.phi * 4)
    moved = [
        augment(wide, (Component(name="translation", options=options({"extents": 1.0, "distance": 0.0})),), torch_rng("t", seed))
        for seed in range(20)
    ]
    shares = []
    for name, limit in (("eta", math.inf), ("phi", math.pi)):
        for jet, mine in enumerate(one_by_one(wide, getattr(wide, name))):
            low, high = float(mine.min()), float(mine.max())
            down, up = max(low - high, -limit - low), min(high - low, limit - high)
            for one in moved:
                shift = one_by_one(one, getattr(one, name))[jet] - mine
                torch.testing.assert_close(shift, shift[:1].expand_as(shift), atol=1e-6, rtol=0)
                shares.append((float(shift[0]) - down) / (up - down))
    assert min(shares) > -1e-4
    assert max(shares) < 1 + 1e-4
    assert stats.kstest(shares, "uniform").pvalue > 0.01
    assert max(float(one.phi.abs().max()) for one in moved) <= max(math.pi, float(wide.phi.abs().max())) + 1e-5
