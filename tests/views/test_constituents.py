from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Jets
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views import augment
from jetbench.views.constituents import ConstituentsView, hardest, particle_features
from jetbench.views.view import fit_view


def batch_of(jets: Jets, size: int = 30) -> Batch:
    return JetTensors(jets).batch(torch.arange(size))


def view_of(batch: Batch, number: int = 25) -> ConstituentsView:
    view = fit_view(Component(name="constituents", options=options({"number": number})), batch)
    assert isinstance(view, ConstituentsView)
    return view


def test_the_hardest_are_those_of_a_slow_search(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    kept, place = hardest(batch, 25)
    pt = batch.pt().numpy()
    for jet in range(batch.size):
        mine = np.flatnonzero(batch.jet.numpy() == jet)
        slow = sorted(mine, key=lambda i: -pt[i])[:25]
        found = kept[batch.jet[kept] == jet]
        assert found[place[batch.jet[kept] == jet].argsort()].tolist() == slow


def test_what_is_shown_without_scaling_is_scaled_to_what_a_network_sees(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    for number in (25, 100):
        view = view_of(batch, number)
        plain, seen = view.unscaled(batch), view(batch)
        scaled = view.scale(plain)
        assert torch.equal(scaled["constituents"], seen["constituents"])
        assert plain.mask is not None
        assert torch.equal(plain.mask, seen.mask)
        kept, place = hardest(batch, number)
        assert torch.equal(plain["constituents"][batch.jet[kept], place], particle_features(batch)[kept])
        assert f"(n, {number}, 8)" in view.told(batch.meta.channels)
        assert "of charged, photon, neutral." in view.told(batch.meta.channels)


def test_features_in_closed_form(toy_jets: Jets) -> None:
    """One jet of two deposits, 3 GeV of photons at (0.3, 0.4) and 1 GeV of tracks on the axis."""
    batch = batch_of(toy_jets, 1).replace(
        jet=torch.tensor([0, 0]),
        eta=torch.tensor([0.3, 0.0]),
        phi=torch.tensor([0.4, 0.0]),
        values=torch.tensor([[0.0, 3.0, 0.0], [1.0, 0.0, 0.0]]),
    )
    expected = [[0.3, 0.4, 0.5, np.log(3), np.log(0.75), 0, 1, 0], [0, 0, 0, 0, np.log(0.25), 1, 0, 0]]
    np.testing.assert_allclose(particle_features(batch), expected, rtol=1e-6, atol=1e-7)


def test_sets_are_padded_masked_and_scaled_to_one(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets, 200)
    seen = view_of(batch, number=60)(batch)
    counts = torch.bincount(batch.jet, minlength=200)
    assert seen.mask is not None
    assert seen.mask.sum(dim=1).tolist() == counts.clamp(max=60).tolist()
    assert not seen["constituents"][~seen.mask].any()
    inside = seen["constituents"][seen.mask].double()
    np.testing.assert_allclose(inside.mean(dim=0), 0, atol=1e-4)
    np.testing.assert_allclose(inside.std(dim=0), 1, atol=1e-3)
    assert view_of(batch, number=60).shapes == {"constituents": (60, inside.shape[1])}


def test_an_empty_jet_is_an_empty_set(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets, 3)
    seen = view_of(batch)(batch.keep(batch.jet != 1))
    assert seen.mask is not None
    assert not seen.mask[1].any()
    assert seen["constituents"].isfinite().all()


def test_a_jet_has_a_constituent(toy_jets: Jets) -> None:
    with pytest.raises(SuiteError, match="number is 0; a jet has at least one"):
        view_of(batch_of(toy_jets), number=0)


def test_columns_without_spread_are_finite(toy_jets: Jets) -> None:
    flat = replace(toy_jets, values=np.ones_like(toy_jets.values))
    batch = batch_of(flat)
    assert view_of(batch)(batch)["constituents"].isfinite().all()


def test_what_is_computed_from_a_batch_is_made_on_its_device(toy_jets: Jets) -> None:
    """Whatever is made without a word about the device would be on another one here."""
    jets, indices = JetTensors(toy_jets), torch.arange(30)
    expected = view_of(jets.batch(indices))(jets.batch(indices))
    with torch.device("meta"):
        batch = jets.batch(indices)
        found = view_of(batch)(batch)
    assert torch.equal(found.tensors["constituents"], expected.tensors["constituents"])
    with torch.device("meta"):
        one = batch.keep(indices[:1])
        assert view_of(one).mean == tuple(particle_features(one)[0].double().tolist())


def test_shown_by_its_pt_a_jet_looks_the_same_whatever_its_channels(toy_jets: Jets) -> None:
    component = Component(name="constituents", options=options({"channels": "pt"}))
    batch = batch_of(toy_jets)
    view, alone = fit_view(component, batch), fit_view(component, batch.summed())
    assert view == alone
    assert view.shapes == {"constituents": (80, 6)}
    torch.testing.assert_close(view(batch)["constituents"], alone(batch.summed())["constituents"])
    assert (view(batch)["constituents"][..., 5] == 0).all()  # the share of the one channel is always 1
    assert ConstituentsView.model_validate_json(view.model_dump_json()) == view


def augmented(batch: Batch, name: str, **strengths: float) -> Batch:
    return augment(batch, (Component(name=name, options=options(strengths)),), torch_rng("constituents", name))


def test_logarithms_and_shares_are_those_of_the_jet_after_its_augmentation(toy_jets: Jets) -> None:
    """A factor of the whole jet moves ln pT and not the share; a drop and a splitting change the shares."""
    batch = batch_of(toy_jets)
    features = particle_features(batch)
    scaled = augmented(batch, "energy_scale", sigma=0.2)
    factor = scaled.sum(scaled.pt()) / batch.sum(batch.pt())
    torch.testing.assert_close(particle_features(scaled)[:, 3], features[:, 3] + factor.log()[batch.jet], rtol=0, atol=1e-5)
    torch.testing.assert_close(particle_features(scaled)[:, 4:], features[:, 4:], rtol=1e-5, atol=1e-5)
    for changed in (augmented(batch, "drop", rate=0.8, pt_scale=20.0), augmented(batch, "collinear_splitting")):
        assert len(changed.jet) != len(batch.jet)
        pt, jet = changed.pt().double().numpy(), changed.jet.numpy()
        share = np.maximum(pt / np.bincount(jet, pt, minlength=batch.size)[jet], 1e-3)
        np.testing.assert_allclose(particle_features(changed)[:, 4].numpy(), np.log(share), rtol=0, atol=1e-5)


def test_a_splitting_up_to_the_number_of_constituents_brings_none_in_and_takes_none_out(toy_jets: Jets) -> None:
    """Jets that are cut already are seen as before, of the others all of it."""
    batch, number = batch_of(toy_jets, 100), 40
    split = augmented(batch, "collinear_splitting", number=number)
    view = view_of(batch, number)
    before, after = view(batch), view(split)
    counts = torch.bincount(batch.jet, minlength=100)
    cut = counts >= number
    assert 10 < cut.sum() < 90
    assert torch.equal(before["constituents"][cut], after["constituents"][cut])
    assert after.mask is not None
    assert torch.equal(after.mask.sum(dim=1), torch.where(cut, number, (4 * counts).clamp(max=number)))
    seen = (view.unscaled(one)["constituents"] for one in (batch, split))
    totals = [(one[..., 3].double().exp() * mask).sum(dim=1) for one, mask in zip(seen, (before.mask, after.mask), strict=True)]
    torch.testing.assert_close(*totals, rtol=0.02, atol=0)  # the softest count as a thousandth of the jet


def test_jetnets_features_are_normalised_as_there(toy_jets: Jets) -> None:
    """x/most + shift, shifts of 0, 0 and −1/2: `JetNet.fpnd_norm` of the package jetnet 0.2.5. Nothing is fitted."""
    component = Component(name="constituents", options=options({"features": "jetnet", "number": 30}))
    batch = batch_of(toy_jets)
    view = fit_view(component, batch)
    assert view == fit_view(component, batch_of(toy_jets, 2))
    assert view.shapes == {"constituents": (30, 3)}
    plain, seen = view.unscaled(batch), view(batch)
    most = torch.tensor([1.6211985349655151, 0.520724892616272, 0.8934717178344727])
    expected = plain["constituents"] / most - torch.tensor([0.0, 0.0, 0.5])
    torch.testing.assert_close(seen["constituents"][seen.mask], expected[seen.mask])
    assert torch.equal(view.scale(plain)["constituents"], seen["constituents"])
    assert not seen["constituents"][~seen.mask].any()
    counts = torch.bincount(batch.jet)
    whole = counts <= 30
    torch.testing.assert_close(plain["constituents"][whole, :, 2].sum(dim=1), torch.ones(int(whole.sum())))
    assert "(n, 30, 3)" in view.told(batch.meta.channels)
    assert view.told(batch.meta.channels).endswith(
        "Δeta and Δphi to the jet axis; the share in the pT of all deposits of the jet."
    )
    assert ConstituentsView.model_validate_json(view.model_dump_json()) == view
