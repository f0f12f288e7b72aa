"""Every reader gives back the jets of a small file in its layout, whatever the blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from formats.files import REAL, Particles, energyflow, jetclass, jetnet, particles, top_tagging, whole, with_text
from sklearn.metrics import roc_auc_score

from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.reader import Block, Reader
from jetbench.jets import Jets

JETS = particles(50)
FILES: dict[str, tuple[str, Callable[..., Any]]] = {
    "top-tagging": ("test.h5", top_tagging),
    "jetclass": ("HToBB_000.root", jetclass),
    "energyflow": ("QG_jets.npz", energyflow),
    "jetnet": ("t.hdf5", jetnet),
}
NAMES = sorted(FILES)


def open_as(name: str, path: Path) -> closing[Reader]:
    return closing(formats[name].load()(path))


def read(name: str, path: Path) -> tuple[Jets, dict[str, int]]:
    """All jets and the repairs."""
    with open_as(name, path) as reader:
        return whole(reader)


@pytest.fixture(params=NAMES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    file, write = FILES[request.param]
    write(tmp_path / file, JETS)
    return request.param, tmp_path / file


def momenta(jets: Jets) -> np.ndarray:
    """px, py, pz and energy of every deposit, from what a `Jets` stores of it."""
    jet = np.repeat(np.arange(len(jets)), np.diff(jets.offsets))
    pt, energy = jets.values[:, 0].astype(float), jets.values[:, 1].astype(float)
    eta, phi = jets.eta + jets.jet_eta[jet].astype(float), jets.phi + jets.jet_phi[jet].astype(float)
    return np.column_stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy])


def test_jets_come_back(case: tuple[str, Path]) -> None:
    name, path = case
    with open_as(name, path) as reader:
        assert reader.jets == 50
        jets, repairs = whole(reader)
    jets.validate()
    assert set(repairs) <= {"negative squared mass set to zero"}
    assert np.array_equal(np.diff(jets.offsets), JETS.counts)
    assert np.array_equal(jets.event, np.arange(50))
    assert jets.meta.in_gev
    assert jets.meta.provenance.licence == "CC-BY-4.0"
    if name == "jetnet":  # knows no azimuth of the jet
        assert jets.meta.unknown == ("jet_phi",)
        assert np.allclose(jets.values[:, 0], JETS.pt, rtol=1e-5)
    elif name == "energyflow":  # knows rapidities of massive particles
        assert np.allclose(momenta(jets)[:, :2], JETS.momentum[:, :2], rtol=1e-5, atol=1e-3)
    else:
        assert np.allclose(momenta(jets), JETS.momentum, rtol=1e-5, atol=1e-3)
        assert not list(reader.remarks)


@pytest.mark.parametrize("name", ["top-tagging", "jetclass", "jetnet"])  # the particles of energyflow have masses
def test_the_mass_is_that_of_the_sum(name: str, tmp_path: Path) -> None:
    file, write = FILES[name]
    write(tmp_path / file, JETS)
    with open_as(name, tmp_path / file) as reader:
        jets, _ = whole(reader)
    for row, values in enumerate(JETS.lists(JETS.momentum)):
        px, py, pz, energy = values.sum(axis=0)
        assert jets.targets["mass"][row] == pytest.approx(np.sqrt(energy**2 - px**2 - py**2 - pz**2), rel=1e-3, abs=0.2)
        assert jets.jet_pt[row] == pytest.approx(np.hypot(px, py), rel=1e-5)


def test_a_fault_of_a_reader_is_not_taken_for_another_format(case: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where a file is recognised nor where it is opened and read."""
    name, path = case
    reader = formats[name].load()
    with monkeypatch.context() as patch:
        patch.setattr(f"{reader.__module__}.has", None, raising=False)
        patch.setattr(reader, "__init__", None)
        with pytest.raises(TypeError, match="not callable"):
            reader.recognises(path)
    with open_as(name, path) as opened:
        monkeypatch.setattr(f"{opened._jets.__module__}.Constituents", None)
        with pytest.raises(TypeError, match="not callable"):
            next(iter(opened.blocks()))


