"""The draft of a card for files as people store them: it is valid, and where the guess is right a conversion by it works."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from click.testing import CliRunner

from jetbench.cli import main
from jetbench.errors import DataFileError
from jetbench.formats.cards import read_card
from jetbench.formats.conversion import Request, convert
from jetbench.formats.guess import guess
from jetbench.formats.guess_rules import by_name, by_values, class_values, disjoint_columns, one_hot, onehot_columns, quantity
from jetbench.formats.shipped_cards import card_text
from jetbench.jets import Jets, open_jets

JETS, ROOM, PION = 60, 20, 0.13957


@dataclass(frozen=True, eq=False)
class Toys:
    """Constituents (n, M), zero-padded, sorted in pT, with their jets' axes and labels (n,)."""

    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    energy: np.ndarray
    real: np.ndarray
    jet_eta: np.ndarray
    jet_phi: np.ndarray
    label: np.ndarray

    @property
    def cartesian(self) -> list[np.ndarray]:
        return [self.pt * np.cos(self.phi), self.pt * np.sin(self.phi), self.pt * np.sinh(self.eta)]

    @property
    def multiplicity(self) -> np.ndarray:
        return self.real.sum(axis=1)


@pytest.fixture(scope="module")
def toys() -> Toys:
    rng = np.random.default_rng(0)
    real = np.arange(ROOM) < rng.integers(5, ROOM + 1, JETS)[:, None]
    pt = np.sort(rng.exponential(30, (JETS, ROOM)) + 1, axis=1)[:, ::-1] * real
    jet_eta, jet_phi = rng.uniform(-2, 2, JETS), rng.uniform(-3, 3, JETS)
    eta = (jet_eta[:, None] + rng.normal(0, 0.2, (JETS, ROOM))) * real
    phi = ((jet_phi[:, None] + rng.normal(0, 0.2, (JETS, ROOM)) + np.pi) % (2 * np.pi) - np.pi) * real
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + PION**2) * real
    return Toys(pt, eta, phi, energy, real, jet_eta, jet_phi, rng.permutation(np.arange(JETS) % 2))


def hdf5(path: Path, arrays: dict[str, Any], **options: Any) -> Path:
    with h5py.File(path, "w") as file:
        for key, values in arrays.items():
            file.create_dataset(key, data=values, **(options if np.ndim(values) > 2 else {}))
    return path


def student(toys: Toys, folder: Path) -> Path:
    """float64, gzip, energy first, and keys of their own."""
    table = np.stack([toys.energy, *toys.cartesian], axis=-1)
    return hdf5(folder / "student.h5", {"X_jets": table, "y": toys.label}, compression="gzip")


def exchanged(toys: Toys, folder: Path) -> Path:
    """Features before constituents, labels (N, 1)."""
    table = np.stack([toys.pt, toys.eta, toys.phi, toys.energy], axis=1)
    return hdf5(folder / "exchanged.h5", {"data": table, "labels": toys.label[:, None].astype(float)})


def polar(toys: Toys, folder: Path) -> Path:
    path = folder / "polar.npz"
    flags = (toys.pt > 20).astype(float)
    np.savez_compressed(path, X=np.stack([flags, toys.pt, toys.eta, toys.phi], axis=-1), y=toys.label)
    return path


def named(toys: Toys, folder: Path) -> Path:
    """A table of named columns, and one-hot columns in a table of the jets."""
    names = ["j1_erel", "j1_e", "j1_py", "j1_px", "j1_pz", "j1_etarel"]
    px, py, pz = toys.cartesian
    table = np.stack([toys.energy / 2, toys.energy, py, px, pz, toys.eta], axis=-1)
    rest = np.random.default_rng(1).normal(size=(JETS, 3))
    jets = np.column_stack([rest, np.eye(2)[toys.label], rest[:, :1]])
    called = ["j_pt", "j_tau1", "j_tau2", "j_q", "j_t", "j_undef"]
    words = {"particleFeatureNames": np.array(names, "S20"), "jetFeatureNames": np.array(called, "S20")}
    return hdf5(folder / "named.h5", {"jetConstituentList": table, "jets": jets, "jetImage": np.ones((JETS, 30, 30)), **words})


