"""Showers against textbook numbers."""

import numpy as np
import pytest

from jetbench.seeds import numpy_rng
from jetbench.simulation.showers.profiles import CRITICAL_ENERGY, draw_shapes, radial_shape, scatter_spots

SHOWERS = 60


def spots(energy):
    return scatter_spots(np.full(SHOWERS, energy), numpy_rng("test", "spots"))


@pytest.mark.parametrize("energy", [1.0, 10.0, 50.0])
def test_the_mean_profile_peaks_where_the_review_of_particle_physics_says(energy):
    """t_max = ln(E/E_c) - 0.5 for electrons."""
    made = spots(energy)
    slices = np.bincount(made.depth.astype(int), made.energy)
    around = slice(max(slices.argmax() - 2, 0), slices.argmax() + 3)
    parabola = np.polynomial.Polynomial.fit(np.arange(len(slices))[around] + 0.5, slices[around], 2)
    assert abs(parabola.deriv().roots()[0] - (np.log(energy / CRITICAL_ENERGY) - 0.5)) < 0.7


@pytest.mark.parametrize("energy", [1.0, 10.0, 50.0])
def test_nine_tenths_of_the_energy_lie_within_a_moliere_radius(energy):
    made = spots(energy)
    within = [made.energy[made.radius < radius].sum() / made.energy.sum() for radius in (1, 3.5)]
    assert abs(within[0] - 0.90) < 0.03
    assert abs(within[1] - 0.99) < 0.01


@pytest.mark.parametrize("energy", [0.02, 0.3, 50.0])
def test_spots_hold_the_energy(energy):
    made = spots(energy)
    held = np.bincount(made.shower, made.energy, SHOWERS) / energy
    assert held.max() < 1 + 1e-5
    assert held.mean() > 0.995
    assert made.energy.min() >= 0
    assert np.all(np.diff(made.shower) >= 0)


def test_shapes_fluctuate_and_correlate_as_parametrised():
    t, alpha = draw_shapes(np.full(20_000, 50.0), numpy_rng("test", "shapes"))
    log_y = np.log(50 / CRITICAL_ENERGY)
    assert np.isclose(np.log(t).mean(), np.log(log_y - 0.812), atol=0.005)
    assert np.isclose(np.log(t).std(), 1 / (1.26 * log_y - 1.4), rtol=0.03)
    assert np.isclose(np.log(alpha).std(), 1 / (0.86 * log_y - 0.58), rtol=0.03)
    assert np.isclose(np.corrcoef(np.log(t), np.log(alpha))[0, 1], 0.705 - 0.023 * log_y, atol=0.02)


def test_radial_shapes_are_distributions():
    tau, energy = np.meshgrid(np.linspace(0.01, 5, 40), np.geomspace(0.001, 100, 20))
    weight, core, tail = radial_shape(tau, energy)
    assert weight.min() >= 0
    assert weight.max() <= 1
    assert core.min() > 0
    assert tail.min() > 0
