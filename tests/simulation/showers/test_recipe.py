"""The dataset of electron and photon images: its form, its production, and what separates the classes."""

import numpy as np
import pytest

from jetbench.errors import SimulationError
from jetbench.jets import open_jets
from jetbench.jets.hashes import jet_hashes
from jetbench.simulation import simulate
from jetbench.simulation.chunks import Chunk
from jetbench.simulation.showers.recipe import ElectronVsPhoton
from jetbench.simulation.simulators import simulate_chunk

RECIPE = ElectronVsPhoton(jets=200, seed=3)
PHOTON, ELECTRON = 0, 1


@pytest.fixture(scope="module")
def jets(tmp_path_factory):
    path = tmp_path_factory.mktemp("showers") / "showers.h5"
    simulate(RECIPE, path, workers=1)
    return open_jets(path).read()


def images(jets):
    """(jets, channels, rows, columns)."""
    made = np.zeros((len(jets), 2, 32, 32), np.float32)
    row, column = (np.floor((x / 0.2784 + 1) * 16).astype(int) for x in (jets.eta, jets.phi))
    made[np.repeat(np.arange(len(jets)), np.diff(jets.offsets)), :, row, column] = jets.values
    return made


def test_jets_are_images_of_both_classes(jets):
    jets.validate()
    assert len(jets) == 200
    assert jets.meta.class_names == ("photon", "electron")
    assert np.bincount(jets.targets["label"]).tolist() == [100, 100]
    grid = jets.meta.grid
    assert (grid.rows, grid.columns) == (32, 32)
    assert np.allclose([grid.eta_extent, grid.phi_extent, jets.meta.extent], 0.2784)
    assert not jets.meta.isotropic
    assert [(c.name, c.unit, c.combine, c.weight, c.role) for c in jets.meta.channels] == [
        ("energy", "GeV", "sum", None, "energy"),
        ("time", "ns", "mean", "energy", "other"),
    ]


def test_the_hottest_crystal_stands_at_row_and_column_15(jets):
    hottest = images(jets)[:, 0].reshape(len(jets), -1).argmax(axis=1)
    assert np.all(hottest == 15 * 32 + 15)


def test_every_deposit_is_a_crystal_of_its_own_above_the_threshold(jets):
    assert (images(jets)[:, 0] > 0).sum() == len(jets.eta)
    assert jets.values[:, 0].min() > 0.08


def test_the_axis_and_the_energy_are_the_particles(jets):
    assert np.abs(jets.targets["gen_eta"]).max() < 1.2006
    assert np.median(np.abs(jets.jet_eta - jets.targets["gen_eta"])) < 0.0174
    off = (jets.jet_phi - jets.targets["gen_phi"] + np.pi) % (2 * np.pi) - np.pi
    assert np.median(np.abs(off)) < 2 * 0.0174
    assert abs(np.median(jets.jet_pt) / 50 - 1) < 0.03
    assert np.all(jets.targets["gen_pt"] == 50)


def test_electrons_are_wider_in_phi_and_alike_in_eta(jets):
    energy = np.where(images(jets)[:, 0] > 0.5, images(jets)[:, 0], 0).astype(float)
    widths = []
    for axis in (1, 2):
        profile, pixel = energy.sum(axis=axis), np.arange(32)
        mean = (profile * pixel).sum(axis=1) / profile.sum(axis=1)
        widths.append(np.sqrt((profile * pixel**2).sum(axis=1) / profile.sum(axis=1) - mean**2))
    electron = jets.targets["label"] == ELECTRON
    in_phi, in_eta = (np.median(width[electron]) / np.median(width[~electron]) for width in widths)
    assert in_phi > 1.1
    assert abs(in_eta - 1) < 0.1


def test_a_chunk_is_made_again_alike_and_another_is_not():
    made = [simulate_chunk(Chunk(recipe=RECIPE, index=i, label=PHOTON, jets=60)) for i in (0, 0, 2)]
    assert made[0].content_digest() == made[1].content_digest()
    assert not np.isin(jet_hashes(made[0]), jet_hashes(made[2])).any()
    assert len(np.unique(made[0].event)) == 60


def test_progress_counts_the_images():
    seen = []
    simulate_chunk(Chunk(recipe=RECIPE, index=1, label=ELECTRON, jets=60), seen.append)
    assert seen == [50, 60]


def test_an_odd_number_is_refused():
    with pytest.raises(SimulationError, match="multiple of 2"):
        ElectronVsPhoton(jets=3, seed=0)


@pytest.mark.slow
def test_no_single_observable_separates_the_classes(tmp_path):
    simulate(ElectronVsPhoton(jets=4000, seed=4), tmp_path / "big.h5", workers=2)
    jets = open_jets(tmp_path / "big.h5").read()
    energy, time = np.moveaxis(images(jets), 1, 0).astype(float)
    total, pixel = energy.sum(axis=(1, 2)), np.arange(32)
    in_phi = energy[:, 13:18].sum(axis=1)
    mean = (in_phi * pixel).sum(axis=1) / in_phi.sum(axis=1)
    single = {
        "energy": total,
        "pt": jets.jet_pt,
        "eta": np.abs(jets.jet_eta),
        "crystals": np.diff(jets.offsets),
        "centre": energy[:, 15, 15] / total,
        "3x3": energy[:, 14:17, 14:17].sum(axis=(1, 2)) / total,
        "width in phi": (in_phi * pixel**2).sum(axis=1) / in_phi.sum(axis=1) - mean**2,
        "time": (energy * time).sum(axis=(1, 2)) / total,
        "time of the centre": time[:, 15, 15],
    }
    electron = jets.targets["label"] == ELECTRON
    areas = {name: _area(x[electron], x[~electron]) for name, x in single.items()}
    assert max(areas.values()) < 0.78
    assert areas["width in phi"] > 0.6
    assert areas["eta"] < 0.53
    assert areas["time of the centre"] < 0.70


def _area(signal, background):
    """Area under the ROC curve, whichever class has the larger values."""
    order = np.argsort(np.concatenate([background, signal]), kind="stable")
    ranks = np.flatnonzero(order >= len(background)) + 1
    area = (ranks.sum() - len(signal) * (len(signal) + 1) / 2) / (len(signal) * len(background))
    return max(area, 1 - area)
