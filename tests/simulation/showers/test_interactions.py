"""Pair production and bremsstrahlung against the integrals of their spectra."""

import numpy as np
import pytest

from jetbench.seeds import numpy_rng
from jetbench.simulation.showers.interactions import conversion_probability, pair_fraction, photons_radiated, radiated_fraction

COUNT = 40_000


def test_a_photon_survives_nine_sevenths_of_a_radiation_length_with_1_over_e():
    assert np.isclose(conversion_probability(np.array(9 / 7)), 1 - 1 / np.e)
    assert conversion_probability(np.array(0.0)) == 0


def test_pairs_share_their_energy_as_the_formula_says():
    share = pair_fraction(COUNT, numpy_rng("test", "pairs"))
    edges = np.linspace(0, 1, 11)
    expected = COUNT * np.diff(9 / 7 * (edges - 2 / 3 * edges**2 + 4 / 9 * edges**3))
    assert np.abs(np.histogram(share, edges)[0] - expected).max() < 5 * np.sqrt(expected.max())


@pytest.mark.parametrize("least", [0.001, 0.3])
def test_radiated_photons_follow_the_spectrum(least):
    share = radiated_fraction(np.full(COUNT, least), numpy_rng("test", "radiation"))
    assert least <= share.min() <= share.max() <= 1
    edges = np.geomspace(least, 1, 9)
    above = photons_radiated(edges)
    expected = COUNT * -np.diff(above) / above[0]
    assert np.abs(np.histogram(share, edges)[0] - expected).max() < 5 * np.sqrt(expected.max())


def test_the_number_of_photons_is_the_integral_of_the_spectrum():
    y = np.linspace(0.01, 1, 200_001)
    density = (4 / 3 - 4 / 3 * y + y**2) / y
    numeric = ((density[1:] + density[:-1]) / 2 * np.diff(y)).sum()
    assert np.isclose(photons_radiated(np.array(0.01)), numeric, rtol=1e-6)


def test_an_electron_below_the_cut_radiates_nothing():
    assert photons_radiated(np.array([1.0, 3.0])).tolist() == [0, 0]
