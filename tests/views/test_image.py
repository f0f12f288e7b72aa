from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jetbench.data.batch import Batch, JetTensors
from jetbench.errors import SuiteError
from jetbench.jets import Channel, Grid, Jets, Meta, jets_from_images
from jetbench.views.frame import frame_options, image_grid
from jetbench.views.image import ImageView, render
from jetbench.views.scaling import Scaling, fit_scaling

CHANNELS = (
    Channel(name="energy", unit="GeV", role="energy"),
    Channel(name="time", unit="ns", combine="mean", weight="energy"),
)
GRID = Grid(rows=5, columns=7, eta_extent=0.8, phi_extent=0.5)
META = Meta(channels=CHANNELS, grid=GRID)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
pixels = st.one_of(st.sampled_from([0.0, -0.0, 1e-45, -1e-45, 3e38]), st.floats(-100, 100, width=32), FINITE)


def batch_of(jets: Jets) -> Batch:
    return JetTensors(jets).batch(torch.arange(len(jets)))


@settings(max_examples=100)
@given(arrays(np.float32, (3, 2, 5, 7), elements=pixels))
def test_an_image_survives_the_round_trip_bit_for_bit(images: np.ndarray) -> None:
    rendered = render(batch_of(jets_from_images(images, META)), GRID).numpy()
    assert (rendered + np.float32(0)).tobytes() == (images + np.float32(0)).tobytes()  # equal but for the sign of a zero


def test_rendering_agrees_with_a_loop_over_deposits(toy_jets: Jets) -> None:
    grid = Grid(rows=6, columns=4, eta_extent=0.3, phi_extent=0.5)
    jets = toy_jets[:8]
    slow = np.zeros((8, 3, 6, 4), np.float64)
    for i in range(8):
        for d in range(jets.offsets[i], jets.offsets[i + 1]):
            row, column = (jets.eta[d] / 0.3 + 1) * 3, (jets.phi[d] / 0.5 + 1) * 2
            if 0 <= row < 6 and 0 <= column < 4:
                slow[i, :, int(row), int(column)] += jets.values[d]
    np.testing.assert_allclose(render(batch_of(jets), grid).numpy(), slow, rtol=1e-5, atol=1e-5)


def test_a_mean_channel_is_weighted_with_its_energy() -> None:
    meta = META.replace(grid=Grid(rows=1, columns=2, eta_extent=1, phi_extent=1))
    jets = jets_from_images(np.ones((1, 2, 1, 2), np.float32), meta)
    batch = batch_of(jets).replace(values=torch.tensor([[1.0, 10.0], [3.0, 2.0]]))
    image = render(batch, Grid(rows=1, columns=1, eta_extent=1, phi_extent=1))
    assert image.flatten().tolist() == [4.0, (1 * 10 + 3 * 2) / 4]


def test_scaling_gives_inputs_of_size_one_and_keeps_their_order() -> None:
    images = torch.distributions.Exponential(0.1).sample((50, 2, 8, 8)) * (torch.rand(50, 2, 8, 8) < 0.2)
    images[:, 1] -= 3 * (images[:, 1] != 0)
    scaling = fit_scaling(images, CHANNELS)
    assert [c.function for c in scaling.channels] == ["log1p", "asinh"]
    scaled = scaling(images)
    np.testing.assert_allclose(scaled.square().mean(dim=(0, 2, 3)).sqrt(), 1, rtol=1e-5)
    assert torch.equal(scaled.flatten(2).argsort(2), images.flatten(2).argsort(2))
    assert Scaling.model_validate_json(scaling.model_dump_json()) == scaling


def test_shown_by_its_pt_a_jet_has_one_image_whatever_its_channels(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets[:20])
    view = ImageView.fit(batch, {"pixels": 8, "channels": "pt"})
    assert view.shapes == {"image": (1, 8, 8)}
    one, other = (view(given)["image"] for given in (batch, batch.summed()))
    torch.testing.assert_close(one, other)
    whole = ImageView.fit(batch, {"pixels": 8})
    assert whole.shapes == {"image": (3, 8, 8)}
    pixels = render(batch, view.frame).sum(dim=1, keepdim=True)
    torch.testing.assert_close(one, view.scaling(pixels))
    assert ImageView.model_validate_json(view.model_dump_json()) == view


def test_the_pt_of_jets_without_is_no_image() -> None:
    with pytest.raises(
        SuiteError, match=r"view\.image\.channels is 'pt': a channel of the role 'pt' is needed; these jets have none"
    ):
        frame_options(META, channels="pt")
    meta = META.replace(channels=(Channel(name="pt", unit="GeV", role="pt"),))
    assert dict(frame_options(meta, channels="pt")) == {**GRID.model_dump(), "channels": "pt"}
    assert image_grid({**GRID.model_dump(), "channels": "pt"}) == GRID


def test_what_is_shown_without_scaling_is_scaled_to_what_a_network_sees(toy_jets: Jets) -> None:
    batch = batch_of(toy_jets[:30])
    for chosen in ({"pixels": 8, "extent": 0.8}, {"pixels": 8, "extent": 0.8, "channels": "pt", "align": "principal"}):
        view = ImageView.fit(batch, chosen)
        assert torch.equal(view.scale(view.unscaled(batch))["image"], view(batch)["image"])
    inside = (batch.eta.abs() < 0.8) & (batch.phi.abs() < 0.8)
    plain = ImageView.fit(batch, {"pixels": 8, "extent": 0.8}).unscaled(batch)["image"]
    assert float(plain.sum()) == pytest.approx(float(batch.values[inside].sum()), rel=1e-4)


def test_a_caller_is_told_how_pixels_are_made(toy_jets: Jets) -> None:
    frame = {"rows": 5, "columns": 7, "eta_extent": 0.8, "phi_extent": 0.5}
    view = ImageView.fit(batch_of(jets_from_images(np.ones((3, 2, 5, 7), np.float32), META)), frame)
    told = view.told(CHANNELS)
    assert "(n, 2, 5, 7)" in told
    assert "5 rows along eta over ±0.8 and 7 columns along phi over ±0.5" in told
    assert "energy [GeV], the sum; time [ns], the mean weighted by energy" in told
    batch = batch_of(toy_jets[:30])
    alone = ImageView.fit(batch, {"pixels": 8, "extent": 0.8, "channels": "pt"})
    assert "one: the sum of charged + photon + neutral [GeV]" in alone.told(batch.meta.channels)
