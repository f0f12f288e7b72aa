"""What is hidden of a jet stands in what is asked, and in nothing that is shown."""

from __future__ import annotations

import pytest
import torch

from jetbench.data.batch import Batch, JetTensors
from jetbench.jets import Jets
from jetbench.seeds import torch_rng
from jetbench.spec import Component, options
from jetbench.views.constituents import LOG_PT, particle_features
from jetbench.views.patches import Patches
from jetbench.views.view import FittedView, fit_view

SHARE = 0.4


def batch_of(jets: Jets, size: int = 20) -> Batch:
    return JetTensors(jets).batch(torch.arange(size))


def view_of(name: str, batch: Batch, **given: object) -> FittedView:
    return fit_view(Component(name=name, options=options(given)), batch)


def image_view(batch: Batch, **given: object) -> FittedView:
    return view_of("image", batch, **{"pixels": 12, "extent": 0.8, **given})


def hidden_deposits(batch: Batch, view: FittedView) -> torch.Tensor:
    """Which deposits (deposits,) the draws of a seed hide, of those inside the frame."""
    if view.shapes.keys() == {"constituents"}:
        return torch.rand(len(batch.jet), generator=torch_rng("hide")) < SHARE
    drawn = torch.rand(batch.size, 6, 6, generator=torch_rng("hide")) < SHARE  # patches of two pixels
    row, column = (((x / 0.8 + 1) * 3).floor().long() for x in (batch.eta, batch.phi))
    inside = (row >= 0) & (row < 6) & (column >= 0) & (column < 6)
    return drawn[batch.jet, row.clamp(0, 5), column.clamp(0, 5)] & inside


@pytest.mark.parametrize("name", ["image", "constituents"])
def test_a_hidden_value_changes_what_is_asked_and_nothing_that_is_shown(name: str, toy_jets: Jets) -> None:
    """Also where a view knows the whole jet's pT, of which each deposit has a share."""
    batch = batch_of(toy_jets)
    view = image_view(batch) if name == "image" else view_of(name, batch, number=80)
    hidden = hidden_deposits(batch, view)
    assert 0.2 < float(hidden.float().mean()) < 0.6
    other = batch.replace(values=torch.where(hidden[:, None], 3 * batch.values, batch.values))
    shown, again = (view.hide(one, SHARE, torch_rng("hide")) for one in (batch, other))
    assert all(torch.equal(shown[same], again[same]) for same in (name, "hidden", "place"))
    assert not torch.equal(shown["content"][shown["hidden"]], again["content"][again["hidden"]])
    seen = batch.replace(values=torch.where(hidden[:, None], batch.values, 3 * batch.values))
    assert not torch.equal(shown[name], view.hide(seen, SHARE, torch_rng("hide"))[name])


@pytest.mark.parametrize("name", ["image", "constituents"])
def test_what_is_shown_are_the_jets_without_what_was_hidden(name: str, toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    view = image_view(batch) if name == "image" else view_of(name, batch, number=25)
    shown = view.hide(batch, SHARE, torch_rng("hide"))
    rest = view(batch.keep(~hidden_deposits(batch, view)))
    assert torch.allclose(shown[name], rest[name], atol=1e-6)


def test_of_a_set_the_hardest_hidden_deposits_are_asked_for(toy_jets: Jets) -> None:
    """Each with the features that it has in the whole jet, and its direction as their place."""
    batch = batch_of(toy_jets)
    view = view_of("constituents", batch, number=10)
    shown = view.hide(batch, SHARE, torch_rng("hide"))
    hidden = hidden_deposits(batch, view)
    scaled = (particle_features(batch) - torch.tensor(view.mean)) / torch.tensor(view.spread)
    for jet in range(batch.size):
        mine = [i for i in range(len(batch.jet)) if batch.jet[i] == jet and hidden[i]]
        slow = scaled[sorted(mine, key=lambda i: -float(batch.pt()[i]))[:10]]
        torch.testing.assert_close(shown["place"][jet][shown["hidden"][jet]], slow[:, :LOG_PT])
        torch.testing.assert_close(shown["content"][jet][shown["hidden"][jet]], slow[:, LOG_PT:])
    assert view.hidden_widths == (3, 5)


def test_of_jetnet_s_features_the_share_of_pt_is_asked_for(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    view = view_of("constituents", batch, number=10, features="jetnet")
    shown = view.hide(batch, SHARE, torch_rng("hide"))
    assert view.hidden_widths == (2, 1) == (shown["place"].shape[2], shown["content"].shape[2])
    assert shown["constituents"].shape[2] == 3


def test_of_an_image_the_hidden_patches_are_asked_for(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets)
    view = image_view(batch)
    shown = view.hide(batch, SHARE, torch_rng("hide"))
    whole = view(batch)["image"]
    assert view.hidden_widths == (2, 3 * 2 * 2)
    for jet, patch in shown["hidden"].nonzero().tolist():
        down, across = divmod(patch, 6)
        pixels = whole[jet, :, 2 * down : 2 * down + 2, 2 * across : 2 * across + 2]
        assert torch.equal(shown["content"][jet, patch], pixels.flatten())
        assert not shown["image"][jet, :, 2 * down : 2 * down + 2, 2 * across : 2 * across + 2].any()
        assert shown["place"][jet, patch].tolist() == pytest.approx([(2 * one + 1) / 6 - 1 for one in (down, across)])


def test_patches_reach_beyond_an_image_that_is_no_multiple_of_them() -> None:
    """Of 10 by 7 pixels, 5 by 4 patches of 2 pixels: the last column of patches has a column of pixels that is none."""
    patches, image = Patches(10, 7), torch.arange(70.0).view(1, 1, 10, 7)
    assert (patches.edge, patches.shape, Patches(125, 125).edge, Patches(32, 32).edge) == (2, (5, 4), 16, 4)
    contents = patches.contents(image)
    assert contents.shape == (1, 20, 4)
    assert contents[0, 3].tolist() == [6, 0, 13, 0]
    assert contents[0, 16].tolist() == [56, 57, 63, 64]
    chosen = torch.zeros(1, 5, 4, dtype=torch.bool)
    chosen[0, 0, 3] = chosen[0, 4, 0] = True
    assert patches.pixels(chosen)[0].nonzero().tolist() == [[0, 6], [1, 6], [8, 0], [8, 1], [9, 0], [9, 1]]
    assert patches.centres()[3].tolist() == pytest.approx([-0.8, 1.0])
