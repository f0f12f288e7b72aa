"""The tracker's material and what it does, in the mean, against closed forms."""

import numpy as np

from jetbench.seeds import numpy_rng
from jetbench.simulation.showers.crystals import FRONT
from jetbench.simulation.showers.events import ELECTRON, PHOTON, PT, shoot
from jetbench.simulation.showers.tracker import LAYERS, cross_tracker, radiate, thickness

COUNT = 4000


def crossed(label, eta):
    particles, _ = shoot(label, COUNT, numpy_rng("test", "tracker", label))
    return cross_tracker(particles, np.full(COUNT, eta), FRONT, numpy_rng("test", "crossing", label))


def test_the_budget_is_the_published_one():
    assert np.isclose(thickness(np.array(0.0)), 0.4, atol=0.05)
    assert np.isclose(thickness(np.array([-1.4, 1.4])), 1.8, atol=0.05).all()
    assert np.all(np.diff(thickness(np.linspace(0, 1.4, 50))) >= 0)


def test_layers_share_all_of_the_material_in_order():
    radii, shares = np.array(LAYERS).T
    assert np.isclose(shares.sum(), 1)
    assert np.all(np.diff(radii) > 0)
    assert radii[-1] < FRONT


def test_photons_convert_as_often_as_their_radiation_lengths_say():
    arrived = crossed(PHOTON, 0.9)
    alone = np.bincount(arrived.event, minlength=COUNT) == 1
    survived = np.isin(np.arange(COUNT), arrived.event[(arrived.charge == 0) & (arrived.pt == PT)]) & alone
    expected = np.exp(-7 / 9 * 1.0)
    assert abs(survived.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / COUNT)


def test_electrons_keep_exp_minus_t_of_their_energy():
    """The spectrum's mean energy loss is one part of the energy per radiation length: 4/3 - 4/3/2 + 1/3 = 1."""
    particles, _ = shoot(ELECTRON, COUNT, numpy_rng("test", "loss"))
    rng = numpy_rng("test", "radiation")
    for _ in range(20):
        particles = radiate(particles, np.full(len(particles), 0.02), np.ones(len(particles)), rng)
    kept = particles.pt[particles.charge != 0] / PT
    soft = 4 / 3 * 0.4 * 0.05 / PT  # radiation below the cut stays
    assert abs(kept.mean() - np.exp(-0.4) - soft) < 4 * kept.std() / np.sqrt(COUNT)


def test_radiation_conserves_energy():
    particles, eta = shoot(ELECTRON, 200, numpy_rng("test", "sum"))
    after = radiate(particles, np.full(200, 1.0), np.cosh(eta), numpy_rng("test", "sum of photons"))
    assert len(after) > 400
    assert np.allclose(np.bincount(after.event, after.pt), PT)


def test_next_to_no_energy_is_lost_on_the_way():
    for label in (PHOTON, ELECTRON):
        arrived = crossed(label, 1.1)
        share = np.bincount(arrived.event, arrived.pt, COUNT) / PT
        assert share.max() < 1 + 1e-9
        assert 0.97 < share.mean() < 1