def compound(toys: Toys, folder: Path) -> Path:
    """Fields, MeV, and padding that only the mask tells."""
    tracks = np.zeros((JETS, ROOM), [("pt", "f4"), ("eta", "f4"), ("phi", "f4"), ("valid", "?")])
    tracks["pt"], tracks["valid"] = np.where(toys.real, 1000 * toys.pt, 7), toys.real
    tracks["eta"], tracks["phi"] = toys.eta, toys.phi
    jets = np.zeros(JETS, [("pt", "f4"), ("TruthLabelID", "i4"), ("training_weights", "f4")])
    jets["TruthLabelID"] = np.where(toys.label, 5, 0)
    return hdf5(folder / "compound.h5", {"jets": jets, "tracks": tracks})


def counted(toys: Toys, folder: Path) -> Path:
    arrays = {name: getattr(toys, name)[toys.real] for name in ("pt", "eta", "phi", "energy")}
    return hdf5(folder / "counted.h5", {**arrays, "n": toys.multiplicity, "label": toys.label})


def offsets(toys: Toys, folder: Path) -> Path:
    path, ends = folder / "offsets.npz", np.concatenate([[0], np.cumsum(toys.multiplicity)])
    table = np.stack([toys.pt, toys.eta, toys.phi], axis=-1)[toys.real]
    np.savez(path, pfcs=table, pfcs_index=ends, label=toys.label)
    return path


def lists(toys: Toys, folder: Path) -> Path:
    path, (px, py, pz) = folder / "lists.parquet", toys.cartesian
    columns = {"part_px": px, "part_py": py, "part_pz": pz, "part_energy": toys.energy}
    ragged = {name: [row[mask].tolist() for row, mask in zip(c, toys.real, strict=True)] for name, c in columns.items()}
    pq.write_table(pa.table({**ragged, "is_signal": toys.label, "jet_pt": toys.pt.sum(axis=1)}), path)
    return path


def relative(toys: Toys, folder: Path) -> Path:
    """Around the axes of the jets, one array of zeros and ones for each class."""
    deta = (toys.eta - toys.jet_eta[:, None]) * toys.real
    dphi = ((toys.phi - toys.jet_phi[:, None] + np.pi) % (2 * np.pi) - np.pi) * toys.real
    table = np.stack([deta, dphi, toys.pt, toys.real], axis=-1)
    axes = {"jet_eta": toys.jet_eta, "jet_phi": toys.jet_phi}
    np.savez(folder / "relative.npz", particles=table, label_qcd=toys.label == 0, label_top=toys.label, **axes)
    return folder / "relative.npz"


def beyond(toys: Toys, folder: Path) -> Path:
    """Azimuths from 0 on, where jets across the end of the turn reach out of it (EnergyFlow's issue 73)."""
    phi = toys.jet_phi[:, None] % (2 * np.pi) + (toys.phi - toys.jet_phi[:, None] + np.pi) % (2 * np.pi) - np.pi
    np.savez(folder / "beyond.npz", X=np.stack([toys.pt, toys.eta, phi * toys.real], axis=-1), y=toys.label)
    return folder / "beyond.npz"


Writer = Callable[[Toys, Path], Path]
CONSTITUENTS: dict[Writer, str] = {
    student: "layout: NCF",
    exchanged: "layout: NFC",
    polar: 'momentum: {pt: "X:1", eta: "X:2", phi: "X:3"}',
    named: 'class_names: ["j_q", "j_t"]',
    compound: "label_values: [0, 5]",
    counted: 'counts: "n"',
    offsets: 'offsets: "pfcs_index"',
    lists: "layout: lists",
    relative: "relative: true",
    beyond: 'momentum: {pt: "X:0", eta: "X:1", phi: "X:2"}',
}


def by_its_card(path: Path, folder: Path) -> Jets:
    """Jets that are converted by the card as it is printed."""
    found = guess(path)
    assert found.card
    folder.mkdir(exist_ok=True)
    card = folder / "card.yaml"
    card.write_text(found.text)
    read_card(card)
    convert([path], folder / "jets.h5", Request(card=card))
    return open_jets(folder / "jets.h5").read()


