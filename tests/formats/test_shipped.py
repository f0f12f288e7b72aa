"""Formats that are shipped cards, and the LHC Olympics: their jets come back, and are those of four-vectors summed apart."""

from __future__ import annotations

import configparser
import gzip
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from formats.files import Particles, energyflow, jetclass, particles, top_tagging, whole
from formats.image_files import KINDS
from formats.shipped_files import aspen, atlas, events, frame, hls4ml, lhco, sums, tracks

from jetbench.cli import main
from jetbench.data.splits import split_jets
from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.cards import read_card
from jetbench.formats.conversion import Request, convert
from jetbench.formats.reading import detect
from jetbench.jets import Jets, open_jets

JETS = particles(30)
SHIPPED = [entry.name for entry in formats if entry.shipped]
IMAGES = {kind.format: kind for kind in KINDS.values()}
WRITERS = {
    "hls4ml": hls4ml,
    "atlas-top-tagging": atlas,
    "aspen-open-jets": aspen,
    "top-tagging": top_tagging,
    "energyflow": energyflow,
    "jetclass": jetclass,
}


def read(name: str, path: Path) -> tuple[Jets, list[str], dict[str, int]]:
    with closing(formats[name].load()(path)) as reader:
        jets, repairs = whole(reader)
        return jets, list(reader.remarks), repairs


def assert_same_jets(jets: Jets, expected: Particles, scale: float = 1.0) -> None:
    """The constituents in their order, and the jets that are summed of them in another way."""
    jets.validate()
    assert np.array_equal(np.diff(jets.offsets), expected.counts)
    assert np.allclose(jets.values[:, :2], np.column_stack([expected.pt, expected.momentum[:, 3]]), rtol=2e-6)
    of = np.repeat(np.arange(len(jets)), expected.counts)
    assert np.allclose(jets.eta + jets.jet_eta[of].astype(float), expected.eta, atol=2e-5)
    turn = jets.phi + jets.jet_phi[of].astype(float) - expected.phi
    assert np.allclose(np.angle(np.exp(1j * turn)), 0, atol=2e-5)
    for name, values in {"pt": jets.jet_pt, "eta": jets.jet_eta, "mass": jets.targets["mass"]}.items():
        assert np.allclose(values, sums(expected)[name], rtol=1e-3, atol=1e-3), name


@pytest.mark.parametrize("width", [30, 100])
def test_hls4ml_has_five_classes(width: int, tmp_path: Path) -> None:
    hls4ml(tmp_path / "jetImage_7_100p_0_30.h5", JETS, width)
    jets, remarks, _ = read("hls4ml", tmp_path / "jetImage_7_100p_0_30.h5")
    assert_same_jets(jets, JETS)
    assert jets.meta.class_names == ("gluon", "light-quark", "W", "Z", "top")
    assert np.array_equal(jets.targets["label"], np.arange(30) % 5)
    assert not remarks


def test_hls4ml_of_no_class_is_refused(tmp_path: Path) -> None:
    hls4ml(tmp_path / "x.h5", JETS, features=lambda x: np.where(np.arange(59) == 53, 0, x))
    with pytest.raises(DataFileError, match="jet 0 is not of exactly one class"):
        read("hls4ml", tmp_path / "x.h5")


@pytest.mark.parametrize("weights", [True, False])
def test_atlas_jets_are_in_gev_and_have_weights_in_training_files(weights: bool, tmp_path: Path) -> None:
    atlas(tmp_path / "train_nominal_000.h5", JETS, weights)
    jets, remarks, _ = read("atlas-top-tagging", tmp_path / "train_nominal_000.h5")
    assert_same_jets(jets, JETS)
    assert jets.meta.class_names == ("qcd", "top")
    assert np.array_equal(jets.targets["label"], np.arange(30) % 2)
    if weights:
        assert np.allclose(jets.targets["weight"], np.linspace(0.1, 5, 30))
    assert ("weight" in jets.targets) == weights
    assert not remarks


def test_a_calibrated_jet_that_its_constituents_do_not_add_up_to_is_remarked(tmp_path: Path) -> None:
    atlas(tmp_path / "x.h5", JETS)
    with h5py.File(tmp_path / "x.h5", "a") as file:
        file["fjet_pt"][:] *= 1.1
    _, remarks, _ = read("atlas-top-tagging", tmp_path / "x.h5")
    assert [remark.split(";")[0] for remark in remarks] == ["30 of 30 jets disagree with the file's fjet_pt"]


def test_atlas_files_are_unpacked_first(tmp_path: Path) -> None:
    atlas(tmp_path / "x.h5", JETS)
    (tmp_path / "x.h5.gz").write_bytes(gzip.compress((tmp_path / "x.h5").read_bytes()))
    with pytest.raises(DataFileError, match=r"compressed as a whole \(gzip\); unpack it: gunzip -k "):
        convert(tmp_path / "x.h5.gz", tmp_path / "out.h5")


