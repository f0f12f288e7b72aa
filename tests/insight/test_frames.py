"""Where pixels and constituents stand, and what is conserved when they are averaged."""

from __future__ import annotations

import numpy as np
import pytest

from jetbench.insight.frames import as_seen, average_map, frame_of, pictures, places_of
from jetbench.jets import Channel, Grid, Jets
from jetbench.spec import Component, options
from jetbench.views.constituents import ConstituentsView
from jetbench.views.image import ImageView
from jetbench.views.view import fit_view

GRID = Grid(rows=4, columns=8, eta_extent=0.8, phi_extent=0.4)


@pytest.fixture
def jets(toy_jets: Jets) -> Jets:
    return toy_jets[:20]


def test_the_places_of_a_set_are_those_of_its_hardest_deposits(jets: Jets) -> None:
    view = fit_view(Component(name="constituents", options=options({"number": 5})), as_seen(None, jets))
    assert isinstance(view, ConstituentsView)
    places = places_of(view, as_seen(view, jets))
    for i in range(len(jets)):
        own = slice(jets.offsets[i], jets.offsets[i + 1])
        order = np.argsort(-jets.values[own].sum(axis=1), kind="stable")[:5]
        np.testing.assert_array_equal(places.eta[i], jets.eta[own][order].astype(np.float64))
        np.testing.assert_array_equal(places.phi[i], jets.phi[own][order].astype(np.float64))
    assert places.there is not None
    assert places.there.all()


def test_pixels_stand_at_their_centres(jets: Jets) -> None:
    view = fit_view(Component(name="image", options=options({"pixels": 4})), as_seen(None, jets))
    assert isinstance(view, ImageView)
    places = places_of(view, as_seen(view, jets))
    np.testing.assert_allclose(places.eta[0, :, 0], [-0.6, -0.2, 0.2, 0.6], atol=1e-6)
    np.testing.assert_allclose(places.phi[0, 0], [-0.6, -0.2, 0.2, 0.6], atol=1e-6)


def test_jets_are_turned_as_their_network_sees_them(jets: Jets) -> None:
    view = fit_view(
        Component(name="image", options=options({"pixels": 8, "align": "principal", "extent": 0.8})), as_seen(None, jets)
    )
    seen = as_seen(view, jets)
    assert not np.allclose(seen.eta.numpy(), jets.eta)
    np.testing.assert_allclose(np.hypot(seen.eta.numpy(), seen.phi.numpy()), np.hypot(jets.eta, jets.phi), atol=1e-5)


def test_a_picture_shows_the_pt_in_its_unit(jets: Jets) -> None:
    frame = Grid(rows=8, columns=8, eta_extent=10.0, phi_extent=10.0)  # nothing falls out
    shown, name = pictures(as_seen(None, jets), frame)
    np.testing.assert_allclose(shown.sum(axis=(1, 2)), 600, rtol=1e-4)
    assert name == "$p_T$ [GeV]"
    cold = jets.meta.replace(channels=tuple(Channel(name=c.name, unit="") for c in jets.meta.channels))
    assert pictures(as_seen(None, Jets(**{**vars(jets), "meta": cold})), frame)[1] == "charged [no unit]"
    assert frame_of(None, jets.meta).eta_extent == 0.8


def test_the_mean_of_sets_conserves_what_stands_in_the_frame(jets: Jets) -> None:
    view = fit_view(Component(name="constituents", options=options({"number": 80})), as_seen(None, jets))
    assert isinstance(view, ConstituentsView)
    places = places_of(view, as_seen(view, jets))
    assert places.there is not None
    values = np.where(places.there, np.random.default_rng(0).normal(size=places.eta.shape), 99.0)  # what pads counts for nothing
    inside = places.there & (np.abs(places.eta) < 0.8) & (np.abs(places.phi) < 0.4)
    found = average_map(values, places, GRID)
    assert found.shape == (4, 8)
    assert found.sum() == pytest.approx(values[inside].sum() / 20)
