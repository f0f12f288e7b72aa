"""Where and when energy falls into the crystals."""

import numpy as np
import pytest

from jetbench.seeds import numpy_rng
from jetbench.simulation.showers.crystals import CRYSTAL, FRONT, NOMINAL_DEPTH, SIDE, Deposits, collect, first_crystal, shower
from jetbench.simulation.showers.particles import Particles, propagate
from jetbench.simulation.showers.profiles import CRITICAL_ENERGY, mean_shape

COUNT = 100


def at_the_front(charge, eta, phi=0.0, pt=50.0):
    one = np.ones(COUNT)
    start = Particles(0.0, np.arange(COUNT), np.full(COUNT, charge), pt * one, phi * one, phi * one, 0 * one)
    return propagate(start, FRONT), eta * one


def hits(charge, eta, phi=0.0, pt=50.0):
    particles, etas = at_the_front(charge, eta, phi, pt)
    made = shower(particles, etas, numpy_rng("test", "crystals", charge))
    return collect(made, *first_crystal(etas, np.full(COUNT, phi)))


@pytest.mark.parametrize("charge", [0, 1])
@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_crystals_hold_the_energy_but_for_leakage(charge, eta):
    share = hits(charge, eta).energy.sum(axis=(1, 2)) / (50 * np.cosh(eta))
    assert share.max() < 1 + 1e-5
    assert share.mean() > 0.97


@pytest.mark.parametrize("charge", [-1, 0, 1])
def test_the_centre_of_energy_lies_where_the_particle_arrives(charge):
    """At 5 GeV the way to the shower's middle adds to the bending up to the front: 0.1 m along the helix's tangent."""
    pt, eta, phi = 5.0, 0.6, 1.0
    energy = hits(charge, eta, phi, pt).energy.sum(axis=0)
    row, column = (np.asarray(first) for first in first_crystal(np.array([eta]), np.array([phi])))
    axis = np.arange(SIDE) + 0.5
    bend = 0.299792458 * 3.8 * FRONT / (2 * pt)
    deeper = np.arcsin(bend) * 0.07 / np.cosh(eta) / FRONT
    expected = phi - charge * (np.arcsin(bend) + deeper)
    assert abs(((energy.sum(axis=0) * axis).sum() / energy.sum() + column[0]) * CRYSTAL - expected) < 0.15 * CRYSTAL
    assert abs(((energy.sum(axis=1) * axis).sum() / energy.sum() + row[0]) * CRYSTAL - eta) < 0.15 * CRYSTAL


def test_crystals_around_an_electron_in_the_middle_of_one_contain_what_they_do_in_cms():
    """About 94 % in 3 x 3 and 97 % in 5 x 5 crystals: CMS Physics TDR I, CERN/LHCC 2006-001, sec. 4.3."""
    one = np.ones(COUNT)
    middle = one * CRYSTAL / 2
    beam = Particles(FRONT, np.arange(COUNT), -np.ones(COUNT), 50 * one, middle, middle, FRONT * one)
    first = np.full(COUNT, -2)  # the crystal that is hit stands at row and column 2
    share = collect(shower(beam, middle, numpy_rng("test", "beam")), first, first).energy.mean(axis=0) / 50
    assert abs(share[1:4, 1:4].sum() - 0.94) < 0.015
    assert abs(share[:5, :5].sum() - 0.97) < 0.015


def centre_of_gravity(energy):
    """Mean depth [X0] of an electron's shower."""
    t, alpha = mean_shape(np.log(energy / CRITICAL_ENERGY))
    return t * alpha / (alpha - 1)


def test_electrons_arrive_on_time_and_photons_earlier_by_their_depth():
    """Light from a deeper shower has less of the crystal to cross, at the speed of light over the refractive index."""
    eta = 0.5
    times = []
    for charge in (1, 0):
        made = hits(charge, eta)
        times.append((made.energy * made.time).sum() / made.energy.sum())
    energy, share = 50 * np.cosh(eta), (np.arange(1000) + 0.5) / 1000
    pairs = 9 / 7 * (1 - 4 / 3 * share * (1 - share))
    depth = [centre_of_gravity(energy), 9 / 7 + (pairs * 2 * share * centre_of_gravity(share * energy)).mean()]
    early = (np.array(depth) * 0.0089 - NOMINAL_DEPTH) * (2.29 - 1) / 0.299792458
    assert np.allclose(times, -early, atol=0.02)
    assert times[1] < times[0]


def test_collecting_adds_energy_and_averages_time():
    two = np.array([0, 0])
    eta, phi = np.array([0.001, 0.002]), np.array([0.03, 0.031])
    made = collect(Deposits(two, np.array([1.0, 3.0]), eta, phi, np.array([20.0, 24.0])), np.array([0]), np.array([0]))
    assert made.energy[0, 0, 1] == 4
    assert (made.energy > 0).sum() == 1
    later = collect(Deposits(two, np.array([1.0, 3.0]), eta, phi, np.array([21.0, 25.0])), np.array([0]), np.array([0]))
    assert np.isclose(later.time[0, 0, 1] - made.time[0, 0, 1], 1.0)
