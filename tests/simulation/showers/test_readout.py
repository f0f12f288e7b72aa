"""Noise, resolution, threshold and the image's frame."""

import numpy as np

from jetbench.seeds import numpy_rng
from jetbench.simulation.showers.crystals import SIDE, Hits
from jetbench.simulation.showers.readout import CENTRE, PIXELS, crop, read_out


def measured(energy, time=0.5):
    full = np.full((5, SIDE, SIDE), energy)
    return read_out(Hits(full, np.full_like(full, time)), numpy_rng("test", "readout"))


def test_the_energy_resolution_is_the_test_beams():
    for energy in (1.0, 40.0):
        expected = np.sqrt(0.028**2 * energy + 0.040**2 + (0.003 * energy) ** 2)
        seen = measured(energy).energy
        assert np.isclose(seen.mean(), energy, rtol=0.01)
        assert np.isclose(seen.std(), expected, rtol=0.03)


def test_the_time_resolution_improves_with_the_amplitude():
    for energy in (1.0, 40.0):
        time = measured(energy).time
        assert np.isclose(time.mean(), 0.5, atol=5 * time.std() / time.size**0.5)
        assert np.isclose(time.std(), np.hypot(35.1 * 0.040 / energy, 0.020), rtol=0.05)


def test_two_standard_deviations_of_noise_are_dropped():
    noise = measured(0.0)
    assert np.isclose((noise.energy > 0).mean(), 0.02275, rtol=0.1)
    assert noise.energy[noise.energy > 0].min() > 0.080
    assert np.all((noise.time != 0) == (noise.energy > 0))


def test_the_hottest_crystal_stands_in_the_centre():
    energy = numpy_rng("test", "crop").random((3, SIDE, SIDE))
    energy[0, 30, 33] = energy[1, 20, 40] = 5
    energy[2, 0, 0] = 5  # no image around it fits the window, so the next one counts
    images = crop(Hits(energy, 2 * energy))
    assert images.energy.shape == (3, PIXELS, PIXELS)
    assert images.row.tolist()[:2] == [30 - CENTRE, 20 - CENTRE]
    assert images.column.tolist()[:2] == [33 - CENTRE, 40 - CENTRE]
    assert np.all(images.energy[:2, CENTRE, CENTRE] == 5)
    assert images.energy[2, CENTRE, CENTRE] == energy[2, CENTRE : SIDE - 16, CENTRE : SIDE - 16].max()
    assert np.array_equal(images.time, 2 * images.energy)
