"""Clustering and truth matching on hand-made events."""

import numpy as np
import pytest

from jetbench.simulation.clustering import cluster, leading, nearest_jet, soft_drop_mass


def four(pt, eta, phi):
    pt, eta, phi = (np.asarray(column, float) for column in (pt, eta, phi))
    return pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)


@pytest.fixture
def momentum():
    """Event 0: jets of 300 GeV and 150 GeV; event 1 is empty; event 2: one jet of 200 GeV."""
    return np.array([0, 0, 0, 2, 2]), four([150, 100, 200, 120, 80], [1, 0, 0.1, -1, -1.1], [2, 0, 0.1, 3.1, -3.1])


def test_jets_own_their_members(momentum):
    jets = leading(cluster(momentum[0], momentum[1], 3, 50.0, 0.8))
    assert jets.event.tolist() == [0, 2]
    assert [sorted(jets.members[a:b]) for a, b in zip(jets.offsets[:-1], jets.offsets[1:], strict=True)] == [[1, 2], [3, 4]]
    assert jets.pt[0] == pytest.approx(300, rel=0.01)
    assert jets.mass[1] == pytest.approx(np.sqrt(2 * 120 * 80 * (np.cosh(0.1) - np.cos(2 * np.pi - 6.2))), rel=1e-6)


def test_no_particles_make_no_jets():
    assert len(cluster(np.zeros(0, int), tuple(np.zeros((4, 0))), 3, 50.0, 0.8)) == 0


def test_nothing_above_the_threshold_makes_no_jets(momentum):
    jets = cluster(momentum[0], momentum[1], 3, 5000.0, 0.8)
    assert len(leading(jets)) == 0


def test_nearest_jet_stays_in_its_event(momentum):
    jets = cluster(momentum[0], momentum[1], 3, 50.0, 0.8)
    rows = nearest_jet(jets, np.array([0, 1, 2, 0]), np.array([1.0, 1.0, -1.0, 0.07]), np.array([2.1, 2.0, 3.14, 0.07]), 0.4)
    assert jets.event[rows[[0, 2, 3]]].tolist() == [0, 2, 0]
    assert jets.pt[rows[0]] == pytest.approx(150)
    assert rows[1] == -1


def test_soft_drop_removes_soft_wide_radiation():
    momentum = four([200, 200, 8], [0, 0.3, 0.15], [0, 0, 0.6])
    jets = cluster(np.zeros(3, int), momentum, 1, 50.0, 0.8)
    hard = np.sqrt(2 * 200 * 200 * (np.cosh(0.3) - 1))
    assert jets.mass[0] > hard + 1
    assert soft_drop_mass(jets, momentum)[0] == pytest.approx(hard, rel=1e-6)