def test_aspen_jets_have_tracks_and_kinds(tmp_path: Path) -> None:
    aspen(tmp_path / "RunG_batch0.h5", JETS)
    jets, remarks, repairs = read("aspen-open-jets", tmp_path / "RunG_batch0.h5")
    assert_same_jets(jets, JETS)
    assert "label" not in jets.targets
    assert not remarks
    assert set(repairs) <= {"negative squared mass set to zero"}
    found, values = tracks(JETS), {channel.name: jets.values[:, i] for i, channel in enumerate(jets.meta.channels)}
    for name in ("d0", "d0_error", "dz", "dz_error"):  # mm of cm; nothing where there is no track
        assert np.allclose(values[name], np.where(found["charge"] == 0, 0, 10 * found[name]), rtol=1e-6)
    assert np.array_equal(values["charge"], found["charge"])
    kinds = {"charged_hadron": [211], "neutral_hadron": [130], "photon": [22], "electron": [11], "muon": [13]}
    for name, numbers in kinds.items():
        assert np.array_equal(values[name], np.isin(np.abs(found["pdg"]), numbers))
    assert np.allclose(jets.targets["sdmass"], 0.8 * sums(JETS)["mass"], rtol=1e-5)


def test_unknown_candidates_are_counted_and_then_the_file_is_not_recognised_by_them(tmp_path: Path) -> None:
    def strange(candidates: np.ndarray) -> np.ndarray:
        candidates[[4, 20], 0, 9] = 1  # a hadron of the forward calorimeter
        return candidates

    aspen(tmp_path / "x.h5", JETS, PFCands=strange)
    _, _, repairs = read("aspen-open-jets", tmp_path / "x.h5")
    assert [number for name, number in repairs.items() if name.startswith("particles of an unknown PDG number")] == [2]


def test_aspen_jets_are_a_pool_beside_jetclass(tmp_path: Path) -> None:
    aspen(tmp_path / "aspen.h5", JETS)
    jetclass(tmp_path / "jets.root", JETS)
    shared = ("pt", "energy", "d0", "d0_error", "dz", "dz_error", "charge")
    kinds = ("charged_hadron", "neutral_hadron", "photon", "electron", "muon")
    convert(tmp_path / "aspen.h5", tmp_path / "pool.h5", Request(channels=(*shared, *kinds)))
    convert(tmp_path / "jets.root", tmp_path / "jets.h5", Request(channels=(*shared, *kinds)))
    pool, jets = (open_jets(tmp_path / name) for name in ("pool.h5", "jets.h5"))
    assert pool.meta.channels == jets.meta.channels
    assert pool.meta.extent == jets.meta.extent
    assert "label" not in pool.targets


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_card_is_recognised_shown_and_copied(name: str, tmp_path: Path) -> None:
    if name in IMAGES:
        source = IMAGES[name].make(tmp_path)
    else:
        source = tmp_path / {"energyflow": "in.npz", "jetclass": "in.root"}.get(name, "in.h5")
        WRITERS[name](source, JETS)
    assert detect(source).name == name
    shown = CliRunner().invoke(main, ["show", name])
    assert shown.exit_code == 0
    assert name in CliRunner().invoke(main, ["ls", "formats"]).output.split()
    (tmp_path / "card.yaml").write_text(shown.output)
    assert read_card(tmp_path / "card.yaml").source
    convert(source, tmp_path / "by-name.h5")
    convert(source, tmp_path / "by-card.h5", Request(card=tmp_path / "card.yaml"))
    by_name, by_card = (open_jets(tmp_path / f"by-{how}.h5") for how in ("name", "card"))
    assert by_name.content_digest() == by_card.content_digest()
    assert by_name.meta == by_card.meta


def test_every_shipped_card_is_a_format_and_goes_into_a_wheel() -> None:
    assert sorted(SHIPPED) == sorted(
        path.name[:-5] for path in files("jetbench.formats.shipped").iterdir() if path.name[-5:] == ".yaml"
    )
    config = configparser.ConfigParser()
    config.read(Path(__file__).parents[2] / "setup.cfg")
    assert config["options.package_data"]["jetbench.formats.shipped"] == "*.yaml"


