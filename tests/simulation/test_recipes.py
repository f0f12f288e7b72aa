"""What every recipe promises, and what each kind of hadronic jet must look like."""

import numpy as np
import pytest

from jetbench.errors import SimulationError
from jetbench.simulation.jetclass import JetClassMini
from jetbench.simulation.quark_vs_gluon import GLUON, QUARK, QuarkVsGluon
from jetbench.simulation.showers.recipe import ElectronVsPhoton
from jetbench.simulation.simulators import make_meta
from jetbench.simulation.top_vs_qcd import QCD, TopVsQcd

RECIPES = [TopVsQcd, QuarkVsGluon, JetClassMini, ElectronVsPhoton]
PARTICLE_LEVEL = QuarkVsGluon(jets=2, seed=1, mpi=False, detector="none")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mip": True}, "no option 'mip'; did you mean 'mpi'?"),
        ({"shower_scale": 5.0}, "shower_scale is 5.0"),
        ({"energy_scale": 1.5}, "energy_scale is 1.5"),
        ({"energy_scale": 1.02, "detector": "none"}, "belongs to the detector"),
        ({"pt_min": 2000.0}, "empty"),
        ({"pt_max": 9000.0}, "no jet has more than half of the 14000 GeV"),
        ({"jets": 2_000_000_000_000}, "at most 100000000 are simulated"),
        ({"eta_max": 4.0}, "eta_max is 4.0"),
        ({"mpi": "perhaps"}, "mpi is 'perhaps'"),
        ({"name": "quark-vs-gluon"}, "name is"),
    ],
)
def test_an_option_without_sense_is_one_clear_error(options, says):
    with pytest.raises(SimulationError) as caught:
        TopVsQcd(**{"jets": 2, "seed": 0, **options})
    assert says in str(caught.value)


@pytest.mark.parametrize("kind", RECIPES)
def test_provenance_and_frame(kind):
    recipe = kind(jets=12, seed=4)
    meta = make_meta(recipe)
    assert meta.class_names == recipe.class_names
    assert meta.extent == (meta.grid.eta_extent if meta.grid else recipe.radius)
    assert (meta.provenance.source, meta.provenance.seed) == (recipe.name, 4)
    assert meta.provenance.remarks == recipe.remarks


def test_energy_scale_moves_the_detector_jet_and_not_its_partner(make):
    ratios = []
    for scale in (1.0, 1.05):
        jets = make(TopVsQcd(jets=2, seed=3, energy_scale=scale), QCD, 60).jets
        assert jets.jet_pt.min() > 550
        ratios.append(np.median(jets.jet_pt / jets.targets["gen_pt"]))
    assert ratios[1] / ratios[0] == pytest.approx(1.05, abs=0.025)


def test_a_lower_shower_scale_radiates_more(make):
    """alpha_s falls with the scale: halving it adds constituents, doubling it removes some."""
    counts = [
        np.diff(make(TopVsQcd(jets=2, seed=3, detector="none", shower_scale=scale), QCD, 60).jets.offsets).mean()
        for scale in (0.5, 2.0)
    ]
    assert counts[0] > counts[1] + 5


def test_quark_and_gluon_jets_obey_the_cuts_and_differ(make, auc_and_error):
    quark, gluon = (make(PARTICLE_LEVEL, label, 60).jets for label in (QUARK, GLUON))
    for jets in (quark, gluon):
        y = np.arcsinh(jets.jet_pt * np.sinh(jets.jet_eta) / np.hypot(jets.jet_pt, jets.targets["mass"]))
        assert jets.jet_pt.min() > 500
        assert jets.jet_pt.max() < 550
        assert np.abs(y).max() < 1.7
        assert np.quantile(np.hypot(jets.eta, jets.phi), 0.98) < 0.4
    area, error = auc_and_error(np.diff(gluon.offsets), np.diff(quark.offsets))
    assert area > 0.75 - 3 * error


@pytest.mark.parametrize(("name", "mass"), [("hgg", 125.0), ("zqq", 91.2)])
def test_a_resonance_that_pythia_hides_from_its_jet_finder_is_found(make, name, mass):
    recipe = JetClassMini(jets=6, seed=1)
    sample = make(recipe, recipe.class_names.index(name), 25)
    assert abs(np.median(sample.jets.targets["gen_sdmass"]) - mass) < 12
    assert sample.events < 250  # next to none would pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mass", "width"), [("hbb", 125.0, 8), ("hgg", 125.0, 6), ("wqq", 80.4, 4), ("zqq", 91.2, 4), ("tbqq", 172.5, 6)]
)
def test_masses_peak_at_the_resonances(make, name, mass, width):
    recipe = JetClassMini(jets=6, seed=2)
    sample = make(recipe, recipe.class_names.index(name), 300)
    assert abs(np.median(sample.jets.targets["gen_sdmass"]) - mass) < width
    edge = recipe.process(recipe.class_names.index(name)).pt_hat_min
    assert (sample.pt_hat < 1.01 * edge).mean() < 0.01 + 3 * np.sqrt(0.01 / 300)


@pytest.mark.slow
def test_multiplicity_of_quarks_and_gluons_is_the_reference_sets(make, auc_and_error):
    recipe = QuarkVsGluon(jets=2, seed=2, detector="none")
    quark, gluon = (np.diff(make(recipe, label, 150).jets.offsets) for label in (QUARK, GLUON))
    area, error = auc_and_error(gluon, quark)
    assert abs(area - 0.84) < 0.02 + 3 * error
