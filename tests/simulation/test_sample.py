"""The sanity checks of the simulated jets (protocol: contained, leading, 550–650 GeV)."""

import numpy as np
import pytest

from jetbench.simulation import TopVsQcd
from jetbench.simulation.top_vs_qcd import QCD, TOP


def split(jets, column):
    label = jets.targets["label"]
    return column[label == TOP], column[label == QCD]


def test_classes_are_equal_in_number_and_mixed(small):
    labels = small.targets["label"]
    assert len(small) == 400
    assert (labels == TOP).sum() == 200
    assert small.meta.class_names == ("qcd", "top")
    assert 0.3 < labels[:100].mean() < 0.7


def test_jets_obey_the_cuts(small):
    small.validate()
    assert small.jet_pt.min() > 550
    assert small.jet_pt.max() < 650
    assert np.abs(small.jet_eta).max() < 2
    assert len(np.unique(small.event)) == len(small)


def test_top_masses_peak_at_the_top(small):
    top, _ = split(small, small.targets["mass"])
    allowance = 2 * np.sqrt(0.02 * 0.98 / len(top))
    assert ((top > 140) & (top < 210)).mean() >= 0.85 - 2 * np.sqrt(0.85 * 0.15 / len(top))
    assert (top < 120).mean() <= 0.02 + allowance


def test_mass_separates_as_in_the_reference_set(small, auc_and_error):
    area, error = auc_and_error(*split(small, small.targets["mass"]))
    assert abs(area - 0.92) < 0.02 + 3 * error


@pytest.mark.parametrize("name", ["pt", "eta"])
def test_classes_share_their_kinematics(small, name, auc_and_error):
    column = small.jet_pt if name == "pt" else np.abs(small.jet_eta)
    area, error = auc_and_error(*split(small, column))
    assert abs(area - 0.5) < 0.02 + 3 * error


def test_multiplicities_resemble_the_reference_set(small):
    top, qcd = split(small, np.diff(small.offsets))
    assert abs(top.mean() - 54) < 4
    assert abs(qcd.mean() - 43) < 4


def test_targets_belong_to_the_jets(small):
    t = small.targets
    assert 0.9 < np.median(t["gen_pt"] / small.jet_pt) < 1.1
    assert abs(np.median(split(small, t["gen_sdmass"])[0]) - 172.5) < 10
    assert np.mean(t["gen_sdmass"] <= t["gen_mass"] + 0.1) > 0.99
    assert np.all(t["gen_sdmass"] >= 0)


def test_deposits_rebuild_the_jet(small):
    """Deposits are massless: their sum is the jet, along its axis, with its mass."""
    pt, counts = small.pt(), np.diff(small.offsets)
    assert np.all((small.values > 0).sum(axis=1) == 1)
    axis_eta = np.repeat(small.jet_eta, counts)
    parts = (
        pt * np.cos(small.phi),
        pt * np.sin(small.phi),
        pt * np.sinh(small.eta + axis_eta),
        pt * np.cosh(small.eta + axis_eta),
    )
    px, py, pz, energy = (np.add.reduceat(part.astype(np.float64), small.offsets[:-1]) for part in parts)
    assert np.allclose(np.hypot(px, py), small.jet_pt, rtol=1e-4)
    assert np.allclose(py / px, 0, atol=1e-3)
    assert np.allclose(np.arcsinh(pz / px), small.jet_eta, atol=1e-3)
    mass = np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0))
    assert np.allclose(mass, small.targets["mass"], atol=1.0)


def test_provenance_is_filled(small, small_recipe):
    origin = small.meta.provenance
    assert (origin.source, origin.generator, origin.seed) == ("top-vs-qcd", "Pythia", 1)
    assert origin.version
    assert origin.code
    assert "ATLAS" in origin.detector
    assert f"recipe digest {small_recipe.seed_key}" in origin.remarks


@pytest.mark.parametrize("label", [QCD, TOP])
def test_few_jets_sit_at_the_pt_hat_edge(make, label):
    recipe = TopVsQcd(jets=2, seed=3)
    sample = make(recipe, label, 50)
    assert sample.pt_hat.min() >= recipe.pt_hat_min
    edge = (sample.pt_hat < 1.01 * recipe.pt_hat_min).sum()
    assert edge <= 3  # at most 0.5 of 50 expected, and more than three Poisson deviations of it


def test_uncontained_tops_have_a_low_mass_tail(make):
    mass = make(TopVsQcd(jets=2, seed=3, contained=False), TOP, 80).jets.targets["mass"]
    assert 0.03 < (mass < 120).mean() < 0.35


def test_particle_level_has_more_constituents(make):
    sample = make(TopVsQcd(jets=2, seed=3, detector="none"), TOP, 50)
    assert abs(np.diff(sample.jets.offsets).mean() - 76) < 9  # 76.1(10) on 360 jets
    assert np.allclose(sample.jets.jet_pt, sample.jets.targets["gen_pt"], rtol=1e-5)


def test_multi_parton_interactions_add_constituents(make):
    sample = make(TopVsQcd(jets=2, seed=3, mpi=True), TOP, 25)
    assert np.diff(sample.jets.offsets).mean() > 56


@pytest.mark.slow
def test_sanity_checks_on_a_big_sample(big_file, auc_and_error):
    from jetbench.jets import open_jets

    jets = open_jets(big_file).read()
    top, qcd = split(jets, jets.targets["mass"])
    assert ((top > 140) & (top < 210)).mean() >= 0.85
    assert (top < 120).mean() <= 0.02
    assert abs(auc_and_error(top, qcd)[0] - 0.92) < 0.02
    assert abs(auc_and_error(*split(jets, jets.jet_pt))[0] - 0.5) < 0.02
    assert abs(auc_and_error(*split(jets, np.abs(jets.jet_eta)))[0] - 0.5) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("label", [QCD, TOP])
def test_pt_hat_edge_on_a_big_sample(make, label):
    recipe = TopVsQcd(jets=2, seed=4)
    pt_hat = np.concatenate([make(recipe, label, 500, index=i).pt_hat for i in range(6)])
    assert (pt_hat < 1.01 * recipe.pt_hat_min).mean() < 0.01