@pytest.mark.parametrize("write", CONSTITUENTS, ids=lambda write: write.__name__)
def test_constituents_come_out_as_they_were_written(write: Writer, toys: Toys, tmp_path: Path) -> None:
    path = write(toys, tmp_path)
    assert CONSTITUENTS[write] in guess(path).text
    jets = by_its_card(path, tmp_path)
    order = np.argsort(jets.event)
    px, py = (part.sum(axis=1) for part in toys.cartesian[:2])
    assert jets.jet_pt[order] == pytest.approx(np.hypot(px, py), rel=1e-4)
    assert np.diff(jets.offsets)[order].tolist() == toys.multiplicity.tolist()
    assert jets.targets["label"][order].tolist() == toys.label.tolist()
    if write is not relative:
        total = np.arcsinh(toys.cartesian[2].sum(axis=1) / np.hypot(px, py))
        assert jets.jet_eta[order] == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize(
    ("shape", "layout"), [((40, 24, 24), "NHW"), ((40, 24, 24, 3), "NHWC"), ((40, 3, 24, 24), "NCHW"), ((40, 32, 32, 2), "NHWC")]
)
@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
def test_images_come_out_as_they_were_written(shape: tuple[int, ...], layout: str, dtype: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = (rng.exponential(20, shape) * (rng.random(shape) < 0.2)).astype(dtype)
    images.reshape(40, -1)[:, 0] = 1
    signed = shape[-1] == 2 and dtype != "u1"
    if signed:
        images[..., 1] -= 10
        images[..., 1] *= images[..., 0] > 0
    path = hdf5(tmp_path / "images.h5", {"img": images, "y": np.arange(40) % 2, "m0": rng.random(40)}, compression="gzip")
    text = guess(path).text
    assert f"layout: {layout}" in text
    assert 'targets: {NAME: "m0"}' in text
    assert ("cast: true" in text) is (dtype == "f8")
    assert ("weight: energy" in text) is signed
    jets = by_its_card(path, tmp_path)
    order = np.argsort(jets.event)
    filled = images.reshape(40, *([1] if layout == "NHW" else []), *shape[1:])
    filled = np.moveaxis(filled, -1, 1) if layout == "NHWC" else filled
    assert np.diff(jets.offsets)[order].tolist() == (filled != 0).any(axis=1).sum(axis=(1, 2)).tolist()
    assert jets.targets["label"][order].tolist() == (np.arange(40) % 2).tolist()


def test_what_it_cannot_know_is_said(toys: Toys, tmp_path: Path) -> None:
    text = guess(compound(toys, tmp_path)).text
    assert "tracks/valid: 60×20 bool: 0 … 1" in text
    assert "it seems to weigh the jets" in text
    assert '"jets/training_weights"' in text
    assert 'checks: {pt: "jets/pt"}' in text
    assert "unit: MeV  # CHECK: the median pT of the jets would be" in text
    assert "eta of the jets" not in guess(relative(toys, tmp_path)).text  # it is the axis already
    bare = guess(hdf5(tmp_path / "bare.h5", {"X": np.stack([toys.pt, toys.eta, toys.phi], axis=-1)})).text
    assert "CHECK: no labels were found" in bare
    assert "CHECK: without energy or mass constituents are massless" in bare


def test_a_constant_beside_the_label_hides_it_from_nobody(toys: Toys, tmp_path: Path) -> None:
    """The number of the run is 1 in each file of a simulation, and flags may never be set; two that vary are named."""
    arrays = {"X": np.stack([toys.pt, toys.eta, toys.phi, toys.energy], axis=-1), "is_top": toys.label, "run": np.ones(JETS, int)}
    text = guess(hdf5(tmp_path / "a.h5", {**arrays, "hadronFlavour": np.zeros(JETS, int)})).text
    assert '\nlabel: "is_top"  # CHECK: by its few whole numbers' in text
    text = guess(hdf5(tmp_path / "b.h5", {**arrays, "a_trigger": np.arange(JETS) % 3 == 0})).text
    assert "\n# CHECK: no labels were found that are sure; one of these may be, by  label: PLACE:  is_top, a_trigger\n" in text


class Harmful:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(Harmful.folder),)

    folder = Path()