def test_the_reader_of_a_plug_in_has_bugs_of_its_own(tmp_path: Path) -> None:
    class Broken(Reader):
        @classmethod
        def looks_right(cls, path: Path) -> bool:
            return bool({}["size"])

        def blocks(self, start: int = 0) -> Iterator[Block]:
            raise NotImplementedError

        def close(self) -> None: ...

    with pytest.raises(KeyError, match="size"):
        Broken.recognises(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_such_file_is_one_clear_error(name: str, tmp_path: Path) -> None:
    reader = formats[name].load()
    for other, (file, write) in FILES.items():
        path = tmp_path / other / file
        path.parent.mkdir()
        write(path, JETS)
        if other != name:
            with pytest.raises(DataFileError, match=str(path)):
                reader(path)
    for content in (b"", b"root", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x80\x04N."):
        path = tmp_path / "foreign"
        path.write_bytes(content)
        assert not reader.recognises(path)
        with pytest.raises(DataFileError, match="foreign"):
            reader(path)
    assert not reader.recognises(tmp_path / "missing")
    assert not reader.recognises(tmp_path)
    with pytest.raises(DataFileError, match="no such file"):
        reader(tmp_path / "missing")


def test_a_truncated_file_is_one_clear_error(case: tuple[str, Path]) -> None:
    name, path = case
    content = path.read_bytes()
    for size in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:size])
        with pytest.raises(DataFileError, match=path.name):
            read(name, path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real jets are not beside this checkout")
def test_real_top_tagging_jets() -> None:
    with open_as("top-tagging", REAL / "top-tagging-2000.h5") as reader:
        jets, repairs = whole(reader)
    label = jets.targets["label"]
    assert np.bincount(label).tolist() == [1060, 940]
    assert jets.meta.class_names == ("qcd", "top")
    assert roc_auc_score(label, jets.targets["mass"]) == pytest.approx(0.91, abs=0.005)
    assert roc_auc_score(label, np.diff(jets.offsets)) == pytest.approx(0.70, abs=0.005)
    assert 550 <= jets.jet_pt.min() <= jets.jet_pt.max() <= 650
    assert np.abs(jets.jet_eta).max() < 2
    assert not repairs


@pytest.mark.skipif(not REAL.is_dir(), reason="the real jets are not beside this checkout")
def test_real_jetclass_jets() -> None:
    with open_as("jetclass", REAL / "jetclass-500.root") as reader:
        jets, repairs = whole(reader)
    assert not repairs
    assert not list(reader.remarks)
    medians = {name: np.median(jets.targets["mass"][jets.targets["label"] == i]) for i, name in enumerate(jets.meta.class_names)}
    # some 50 jets of each class; what leaks out of and into a jet shifts its mass by a few GeV
    for name, mass in {"Wqq": 80.4, "Zqq": 91.2, "Hbb": 125, "Hcc": 125, "Hgg": 125, "H4q": 125, "Tbqq": 172.8}.items():
        assert medians[name] == pytest.approx(mass, abs=8)
    assert medians["QCD"] < 80
    # displaced particles may point far away from the axis that they were clustered around
    assert np.quantile(np.hypot(jets.eta, jets.phi), 0.99) < 0.85


def test_a_frame_of_the_fixed_layout_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "fixed.h5", "w") as file:
        file["table/block0_values"] = np.zeros((2, 3))
    with pytest.raises(DataFileError, match=r"0 pandas frames .*of the layout fixed .* write it with format='table'"):
        read("top-tagging", tmp_path / "fixed.h5")


def test_a_frame_within_groups_and_with_a_column_of_text(tmp_path: Path) -> None:
    top_tagging(tmp_path / "plain.h5", JETS)
    expected, _ = read("top-tagging", tmp_path / "plain.h5")
    with_text(tmp_path / "plain.h5", tmp_path / "deep.h5")
    found, _ = read("top-tagging", tmp_path / "deep.h5")
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(found.columns(), expected.columns(), strict=True))


def test_the_other_columns_of_a_top_tagging_frame_change_nothing(tmp_path: Path) -> None:
    top_tagging(tmp_path / "a.h5", JETS, extra=True)
    top_tagging(tmp_path / "b.h5", JETS, extra=False)
    one, other = (read("top-tagging", tmp_path / name)[0] for name in ("a.h5", "b.h5"))
    assert one.content_digest() == other.content_digest()


def test_energyflow_particles_have_their_masses(tmp_path: Path) -> None:
    proton = Particles(np.array([1, 1]), np.array([3.0, 4.0]), np.array([1.5, 0.5]), np.array([0.2, -3.0]))
    energyflow(
        tmp_path / "QG_jets.npz", proton, X=lambda x: np.where(np.arange(4) == 3, [[[2212.0]], [[99999.0]]] * (x[..., :1] > 0), x)
    )
    jets, repairs = read("energyflow", tmp_path / "QG_jets.npz")
    assert jets.targets["mass"].tolist() == pytest.approx([0.938272, 0.0], abs=1e-5)
    assert jets.values[0, 1] == pytest.approx(np.hypot(3.0, 0.938272) * np.cosh(1.5))
    assert jets.jet_eta[0] == pytest.approx(np.arcsinh(np.hypot(3.0, 0.938272) * np.sinh(1.5) / 3.0))
    assert jets.jet_eta[1] == pytest.approx(0.5)  # an unknown particle is massless: its rapidity is its pseudorapidity
    assert repairs["particles of an unknown PDG number taken as massless and neutral"] == 1


