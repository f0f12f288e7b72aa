from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from jetbench.data.batch import JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Channel, Grid, Jets, Meta
from jetbench.spec import Component, options
from jetbench.views import views
from jetbench.views.alignment import align
from jetbench.views.image import render
from jetbench.views.observables import simple_observables
from jetbench.views.pixels_mass import PixelsMass, image_mass
from jetbench.views.view import fit_view

GRID = Grid(rows=4, columns=4, eta_extent=0.8, phi_extent=0.4)


def slow_mass(jets: Jets, one: int, pixels: int, extent: float) -> float:
    """Pair by pair, over the pixels that a jet's deposits fall into: m² = Σ pTi pTj (cosh Δη − cos Δφ)."""
    filled: dict[tuple[int, int], float] = {}
    for k in range(jets.offsets[one], jets.offsets[one + 1]):
        row, column = (int(np.floor((float(x[k]) / extent + 1) * pixels / 2)) for x in (jets.eta, jets.phi))
        if 0 <= row < pixels and 0 <= column < pixels:
            filled[row, column] = filled.get((row, column), 0.0) + float(jets.values[k].sum())
    step, squared = 2 * extent / pixels, 0.0
    for (row, column), pt in filled.items():
        for (other, beside), also in filled.items():
            squared += pt * also * (np.cosh((row - other) * step) - np.cos((column - beside) * step))
    return float(np.sqrt(max(squared, 0.0)))


def test_two_pixels_have_the_mass_of_two_massless_particles() -> None:
    image = torch.zeros(2, 4, 4)
    image[0, 0, 1], image[0, 3, 2] = 300.0, 200.0
    image[1, 2, 2] = 500.0
    found = image_mass(image, GRID)
    assert float(found[0]) == pytest.approx(np.sqrt(2 * 300 * 200 * (np.cosh(1.2) - np.cos(0.2))), rel=1e-6)
    assert float(found[1]) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("pixels", [8, 24])
def test_the_mass_is_that_of_the_pixels_pair_by_pair(pixels: int, toy_jets: Jets) -> None:
    jets = toy_jets[:12]
    found = PixelsMass.rows(jets, options({"pixels": pixels, "extent": 0.5}))
    assert found.shape == (12, 1)
    assert found[:, 0] == pytest.approx([slow_mass(jets, one, pixels, 0.5) for one in range(12)], rel=1e-5)


def test_many_pixels_have_the_mass_of_the_constituents(toy_jets: Jets) -> None:
    jets = toy_jets[:50]
    found = PixelsMass.rows(jets, options({"pixels": 256, "extent": 1.5}))[:, 0]
    assert found == pytest.approx(simple_observables(jets)[:, 0], rel=0.03)


def test_the_pixels_are_those_that_an_image_model_sees(toy_jets: Jets) -> None:
    jets, settled = toy_jets[:40], options({"pixels": 12, "extent": 0.8, "align": "principal"})
    batch = JetTensors(jets).batch(torch.arange(40)).summed()
    view = fit_view(Component(name="image", options=settled), batch)
    seen = render(align(batch), view.frame)
    assert PixelsMass.rows(jets, settled)[:, 0] == pytest.approx(image_mass(seen[:, 0], view.frame).numpy(), rel=1e-6)
    torch.testing.assert_close(view(batch)["image"], view.scaling(seen))


def test_the_boost_of_the_jet_has_no_part_in_it(toy_jets: Jets) -> None:
    moved = replace(toy_jets, jet_eta=toy_jets.jet_eta + 1, jet_phi=toy_jets.jet_phi + 1)
    given = options({"pixels": 16, "extent": 0.8})
    np.testing.assert_array_equal(PixelsMass.rows(toy_jets[:20], given), PixelsMass.rows(moved[:20], given))


def test_options_are_those_of_the_image_but_for_its_channels(toy_jets: Jets) -> None:
    image, mass = views["image"], views["pixels-mass"]
    given = {"pixels": 16, "channels": "pt"}
    assert dict(mass.settle(toy_jets.meta, given)) == {"pixels": 16, "extent": 0.8}
    assert set(image.settle(toy_jets.meta, given)) == {*mass.settle(toy_jets.meta, given), ("channels", "pt")}
    assert mass.defaults == image.defaults
    with pytest.raises(SuiteError, match="no pixels that could be merged"):
        mass.settle(toy_jets.meta, {"rebin": 2})


def test_pixel_jets_have_the_mass_of_their_own_grid() -> None:
    """Two pixels of a grid, alone and merged two by two."""
    meta = Meta(channels=(Channel(name="energy", unit="GeV", role="pt"),), grid=GRID)
    jets = Jets(
        meta=meta,
        offsets=np.array([0, 2]),
        eta=np.array([-0.6, 0.6], np.float32),
        phi=np.array([-0.1, 0.1], np.float32),
        values=np.array([[300.0], [200.0]], np.float32),
        **{name: np.zeros(1, np.float32) for name in ("jet_eta", "jet_phi", "jet_pt")},
        event=np.arange(1),
        targets={},
    )
    for rebin, (eta, phi) in {1: (1.2, 0.2), 2: (0.8, 0.4)}.items():
        found = PixelsMass.rows(jets, views["pixels-mass"].settle(meta, {"rebin": rebin}))
        assert found[0, 0] == pytest.approx(np.sqrt(2 * 300 * 200 * (np.cosh(eta) - np.cos(phi))), rel=1e-5)
