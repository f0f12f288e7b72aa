"""Truth matching on hand-made event records."""

import numpy as np
import pytest

from jetbench.simulation.generator import Events
from jetbench.simulation.hadronic import Match
from jetbench.simulation.truth import match_distance

TOP_PAIR = [  # id, status, mother, eta, phi
    (90, -11, 0, 0.0, 0.0),
    (6, -62, 0, 0.1, 0.0),
    (-6, -62, 0, 0.0, 3.0),
    (5, -23, 1, 0.5, 0.0),
    (24, -52, 1, 0.0, 0.1),
    (2, -23, 4, 0.2, 0.0),
    (-1, -23, 4, 0.0, -0.7),
    (-5, -23, 2, 0.0, 3.1),
    (-24, -52, 2, 0.0, 3.0),
    (1, -23, 8, 0.0, -3.1),
    (-2, -23, 8, 0.1, 3.0),
]
Z_AND_GLUON = [(90, -11, 0, 0.0, 0.0), (23, -22, 0, 0.0, 3.0), (21, -23, 0, 0.3, -0.4), (12, 23, 1, 0.0, 3.0), (-12, 23, 1, 0, 3)]


@pytest.fixture
def events():
    """A top pair and a Z with a gluon."""
    kind, status, mother, eta, phi = (np.array(column) for column in zip(*TOP_PAIR, *Z_AND_GLUON, strict=True))
    offsets = np.array([0, len(TOP_PAIR), len(TOP_PAIR) + len(Z_AND_GLUON)])
    px, py, pz = np.cos(phi), np.sin(phi), np.sinh(eta.astype(float))
    return Events(offsets, kind, status, mother, px, py, pz, np.cosh(eta.astype(float)), np.ones(2))


def distance(events, match, event, eta=0.0, phi=0.0):
    found = match_distance(events, match, np.array([event]), np.array([eta]), np.array([phi]))
    assert found.shape == (1,)
    return found[0]


def test_a_decay_is_as_far_as_its_farthest_parton(events):
    match = Match(ids=(6,), what="decay", radius=0.8)
    assert distance(events, match, 0) == pytest.approx(0.7)
    assert distance(events, match, 0, phi=3.1) == pytest.approx(np.hypot(0.1, 0.1))  # the antitop, across the seam


def test_the_resonance_itself(events):
    assert distance(events, Match(ids=(6,), what="resonance", radius=0.8), 0) == pytest.approx(0.1)


def test_the_parton_of_the_hard_process(events):
    assert distance(events, Match(ids=(21,), what="parton", radius=0.4), 1) == pytest.approx(0.5)


def test_nothing_to_match_is_infinitely_far(events):
    assert distance(events, Match(ids=(6,), what="decay", radius=0.8), 1) == np.inf
    assert distance(events, Match(ids=(23,), what="decay", radius=0.8), 1) == np.inf  # neutrinos do not count
