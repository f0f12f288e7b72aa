"""Ways through the field against closed forms and a stepped trajectory."""

import numpy as np
import pytest

from jetbench.simulation.showers.particles import FIELD, Particles, join, propagate


def at_origin(pt, charge, phi=0.3):
    pt = np.atleast_1d(np.asarray(pt, float))
    n = len(pt)
    return Particles(0.0, np.arange(n), np.full(n, charge), pt, np.full(n, phi), np.full(n, phi), np.zeros(n))


@pytest.mark.parametrize("charge", [-1, 1])
def test_a_track_from_the_origin_bends_as_its_circle(charge):
    pt = np.array([50.0, 5.0, 1.0])
    end = propagate(at_origin(pt, charge), 1.29)
    circle = pt / (0.299792458 * FIELD)
    assert np.allclose(end.phi - 0.3, -charge * np.arcsin(1.29 / (2 * circle)))
    assert np.allclose(end.psi - 0.3, 2 * (end.phi - 0.3))
    assert np.allclose(end.length, 2 * circle * np.arcsin(1.29 / (2 * circle)))


def test_a_photon_goes_straight():
    start = Particles(0.5, np.array([0]), np.array([0]), np.array([3.0]), np.array([0.1]), np.array([0.4]), np.array([0.6]))
    end = propagate(start, 1.29)
    step = np.array([1.29 * np.cos(end.phi[0]) - 0.5 * np.cos(0.1), 1.29 * np.sin(end.phi[0]) - 0.5 * np.sin(0.1)])
    assert np.isclose(end.psi[0], 0.4)
    assert np.isclose(np.arctan2(step[1], step[0]), 0.4)
    assert np.isclose(end.length[0] - 0.6, np.hypot(*step))


def test_stages_change_nothing():
    whole = propagate(at_origin([2.0, 20.0], 1), 1.29)
    staged = at_origin([2.0, 20.0], 1)
    for radius in (0.04, 0.5, 1.0, 1.29):
        staged = propagate(staged, radius)
    for name in ("phi", "psi", "length"):
        assert np.allclose(getattr(staged, name), getattr(whole, name), atol=1e-12)


def test_a_helix_from_a_layer_agrees_with_small_steps():
    """A soft electron that starts off the radial direction, followed in steps of 10 µm."""
    start = Particles(0.4, np.array([0]), np.array([-1]), np.array([0.9]), np.array([0.2]), np.array([0.15]), np.array([0.0]))
    end = propagate(start, 1.0)
    step, psi, way = 1e-5, 0.15, 0.0
    x, y = 0.4 * np.cos(0.2), 0.4 * np.sin(0.2)
    while np.hypot(x, y) < 1.0:
        psi += step * 0.299792458 * FIELD / 0.9 / 2
        x, y = x + step * np.cos(psi), y + step * np.sin(psi)
        psi += step * 0.299792458 * FIELD / 0.9 / 2
        way += step
    assert np.isclose(end.phi[0], np.arctan2(y, x), atol=1e-4)
    assert np.isclose(end.psi[0], psi, atol=1e-4)
    assert np.isclose(end.length[0], way, atol=1e-4)


def test_loopers_are_lost():
    turns_back = 0.299792458 * FIELD * 1.29 / 2
    end = propagate(at_origin([0.99 * turns_back, 1.01 * turns_back], 1), 1.29)
    assert end.event.tolist() == [1]


def test_joined_particles_keep_their_columns():
    both = join(at_origin([1.0, 2.0], 1), at_origin([3.0], 0))
    assert both.pt.tolist() == [1, 2, 3]
    assert both.charge.tolist() == [1, 1, 0]