def test_nothing_of_a_file_is_executed_followed_or_taken_for_a_key(toys: Toys, tmp_path: Path) -> None:
    Harmful.folder = tmp_path / "executed"
    np.savez(tmp_path / "pickle.npz", bad=np.array([Harmful()], object), X=np.stack([toys.pt, toys.eta, toys.phi], axis=-1))
    text = guess(tmp_path / "pickle.npz").text
    assert "which are not unpickled" in text
    assert not Harmful.folder.exists()
    path = student(toys, tmp_path)
    with h5py.File(path, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("other.h5", "x")
        file["a\nlicence: mine\n"] = np.arange(JETS) * 0.5
        file["a:b"] = np.arange(JETS) * 0.5
    text = guess(path).text
    assert "elsewhere: () link: a link to another place, which is not followed" in text
    assert "\nlicence" not in text
    assert by_its_card(path, tmp_path).meta.provenance.licence == ""


def test_a_known_format_needs_no_card(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"{name}_{i}": rng.normal(size=5) for i in range(200) for name in ("E", "PX", "PY", "PZ")})
    frame["is_signal_new"] = [0, 1, 0, 1, 0]
    frame.to_hdf(tmp_path / "frame.h5", key="table", format="table")
    found = guess(tmp_path / "frame.h5")
    assert (found.card, found.known) == (True, "top-tagging")
    assert card_text("top-tagging").rstrip() in found.text
    assert "CHECK" not in found.text
    assert "E_0: 5 float64, a column of a pandas frame" in found.text
    assert "needs no card: jetbench data convert frame.h5 -o jets.h5" in found.text
    assert "more arrays" in found.text


