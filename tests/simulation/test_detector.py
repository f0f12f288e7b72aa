"""The detector on hand-made particles."""

import numpy as np
import pytest

from jetbench.simulation.detector import CHARGED, DETECTORS, NEUTRAL, PHOTON, Particles, reconstruct

CMS, ATLAS = DETECTORS["cms"], DETECTORS["atlas"]
PERFECT = CMS.replace(
    loss=0.0, resolution=0.0, track_pt_min=0.0, object_pt_min=0.0, ecal_energy_min=0.0, hcal_energy_min=0.0, significance_min=0.0
)
PION, PHOTON_ID, NEUTRON, ELECTRON, MUON = 211, 22, 2112, 11, 13


def particles(kind, pt, eta, phi, event=None):
    kind, pt, eta, phi = (np.atleast_1d(np.asarray(column)) for column in (kind, pt, eta, phi))
    event = np.zeros(len(kind), int) if event is None else np.asarray(event)
    charge = np.isin(kind, (PION, ELECTRON, MUON)) * np.where(kind == PION, 1, -1)
    return Particles(event, kind, charge, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def crowd(rng):
    count = 5000
    kinds = rng.choice([PION, PHOTON_ID, NEUTRON, ELECTRON], count)
    eta, phi = rng.uniform(-2.4, 2.4, count), rng.uniform(-np.pi, np.pi, count)
    return particles(kinds, rng.exponential(5, count) + 0.01, eta, phi, np.sort(rng.integers(0, 50, count)))


def energy(objects):
    return objects.pt * np.cosh(objects.eta)


def test_perfect_detector_conserves_the_energy_of_every_event(crowd, rng):
    found = reconstruct(crowd, PERFECT, rng)
    before = np.bincount(crowd.event, crowd.energy, 50)
    after = np.bincount(found.event, energy(found), 50)
    assert np.allclose(after, before, rtol=1e-6)


def test_perfect_detector_counts_nothing_twice(crowd, rng):
    found = reconstruct(crowd, PERFECT, rng)
    for kind, ids in ((CHARGED, (PION, ELECTRON)), (PHOTON, (PHOTON_ID,)), (NEUTRAL, (NEUTRON,))):
        assert np.isclose(energy(found)[found.kind == kind].sum(), crowd.energy[np.isin(crowd.kind, ids)].sum(), rtol=1e-6)


def test_smearing_keeps_the_mean_and_has_the_written_width(rng):
    count = 20000
    many = particles(np.full(count, PHOTON_ID), np.full(count, 50.0), np.full(count, 0.01), np.zeros(count), np.arange(count))
    found = energy(reconstruct(many, CMS, rng))
    assert abs(found.mean() - 50.0) < 0.05
    assert abs(found.std() - np.sqrt((0.008 * 50) ** 2 + 0.11**2 * 50 + 0.4**2)) < 0.02


def test_charged_hadron_without_a_track_goes_to_the_cells(rng):
    pion = particles(PION, 20.0, 0.3, 1.0)
    assert reconstruct(pion, PERFECT, rng).kind.tolist() == [CHARGED]
    lost = reconstruct(pion, PERFECT.replace(track_pt_min=30.0), rng)
    assert lost.kind.tolist() == [NEUTRAL]
    assert np.allclose(energy(lost), pion.energy)


def test_electron_without_a_track_looks_like_a_photon(rng):
    assert reconstruct(particles(ELECTRON, 20.0, 0.3, 1.0), PERFECT.replace(track_pt_min=30.0), rng).kind.tolist() == [PHOTON]


def test_muon_leaves_a_track_and_nothing_in_the_cells(rng):
    muon = particles(MUON, 20.0, 0.3, 1.0)
    assert reconstruct(muon, PERFECT, rng).kind.tolist() == [CHARGED]
    assert reconstruct(muon, PERFECT.replace(track_pt_min=30.0), rng).kind.tolist() == []


def test_no_track_beyond_the_tracker(rng):
    assert reconstruct(particles(PION, 20.0, 2.6, 1.0), PERFECT, rng).kind.tolist() == [NEUTRAL]


def test_tracking_efficiency_is_the_written_one(rng):
    count = 20000
    many = particles(np.full(count, PION), np.full(count, 5.0), np.full(count, 1.0), np.zeros(count), np.arange(count))
    found = reconstruct(many, CMS, rng)
    assert abs((found.kind == CHARGED).sum() / count - 0.95) < 0.006


def test_cells_stand_on_an_absolute_grid(crowd, rng):
    found = reconstruct(crowd, PERFECT, rng)
    for kind, grid in ((PHOTON, PERFECT.ecal), (NEUTRAL, PERFECT.hcal)):
        rows = found.eta[found.kind == kind] / grid.eta_width - 0.5
        columns = found.phi[found.kind == kind] / (2 * np.pi) * grid.columns - 0.5
        assert np.allclose(rows, np.round(rows), atol=1e-6)
        assert np.allclose(columns, np.round(columns), atol=1e-6)


def test_neighbours_share_a_cell_only_within_an_event(rng):
    two = ([NEUTRON] * 2, [10.0, 20.0], [0.01, 0.02], [0.01, 0.02])
    assert len(reconstruct(particles(*two), PERFECT, rng).pt) == 1
    assert len(reconstruct(particles(*two, event=[0, 1]), PERFECT, rng).pt) == 2


def test_cells_next_to_the_seam_of_phi_lie_inside_it(rng):
    found = reconstruct(particles([PHOTON_ID] * 2, [5.0, 5.0], [0.0, 0.0], [np.pi - 1e-6, -np.pi + 1e-6]), PERFECT, rng)
    assert len(found.pt) == 2
    assert np.all(np.abs(found.phi) <= np.pi)


def test_objects_are_sorted_by_event_and_above_the_threshold(crowd, rng):
    found = reconstruct(crowd, CMS, rng)
    assert np.all(np.diff(found.event) >= 0)
    assert found.pt.min() > CMS.object_pt_min


def test_a_spread_cell_holds_its_object_and_a_centred_one_has_it_in_the_middle(rng):
    many = particles([PHOTON_ID] * 400, [10.0] * 400, [0.05] * 400, [0.05] * 400, np.arange(400))
    found = reconstruct(many, ATLAS.replace(resolution=0.0), rng)
    assert 0 < found.eta.min() < 0.01
    assert 0.09 < found.eta.max() < 0.1
    assert 0 < found.phi.min() < found.phi.max() < np.radians(10)
    assert np.allclose(reconstruct(many, ATLAS.replace(resolution=0.0, spread=False), rng).eta, 0.05)


def test_a_field_bends_what_is_charged_and_holds_back_what_is_soft(rng):
    lost = ATLAS.replace(resolution=0.0, track_pt_min=1e3, spread=False, hcal_energy_min=0.0)  # no tracks: cells alone
    two = particles([PION, NEUTRON], [3.0, 3.0], [0.05, 0.05], [0.05, 0.05], [0, 1])
    bent, straight = reconstruct(two, lost, rng).phi
    assert straight == pytest.approx(np.radians(5))
    # 0.3 B [T] R [m] / (2 pT [GeV]) = 0.115 is the sine of the angle by which a positive particle turns to smaller phi
    assert bent == pytest.approx(np.radians(-5))
    assert not len(reconstruct(particles(PION, 0.3, 0.05, 0.05), lost, rng).pt)
    assert len(reconstruct(particles(NEUTRON, 0.3, 0.05, 0.05), lost, rng).pt) == 1


def test_the_resolutions_of_atlas_are_the_written_ones(rng):
    count = 20000
    for kind, pt, width in ((PHOTON_ID, 50.0, np.hypot(0.0017 * 50, 0.101 * 50**0.5)), (PION, 5.0, 0.05)):
        many = particles(np.full(count, kind), np.full(count, pt), np.full(count, 0.001), np.zeros(count), np.arange(count))
        found = reconstruct(many, ATLAS.replace(loss=0.0, spread=False), rng)
        seen = found.pt[found.kind == (CHARGED if kind == PION else PHOTON)]
        assert abs(seen.std() / width - 1) < 0.03
