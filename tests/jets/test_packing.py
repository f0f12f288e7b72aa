from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Grid, Jets, Meta, concatenate, jets_from_images, open_jets, save_jets
from jetbench.jets.images import pixel_centres
from jetbench.jets.packing import PixelCentres, pack, packing
from jetbench.seeds import numpy_rng


@pytest.mark.parametrize(("pixels", "dtype"), [(1, np.uint8), (2, np.uint8), (125, np.uint8), (256, np.uint8), (1000, np.uint16)])
@pytest.mark.parametrize("extent", [1.0, 0.8, 3.0])
def test_every_pixel_centre_is_its_index(pixels: int, dtype: type, extent: float) -> None:
    places = PixelCentres(pixels, extent)
    codes = pack(pixel_centres(pixels, extent), places)
    assert codes is not None
    assert codes.dtype == dtype
    assert np.array_equal(codes, np.arange(pixels))
    assert np.array_equal(places.numbers(codes), pixel_centres(pixels, extent))


def test_what_is_not_the_same_in_every_bit_is_not_packed() -> None:
    centres = pixel_centres(125, 1.0)
    for other in (np.nextafter(centres[3], np.float32(2)), np.float32(-0.0), np.float32(1e30), np.float32(-7)):
        assert pack(np.array([centres[0], other]), PixelCentres(125, 1.0)) is None
    for other in (0.5, -0.0, 256, -1, 1e30):
        assert pack(np.array([0, 255, other], np.float32), packing("values", Meta(channels=()))) is None
    assert pack(np.arange(3), packing("event", Meta(channels=()))) is None  # no float32


def pixel_jets(like: Jets) -> Jets:
    grid = Grid(rows=300, columns=5, eta_extent=1.2, phi_extent=0.8)
    images = numpy_rng("packing").integers(0, 4, (40, len(like.meta.channels), 300, 5)).clip(2) - np.float32(2)
    return jets_from_images(images.astype(np.float32), like.meta.replace(grid=grid), {"label": np.zeros(40, np.int32)})


def test_places_of_pixels_are_indices_on_disk_and_floats_in_memory(toy_jets: Jets, tmp_path: Path) -> None:
    jets, path = pixel_jets(toy_jets), tmp_path / "jets.h5"
    assert save_jets(path, [jets[:7], jets[7:]]) == jets.digest == open_jets(path).content_digest()
    with h5py.File(path) as file:
        assert (file["eta"].dtype, file["phi"].dtype, file["values"].dtype) == (np.uint16, np.uint8, np.uint8)


def test_a_place_between_pixels_may_come_late(toy_jets: Jets, tmp_path: Path) -> None:
    jets, path = pixel_jets(toy_jets), tmp_path / "jets.h5"
    moved = replace(jets, eta=jets.eta + np.float32(1e-4))
    assert save_jets(path, [jets, moved]) == concatenate([jets, moved]).digest == open_jets(path).content_digest()
    with h5py.File(path) as file:
        assert (file["eta"].dtype, file["phi"].dtype) == (np.float32, np.uint8)


def test_an_index_beyond_the_grid_is_damage(toy_jets: Jets, tmp_path: Path) -> None:
    jets, path = pixel_jets(toy_jets), tmp_path / "jets.h5"
    save_jets(path, [jets])
    with h5py.File(path, "r+") as file:
        file["phi"][3] = 5
    with pytest.raises(DataFileError, match=r"jets\.h5: damaged .*phi"):
        open_jets(path).read()