def test_two_jets_of_each_event_are_clustered(tmp_path: Path) -> None:
    lhco(tmp_path / "events_anomalydetection.h5", JETS)
    assert detect(tmp_path / "events_anomalydetection.h5").name == "lhco"
    jets, _, _ = read("lhco", tmp_path / "events_anomalydetection.h5")
    jets.validate()
    assert np.array_equal(jets.event, np.arange(30) // 2)
    assert np.array_equal(jets.targets["label"], np.arange(30) // 2 % 3 == 0)
    assert (jets.jet_pt[::2] >= jets.jet_pt[1::2]).all()
    expected = np.array([antikt(*event.T) for event in events(JETS)]).reshape(-1, 2)
    assert np.allclose(jets.jet_pt, expected[:, 0], rtol=1e-5)
    assert np.allclose(jets.targets["mass"], expected[:, 1], rtol=1e-3, atol=1e-2)


def antikt(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray) -> list[tuple[float, float]]:
    """pT and mass of the two hardest anti-kT jets of R = 1 of massless particles, pair by pair, as the algorithm is defined."""
    waiting = list(np.column_stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)]))
    done = []
    while waiting:
        p = np.array(waiting)
        kt = np.hypot(p[:, 0], p[:, 1]) ** -2
        y, angle = np.arctanh(p[:, 2] / p[:, 3]), np.arctan2(p[:, 1], p[:, 0])
        turn = np.angle(np.exp(1j * (angle[:, None] - angle)))
        distance = np.minimum(kt[:, None], kt) * ((y[:, None] - y) ** 2 + turn**2)
        distance[np.diag_indices(len(p))] = kt
        i, j = np.unravel_index(distance.argmin(), distance.shape)
        if i == j:
            done.append(waiting.pop(int(i)))
        else:
            both = waiting[i] + waiting[j]
            waiting = [one for k, one in enumerate(waiting) if k not in (i, j)] + [both]
    hardest = sorted(((float(np.hypot(q[0], q[1])), float(q[3] ** 2 - (q[:3] ** 2).sum())) for q in done), reverse=True)[:2]
    return [(pt, max(square, 0.0) ** 0.5) for pt, square in hardest]


def test_both_jets_of_an_event_stay_on_one_side_of_a_split(tmp_path: Path) -> None:
    lhco(tmp_path / "in.h5", particles(80, seed=5))
    convert(tmp_path / "in.h5", tmp_path / "out.h5")
    jets = open_jets(tmp_path / "out.h5")
    assert len(jets) == 80
    assert len(np.unique(jets.event)) == 40
    assert any("belongs to both of its jets" in remark for remark in jets.meta.provenance.remarks)
    event, label = np.asarray(jets.event), np.asarray(jets.targets["label"])
    split = split_jets(label, event, 20, 30, 0, jets.digest)
    assert not {*event[split.test]} & {*event[split.pool]}
    assert not {*event[split.train]} & {*event[split.validation]}


def test_black_boxes_have_no_labels(tmp_path: Path) -> None:
    lhco(tmp_path / "x.h5", JETS, labelled=False)
    jets, _, _ = read("lhco", tmp_path / "x.h5")
    assert "label" not in jets.targets
    assert not jets.meta.class_names


def test_features_of_the_lhc_olympics_have_no_constituents(tmp_path: Path) -> None:
    names = [
        "pxj1",
        "pyj1",
        "pzj1",
        "mj1",
        "tau1j1",
        "tau2j1",
        "tau3j1",
        "pxj2",
        "pyj2",
        "pzj2",
        "mj2",
        "tau1j2",
        "tau2j2",
        "tau3j2",
    ]
    frame(tmp_path / "x.h5", np.ones((8, 14)), np.array(names, "S6"))
    with pytest.raises(DataFileError, match="without their constituents; convert the raw events, events_anomalydetection"):
        convert(tmp_path / "x.h5", tmp_path / "out.h5")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (
            lambda rows: np.where(np.arange(2101) == 3, np.nan, rows),
            "event 0 has a particle with a value that is NaN, infinite",
        ),
        (lambda rows: np.where(np.arange(2101) == 0, -1, rows), "event 0 has a particle of negative pT"),
        (lambda rows: rows * (np.arange(2101) < 3), "event 0 has fewer than two jets"),
        (
            lambda rows: rows * (np.arange(2101) < 2100) + 7 * (np.arange(2101) == 2100),
            "event 0 has a label that is neither 0 nor 1",
        ),
    ],
)
def test_what_is_wrong_with_an_event_is_one_clear_error(change: object, cause: str, tmp_path: Path) -> None:
    lhco(tmp_path / "x.h5", JETS, rows=change)
    with pytest.raises(DataFileError, match=cause):
        convert(tmp_path / "x.h5", tmp_path / "out.h5")


def test_events_that_give_no_two_jets_are_left_out_with_both_of_them(tmp_path: Path) -> None:
    lhco(tmp_path / "in.h5", JETS, rows=lambda rows: np.where((np.arange(15) == 4)[:, None] & (np.arange(2101) > 2), 0, rows))
    done = convert(tmp_path / "in.h5", tmp_path / "out.h5", Request(drop="bad"))
    assert done.jets == 28
    jets = open_jets(tmp_path / "out.h5")
    assert sorted(set(np.asarray(jets.event) & 0xFFFFFFFF)) == [event for event in range(15) if event != 4]
    assert dict(jets.meta.provenance.dropped) == {"has fewer than two jets": 2}