def test_other_containers_are_looked_at(toys: Toys, tmp_path: Path) -> None:
    np.save(tmp_path / "alone.npy", np.stack([toys.pt, toys.eta, toys.phi], axis=-1))
    with uproot.recreate(tmp_path / "tree.root") as file:
        columns = {f"part_{name}": getattr(toys, name) for name in ("pt", "eta", "phi")}
        lists = {name: ak.unflatten(column[toys.real], toys.multiplicity) for name, column in columns.items()}
        file.mktree("tree", {"label_t": "bool", "label_q": "bool", **dict.fromkeys(lists, "var * float64")})
        file["tree"].extend({"label_t": toys.label == 1, "label_q": toys.label == 0, **lists})
    for name, told in {"alone.npy": "array: 60×20×3 float64", "tree.root": "tree, part_pt: 60×… float64, lists: "}.items():
        found = guess(tmp_path / name)
        assert told in found.text
        jets = by_its_card(tmp_path / name, tmp_path / name.split(".")[1])
        assert np.diff(jets.offsets)[np.argsort(jets.event)].tolist() == toys.multiplicity.tolist()
    np.save(tmp_path / "dates.npy", np.array(["2026-01-01"], "M8[D]"))
    assert "array: 1 datetime64[D]: no numbers" in guess(tmp_path / "dates.npy").text
    (tmp_path / "text.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataFileError, match="none of HDF5, npz, npy, parquet and ROOT"):
        guess(tmp_path / "text.csv")


def test_the_command_prints_a_card_that_the_command_takes(toys: Toys, tmp_path: Path) -> None:
    path, card = student(toys, tmp_path), tmp_path / "card.yaml"
    done = CliRunner().invoke(main, ["data", "convert", "--guess", str(path)])
    assert done.exit_code == 0
    card.write_text(done.stdout)
    done = CliRunner().invoke(main, ["data", "convert", str(path), "--card", str(card), "-o", str(tmp_path / "out.h5")])
    assert done.exit_code == 0, done.output
    assert len(open_jets(tmp_path / "out.h5")) == JETS
    np.save(tmp_path / "none.npy", toys.pt[0])
    assert CliRunner().invoke(main, ["data", "convert", "--guess", str(tmp_path / "none.npy")]).exit_code == 1
    for more in ([str(card)], ["-o", "out.h5"], ["--drop", "bad"], ["--card", str(card)]):
        done = CliRunner().invoke(main, ["data", "convert", "--guess", str(path), *more])
        assert (done.exit_code, "--guess looks at one file" in done.output) == (2, True)
    assert "Missing option '-o'" in CliRunner().invoke(main, ["data", "convert", str(path)]).output


def test_what_is_of_images_is_said_as_their_cards_say_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.exponential(20, (40, 24, 24)).astype("f4")
    numbers = {name: rng.random(40) for name in ("jet_mass", "jet_pt", "jet_phi")}
    text = guess(hdf5(tmp_path / "images.h5", {"X": images, "y": np.arange(40) % 2, **numbers})).text
    assert 'targets: {mass: "jet_mass"}' in text
    assert 'columns: {jet_pt: "jet_pt"}' in text
    assert 'columns: {jet_phi: "jet_phi"}' in text
    assert "checks:" not in text


@pytest.mark.parametrize("dtype", ["int32", "float32", "bool"])
def test_flags_of_which_one_is_set_are_labels_whatever_flags_stand_beside(dtype: str, toys: Toys, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    label = np.sort(rng.integers(0, 3, 20 * JETS))  # class by class: the beginning alone has one of them
    one = np.arange(len(label)) % JETS
    lists = {f"pfcand_{name}": getattr(toys, name)[one] for name in ("pt", "eta", "phi")}
    lists = {name: ak.unflatten(column[toys.real[one]], toys.multiplicity[one]) for name, column in lists.items()}
    flags = {name: (label == k).astype(dtype) for k, name in enumerate(("isQCD", "isW", "isZ"))}
    beside = {"isMatched": (rng.random(len(label)) < 0.5).astype(dtype), "trigger": np.ones(len(label), dtype)}
    beside |= {
        "nvtx": rng.integers(0, 4, len(label)),
        "mcEventWeight": rng.random(len(label)),
        "btagWeight": rng.random(len(label)),
    }
    with uproot.recreate(tmp_path / "tree.root") as file:
        branches = {**flags, **beside}
        file.mktree("tree", {**{k: v.dtype for k, v in branches.items()}, **dict.fromkeys(lists, "var * float64")})
        file["tree"].extend({**branches, **lists})
    text = guess(tmp_path / "tree.root").text
    assert 'label: ["isQCD", "isW", "isZ"]' in text
    assert 'class_names: ["QCD", "W", "Z"]' in text
    assert "tree, npfcand_pt: " in text  # uproot's counter is there, and no value of the jets
    assert text.count("npfcand_") == 3
    assert 'weights: "mcEventWeight"  # CHECK' in text
    assert 'targets: {NAME: "btagWeight"}' in text
    jets = by_its_card(tmp_path / "tree.root", tmp_path / "out")
    assert jets.targets["label"][np.argsort(jets.event % (1 << 32), kind="stable")].sum() == label.sum()


def test_columns_that_are_disjoint_and_cover_all_rows_are_found() -> None:
    label = np.array([0, 1, 2, 0, 1, 2])
    noise = np.array([0, 1, 1, 0, 0, 1], bool)
    assert disjoint_columns(np.column_stack([noise, np.eye(3, dtype=bool)[label]])) == [1, 2, 3]
    assert disjoint_columns(np.column_stack([noise, ~noise, noise])) in ([0, 1], [1, 2])
    assert disjoint_columns(np.column_stack([noise, noise])) == []
    assert disjoint_columns(np.empty((0, 0), bool)) == []


def test_an_axis_is_known_by_the_beginning_of_its_name(toys: Toys, tmp_path: Path) -> None:
    tracks = np.zeros((JETS, ROOM), [("pt", "f4"), ("deta", "f4"), ("dphi", "f4"), ("valid", "?")])
    tracks["pt"], tracks["valid"] = toys.pt, toys.real
    tracks["deta"] = (toys.eta - toys.jet_eta[:, None]) * toys.real
    tracks["dphi"] = ((toys.phi - toys.jet_phi[:, None] + np.pi) % (2 * np.pi) - np.pi) * toys.real
    jets = np.zeros(JETS, [("eta_btagJes", "f4"), ("phi", "f4"), ("label", "i4")])
    jets["eta_btagJes"], jets["phi"], jets["label"] = toys.jet_eta, toys.jet_phi, toys.label
    text = guess(path := hdf5(tmp_path / "compound.h5", {"jets": jets, "tracks": tracks})).text
    assert 'jet_eta: "jets/eta_btagJes"  # CHECK' in text
    assert 'jet_phi: "jets/phi"\n' in text
    found = by_its_card(path, tmp_path)
    assert found.jet_eta[np.argsort(found.event)] == pytest.approx(toys.jet_eta, abs=1e-5)


def test_the_unit_and_the_radius_are_told(toys: Toys, tmp_path: Path) -> None:
    arrays = {"ptMeV": 1000 * toys.pt, "eta": toys.eta, "azimuth": toys.phi}
    text = guess(path := hdf5(tmp_path / "mev.h5", {**arrays, "y": toys.label})).text
    assert "unit: MeV  # by the names" in text
    weight = toys.pt / toys.pt.sum(axis=1, keepdims=True)
    away = [(toys.eta - toys.jet_eta[:, None]) * toys.real]
    away.append(((toys.phi - toys.jet_phi[:, None] + np.pi) % (2 * np.pi) - np.pi) * toys.real)
    furthest = np.hypot(*((a - (weight * a).sum(axis=1, keepdims=True)) * toys.real for a in away)).max(axis=1)
    radius = np.ceil(10 * np.quantile(furthest, 0.98)) / 10
    assert f"radius: {radius:.1f}  # CHECK: 98 % of the jets" in text
    assert by_its_card(path, tmp_path).meta.extent == pytest.approx(radius)
    tracks = guess(compound(toys, tmp_path)).text  # whose padding only the mask tells
    assert f"radius: {radius:.1f}  # CHECK" in tracks
    for write in (counted, offsets):  # jets one after another
        assert f"radius: {radius:.1f}  # CHECK" in guess(write(toys, tmp_path)).text


def test_where_nothing_is_drafted_the_names_of_momenta_are_said(toys: Toys, tmp_path: Path) -> None:
    first = np.cumsum(toys.multiplicity) - toys.multiplicity
    flat = {name: getattr(toys, name)[toys.real] for name in ("pt", "eta", "phi")}
    found = guess(hdf5(tmp_path / "first.h5", {**flat, "first": first, "y": toys.label}))
    assert not found.card
    assert "end with px, py, pz, or with pt, eta (rapidity), phi (azimuth)" in found.text
    assert "first seems to say where each jet begins" in found.text


def test_a_large_array_is_read_in_part(tmp_path: Path) -> None:
    label = np.repeat([0, 1], 500_000)
    path = hdf5(tmp_path / "large.h5", {"X": np.ones((1_000_000, 2, 3), "f4"), "y": label})
    text = guess(path).text
    assert "y: 1000000 int64: 0 … 1 in 131072 rows" in text  # sorted by class: the last rows are looked at too
    assert "X: 1000000×2×3 float32: 1 … 1 in 43690 rows" in text


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("part_px", "px"), ("j1_e", "energy"), ("fjet_clus_pt", "pt"), ("tracks/phi", "phi"), ("constituent_mass", "mass")),
        *(("ptMeV", "pt"), ("pt [GeV]", "pt"), ("azimuth", "phi"), ("GeV", "")),
        *(("part_deta", "eta, relative"), ("eta_rel", "eta, relative"), ("j1_ptrel", ""), ("type", ""), ("", "")),
    ],
)
def test_the_last_word_of_a_name_tells_what_it_is(name: str, meant: str) -> None:
    assert quantity(name) == meant


