from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Channel, Grid, Meta, jets_from_images
from jetbench.jets.hashes import jet_hashes

META = Meta(
    channels=(Channel(name="energy", unit=""), Channel(name="time", unit="", combine="mean", weight="energy")),
    grid=Grid(rows=2, columns=4, eta_extent=1.0, phi_extent=0.5),
)


def test_a_pixel_stands_at_its_centre_and_an_empty_one_leaves_nothing() -> None:
    images = np.zeros((3, 2, 2, 4), np.float32)
    images[0, 0, 0, 1] = 2.0
    images[0, 1, 1, 3] = -5.0  # a time without energy is a value
    images[2, :, 1, 0] = -0.0
    images[1, 0, 0, 0] = 1e-45
    jets = jets_from_images(images, META)
    assert jets.offsets.tolist() == [0, 2, 3, 3]
    assert jets.eta.tolist() == [-0.5, 0.5, -0.5]
    assert jets.phi.tolist() == [-0.125, 0.375, -0.375]
    assert jets.values.tolist() == [[2.0, 0.0], [0.0, -5.0], [images[1, 0, 0, 0], 0.0]]
    assert jets.event.tolist() == [0, 1, 2]
    assert not np.signbit(jets.values[:2, 0]).any()


def test_equal_numbers_make_equal_jets_whatever_the_sign_of_their_zeros() -> None:
    image = np.ones((1, 2, 2, 4), np.float32)
    image[0, 1] = 0
    other = image.copy()
    other[0, 1] = -0.0
    assert np.array_equal(jet_hashes(jets_from_images(image, META)), jet_hashes(jets_from_images(other, META)))


def test_columns_and_targets_come_with_the_images() -> None:
    images = np.ones((2, 2, 2, 4), np.float32)
    pt = np.array([500, 600], np.float32)
    jets = jets_from_images(images, META, {"mass": pt / 5}, {"jet_pt": pt, "event": np.array([7, 8])})
    assert jets.jet_pt.tolist() == [500, 600]
    assert jets.event.tolist() == [7, 8]
    assert jets.targets["mass"].tolist() == [100, 120]
    jets.validate()


def test_images_that_do_not_fit_their_grid_are_refused() -> None:
    with pytest.raises(DataFileError, match="fit neither the 2 channels nor the grid"):
        jets_from_images(np.ones((1, 2, 4, 2), np.float32), META)
