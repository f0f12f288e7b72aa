from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Channel, Grid, Jets
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views.constituents import ConstituentsView, particle_features
from jetbench.views.image import render
from jetbench.views.mixing import Mixing
from jetbench.views.view import FittedView, fit_view

SIZE = 30
GRID = Grid(rows=8, columns=8, eta_extent=0.8, phi_extent=0.8)
MIXING = Mixing(0.3, torch.randperm(SIZE, generator=torch_rng("partner")))


def batch_of(jets: Jets) -> Batch:
    return JetTensors(jets).batch(torch.arange(SIZE))


def view_of(name: str, batch: Batch, **given: int) -> FittedView:
    return fit_view(Component(name=name, options=options(given)), batch)


def slow_union(batch: Batch, share: float, partner: list[int]) -> list[list[tuple[float, float, np.ndarray]]]:
    """Deposit by deposit: (eta, phi, values) of each jet."""
    jets = [
        [
            (float(batch.eta[i]), float(batch.phi[i]), batch.values[i].numpy())
            for i in range(len(batch.jet))
            if batch.jet[i] == jet
        ]
        for jet in range(batch.size)
    ]
    return [
        jets[i] if partner[i] == i else [(e, p, w * v) for j, w in ((i, share), (partner[i], 1 - share)) for e, p, v in jets[j]]
        for i in range(batch.size)
    ]


def test_the_union_is_that_of_a_slow_search(toy_jets: Jets) -> None:
    """Partners of all kinds: one's own, one's partner's partner, others; the hardest are kept, in the number of the view."""
    batch = batch_of(toy_jets)
    partner = [0, 2, 1, *range(4, SIZE), 3]
    view = view_of("constituents", batch, number=25)
    assert isinstance(view, ConstituentsView)
    seen = view.mixed(batch, Mixing(0.3, torch.tensor(partner)))
    assert seen["constituents"].shape == (SIZE, 25, len(view.mean))
    for jet, deposits in enumerate(slow_union(batch, 0.3, partner)):
        eta, phi, values = (torch.from_numpy(np.array(column, np.float32)) for column in zip(*deposits, strict=True))
        alone = batch.replace(size=1, jet=torch.zeros(len(eta), dtype=torch.long), eta=eta, phi=phi, values=values)
        order = sorted(range(len(deposits)), key=lambda i: -float(values[i].sum()))[:25]
        expected = (particle_features(alone)[order] - torch.tensor(view.mean)) / torch.tensor(view.spread)
        assert seen.mask is not None
        assert int(seen.mask[jet].sum()) == len(order)
        np.testing.assert_allclose(seen["constituents"][jet][seen.mask[jet]], expected, rtol=1e-4, atol=1e-5)


def test_the_image_of_a_union_is_the_mean_of_both_images(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    torch.testing.assert_close(render(MIXING.union(batch), GRID), MIXING.mean(render(batch, GRID)))


def test_averages_are_not_scaled(toy_jets: Jets) -> None:
    """Half of a time is no time: energies alone are divided."""
    first = toy_jets.meta.channels[0].name
    time = Channel(name="time", unit="ns", combine="mean", weight=first)
    batch = batch_of(replace(toy_jets, meta=toy_jets.meta.replace(channels=(*toy_jets.meta.channels[:2], time))))
    united = Mixing(0.5, torch.arange(SIZE).roll(1)).union(batch)
    both = torch.cat([batch.values, batch.values])
    assert sorted(united.values[:, 2].tolist()) == sorted(both[:, 2].tolist())
    assert float(united.values[:, 0].double().sum()) == pytest.approx(float(batch.values[:, 0].double().sum()), rel=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_jet_without_a_share_leaves_nothing(toy_jets: Jets, share: float) -> None:
    batch = batch_of(toy_jets)
    view = view_of("constituents", batch, number=60)
    plain, mixed = view(batch), view.mixed(batch, Mixing(share, MIXING.partner))
    kept = torch.arange(SIZE) if share else MIXING.partner
    assert plain.mask is not None
    assert mixed.mask is not None
    assert torch.equal(mixed.mask, plain.mask[kept])
    torch.testing.assert_close(mixed["constituents"], plain["constituents"][kept])


def test_images_are_mixed_as_they_are_shown(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    view = view_of("image", batch, pixels=8)
    assert torch.equal(view.mixed(batch, MIXING)["image"], MIXING.mean(view(batch)["image"]))


def test_a_mean_in_closed_form() -> None:
    mixing = Mixing(0.75, torch.tensor([1, 0]))
    assert mixing.mean(torch.tensor([[0.0], [10.0]])).flatten().tolist() == [2.5, 7.5]