def test_names_are_no_momentum_unless_all_of_it_is_there() -> None:
    assert by_name(["pt", "eta", "charge"]) is None
    found = by_name(["eta", "px", "phi", "py", "pt", "pz", "e"])
    assert found is not None
    assert dict(found.places) == {"px": 1, "py": 3, "pz": 5, "energy": 6}


def test_numbers_that_are_no_momentum_are_taken_for_none(toys: Toys) -> None:
    rng = np.random.default_rng(0)
    assert by_values(rng.normal(size=(JETS, ROOM, 4))) is None
    assert by_values(rng.random((JETS, ROOM, 5))) is None
    px, py, pz = toys.cartesian
    assert by_values(np.stack([toys.energy / 2, px, py, pz], axis=-1)) is None
    assert by_values(np.full((JETS, ROOM, 4), np.nan)) is None
    assert by_values(np.zeros((JETS, ROOM, 4))) is None


def test_labels_are_few_whole_numbers_or_ones_in_a_row_of_zeros() -> None:
    assert class_values(np.array([0.0, 2, 5])) == (0, 2, 5)
    assert class_values(np.array([[0], [1]])) == (0, 1)
    for none in (np.array([0.5, 1]), np.array([np.nan, 1]), np.arange(50), np.zeros(9), np.eye(3)):
        assert class_values(none) == ()
    assert one_hot(np.eye(3))
    assert not one_hot(np.eye(3)[:2])
    assert not one_hot(np.ones((3, 2)))
    table = np.column_stack([np.zeros(6), np.arange(6) * 0.5, np.eye(3)[[0, 1, 2, 0, 1, 2]], np.arange(6)])
    assert onehot_columns(table) == range(2, 5)
    assert onehot_columns(np.ones((6, 4))) is None