def test_energyflow_kinds_follow_the_pdg_number(tmp_path: Path) -> None:
    pid = energyflow(tmp_path / "QG_jets_withbc_3.npz", JETS, compressed=False)
    jets, _ = read("energyflow", tmp_path / "QG_jets_withbc_3.npz")
    value = {channel.name: jets.values[:, i] for i, channel in enumerate(jets.meta.channels)}
    charges = {22: 0, 211: 1, -211: -1, 130: 0, -2112: 0, 2212: 1, -321: -1, 11: -1, -13: 1}
    assert value["charge"].tolist() == [charges[int(p)] for p in pid]
    kinds = np.column_stack([value[k] for k in ("charged_hadron", "neutral_hadron", "photon", "electron", "muon")])
    assert np.array_equal(kinds.sum(axis=1), np.ones(len(pid)))
    assert np.array_equal(value["electron"] == 1, np.abs(pid) == 11)
    assert jets.targets["label"].tolist() == [0, 1] * 25


def test_jetclass_channels_follow_the_branches(tmp_path: Path) -> None:
    jetclass(tmp_path / "full.root", JETS)
    jetclass(tmp_path / "kinematic.root", JETS, full=False)
    (jets, _), (few, _) = (read("jetclass", tmp_path / name) for name in ("full.root", "kinematic.root"))
    assert [c.name for c in few.meta.channels] == ["pt", "energy"]
    units = {c.name: (c.unit, c.combine, c.weight) for c in jets.meta.channels}
    assert units["d0"] == units["dz_error"] == ("mm", "mean", "pt")
    assert set(units) >= {"pt", "energy", "d0", "d0_error", "dz", "charge", "photon", "muon"}
    assert jets.targets["sdmass"].tolist() == pytest.approx(np.linspace(10, 200, 50))
    assert jets.targets["label"].tolist() == [i % 10 for i in range(50)]
    rng = np.random.default_rng(1)
    assert np.array_equal(jets.values[:, jets.meta.channel("d0")], rng.normal(0, 1, len(JETS.pt)).astype("f4"))


def test_jetclass_disagreement_is_remarked(tmp_path: Path) -> None:
    jetclass(
        tmp_path / "a.root", JETS, jet_pt=lambda pt: pt * np.where(np.arange(50) < 3, 1.1, 1), jet_nparticles=lambda n: n + 1
    )
    with open_as("jetclass", tmp_path / "a.root") as reader:
        reader.block = 25
        assert len(list(reader.blocks())) == 2
        pt, number = reader.remarks
    assert pt == "3 of 50 jets disagree with the file's jet_pt; the largest relative difference is 0.0909"
    assert number == "50 of 50 jets disagree with the file's jet_nparticles; the largest difference is 1"


def test_jetclass_labels_are_exclusive(tmp_path: Path) -> None:
    jetclass(tmp_path / "a.root", JETS, label_Hbb=lambda flags: flags | (np.arange(50) == 17))
    with pytest.raises(DataFileError, match="jet 17 is not of exactly one class"):
        read("jetclass", tmp_path / "a.root")


@pytest.mark.parametrize(("file", "kind"), [("g.hdf5", 0), ("q30.hdf5", 1), ("t150.hdf5", 2), ("w_test.hdf5", 3), ("z.h5", 4)])
def test_the_class_of_jetnet_jets_is_in_the_file_name(file: str, kind: int, tmp_path: Path) -> None:
    jetnet(tmp_path / file, JETS)
    jets, _ = read("jetnet", tmp_path / file)
    assert jets.targets["label"].tolist() == [kind] * 50
    assert jets.meta.class_names[kind][0].lower() in {"g": "g", "q": "l", "t": "t", "w": "w", "z": "z"}[file[0]]


def test_jetnet_by_type_and_with_fewer_particles_than_the_jet_had(tmp_path: Path) -> None:
    jetnet(tmp_path / "all.hdf5", JETS, with_type=True)
    jets, _ = read("jetnet", tmp_path / "all.hdf5")
    assert jets.targets["label"].tolist() == [0, 1, 2, 3, 4] * 10
    assert jets.targets["jet_mass"] == pytest.approx(jets.targets["mass"], rel=1e-3)
    jetnet(tmp_path / "t.hdf5", JETS, particle_features=lambda x: x[:, :4])
    with open_as("jetnet", tmp_path / "t.hdf5") as reader:
        cut, _ = whole(reader)
    assert np.array_equal(np.diff(cut.offsets), np.minimum(JETS.counts, 4))
    assert (cut.jet_pt <= jets.jet_pt + 1e-2).all()
    assert [r.split("file's ")[1].split(";")[0] for r in reader.remarks] == ["jet_features pt"]


def test_a_jetnet_file_without_types_has_the_class_of_its_name_or_none(tmp_path: Path) -> None:
    for name, told in (
        ("w150.hdf5", "the letter w of its name says W, and no column does"),
        ("jets.hdf5", "its name tells no class"),
    ):
        jetnet(tmp_path / name, JETS)
        with open_as("jetnet", tmp_path / name) as reader:
            jets, _ = whole(reader)
        assert reader.guess.startswith(told)
        assert ("label" in jets.targets) == name.startswith("w")
