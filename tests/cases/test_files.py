"""Data files as people store, rename and lose them, through the command line: the right jets come out, or one sentence."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result
from formats import files

from jetbench.cli import main
from jetbench.jets import Jets, open_jets

NUMBER = 40
JETS = files.particles(NUMBER)
REAL = JETS.padded(np.ones(len(JETS.pt), bool), 12)
PADDED = JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi]), 12)
LABEL = np.arange(NUMBER) % 2
OWNER = np.repeat(np.arange(NUMBER), JETS.counts)
SUM = np.add.reduceat(JETS.momentum, np.cumsum(JETS.counts) - JETS.counts)
PT = np.hypot(SUM[:, 0], SUM[:, 1])
ETA, PHI = np.arcsinh(SUM[:, 2] / PT), np.arctan2(SUM[:, 1], SUM[:, 0])
MASS = np.sqrt(SUM[:, 3] ** 2 - PT**2 - SUM[:, 2] ** 2)

CARD = """kind: constituents
source: private
format: hdf5
layout: padded
momentum: {pt: "p:0", eta: "p:1", phi: "p:2"}
radius: 1.0
"""
LABELLED = CARD + 'label: "y"\nclass_names: [qcd, top]\n'


class Expected(NamedTuple):
    """What comes out of the toy jets: classes, the class of each jet where they have one, columns, and words of the output."""

    classes: tuple[str, ...] = ("qcd", "top")
    label: np.ndarray | None = LABEL
    columns: dict[str, np.ndarray] = {}
    told: str = ""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", "convert", *arguments, "-o", "out.h5"])


def hdf5(name: str, **arrays: Any) -> None:
    with h5py.File(name, "w") as file:
        for key, array in arrays.items():
            file[key.replace("__", "/")] = array


def card(text: str) -> tuple[str, ...]:
    Path("card.yaml").write_text(text)
    return "--card", "card.yaml"


def compound(**columns: np.ndarray) -> np.ndarray:
    rows = np.zeros(next(iter(columns.values())).shape, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def relative(angle: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.where(REAL, (angle - of[:, None] + np.pi) % (2 * np.pi) - np.pi, 0)


def atlas(name: str = "test_nominal.h5", **more: np.ndarray) -> None:
    pt, eta, phi = np.moveaxis(PADDED, -1, 0)
    clusters = {"pt": pt * 1e3, "eta": eta, "phi": phi, "E": pt * np.cosh(eta) * REAL * 1e3}
    jets = {"pt": PT * 1e3, "eta": ETA, "phi": PHI, "m": MASS * 1e3}
    columns = {f"fjet_{key}": column for key, column in jets.items()}
    hdf5(
        name, **{f"fjet_clus_{key}": c.astype("f4") for key, c in clusters.items()}, **columns, labels=LABEL.astype("f8"), **more
    )


WEIGHT = np.random.default_rng(0).exponential(1, NUMBER)
ATLAS = """kind: constituents
source: ATLAS top tagging
format: hdf5
layout: padded
unit: MeV
momentum: {pt: fjet_clus_pt, eta: fjet_clus_eta, phi: fjet_clus_phi, energy: fjet_clus_E}
radius: 1.0
label: labels
class_names: [qcd, top]
checks: {pt: fjet_pt, mass: fjet_m, eta: fjet_eta}
"""
FIVE = np.arange(NUMBER) % 5
HLS4ML = """kind: constituents
source: LHC jets
format: hdf5
layout: padded
momentum: {px: "jetConstituentList:0", py: "jetConstituentList:1", pz: "jetConstituentList:2", energy: "jetConstituentList:3"}
radius: 0.8
"""
IMAGES = """kind: images
source: LHC jets
format: hdf5
images: jetImage
layout: NHW
channels: [{name: energy, unit: GeV, role: pt}]
eta_extent: 0.8
phi_extent: 0.8
label: "jets:57"
class_names: [other, t]
"""
ROOT = """kind: constituents
source: my ntuples
format: root
tree: Events
layout: lists
momentum: {px: part_px, py: part_py, pz: part_pz, energy: part_energy}
radius: 0.8
label: [label_QCD, label_Tbqq]
class_names: [qcd, top]
"""


def hls4ml(images: bool = False) -> None:
    constituents = np.zeros((NUMBER, 12, 16))
    constituents[..., :4] = JETS.padded(JETS.momentum, 12)
    jets = np.zeros((NUMBER, 59))
    jets[np.arange(NUMBER), 53 + FIVE] = 1
    pixels = {"jetImage": np.ones((NUMBER, 4, 4))} if images else {}
    hdf5("jetImage_7_100p_0_40.h5", jetConstituentList=constituents, jets=jets, **pixels)


def per_class() -> None:
    for name, label in (("background", 0), ("signal", 1)):
        hdf5(f"{name}.h5", objects__jets__jet1_cnsts=PADDED[label == LABEL])


def tracks() -> None:
    pt, eta, phi = np.moveaxis(PADDED, -1, 0)
    nothing = np.where(REAL, 0, np.nan)
    columns = {"pt": pt, "deta": relative(eta, ETA) + nothing, "dphi": relative(phi, PHI) + nothing, "valid": REAL}
    hdf5("ftag.h5", tracks=compound(**columns), jets=compound(pt=PT, eta=ETA, flavour=np.where(LABEL == 1, 5, 0)))


TRACKS = """kind: constituents
source: flavour tagging
format: hdf5
layout: padded
momentum: {pt: tracks/pt, eta: tracks/deta, phi: tracks/dphi}
mask: tracks/valid
axis: given
jet_eta: jets/eta
relative: true
label: jets/flavour
label_values: [0, 5]
class_names: [light, b]
"""


def mod() -> None:
    ends = np.concatenate([[0], np.cumsum(JETS.counts)])
    columns = np.column_stack([JETS.pt, JETS.eta, JETS.phi, np.zeros(len(JETS.pt))])
    hdf5("CMS_Jet300.h5", pfcs=columns, pfcs_index=ends, jets_i=np.column_stack([np.arange(NUMBER), LABEL]))


def frame(name: str = "x.h5", change: Callable[[Any], Any] = lambda frame: frame, **options: Any) -> None:
    """A Top Tagging table as pandas writes it."""
    import pandas as pd

    momentum = JETS.padded(JETS.momentum, 12)
    columns = {f"{axis}_{i}": momentum[:, i, k] for i in range(12) for k, axis in enumerate(("PX", "PY", "PZ", "E"))}
    with warnings.catch_warnings(action="ignore", category=pd.errors.PerformanceWarning):  # about texts in the layout fixed
        change(pd.DataFrame(columns).assign(is_signal_new=LABEL)).to_hdf(
            name, **{"key": "table", "mode": "w", "format": "table", **options}
        )


def with_categories(frame: Any) -> Any:
    """The labels as a category, whose places, which are what is stored, are the other way round."""
    return frame.assign(is_signal_new=frame.is_signal_new.astype("category").cat.reorder_categories([1, 0]))


def tree(name: str, *, flags: tuple[str, ...] = ("QCD", "Tbqq"), way: str = "TTree", entries: bool = True) -> None:
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    columns: dict[str, Any] = {f"part_{key}": ak.unflatten(column, JETS.counts) for key, column in momentum}
    here = {"QCD": LABEL == 0, "Tbqq": LABEL == 1}
    columns |= {f"label_{flag}": here.get(flag, LABEL > 1) for flag in flags}
    with uproot.recreate("in.root") as file:
        if way == "RNTuple":
            file[name] = columns
        else:
            file.mktree(name, {k: x.dtype if isinstance(x, np.ndarray) else x.type.content for k, x in columns.items()})
            if entries:
                file[name].extend(columns)


def nested() -> None:
    """Two jets in each event."""
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    pairs = np.full(NUMBER // 2, 2)
    jets = {f"part_{key}": ak.unflatten(ak.unflatten(column, JETS.counts), pairs) for key, column in momentum}
    with uproot.recreate("in.root") as file:
        file["Events"] = jets | {f"label_{name}": ak.unflatten(i == LABEL, pairs) for i, name in enumerate(("QCD", "Tbqq"))}


def with_phi(x: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.stack([x[..., 0], x[..., 1], phi, np.where(x[..., 3] == 0, 0, 22)], -1)  # photons: no mass of a kind


MAKERS: dict[str, tuple[Callable[[], object], Callable[[], tuple[str, ...]], Expected]] = {
    "atlas": (atlas, lambda: ("test_nominal.h5", *card(ATLAS)), Expected()),
    "atlas, with weights": (
        lambda: atlas(training_weights=WEIGHT),
        lambda: ("test_nominal.h5", *card(ATLAS + "weights: training_weights\n")),
        Expected(columns={"weight": WEIGHT}),
    ),
    "class-per-file": (
        per_class,
        lambda: (
            *card(CARD.replace("p:", "objects/jets/jet1_cnsts:")),
            *("--label-from-files", "qcd=background*.h5", "top=signal*.h5"),
        ),
        Expected(),
    ),
    "compound": (tracks, lambda: ("ftag.h5", *card(TRACKS)), Expected(("light", "b"))),
    "hls4ml-constituents, one-hot": (
        hls4ml,
        lambda: (
            "jetImage_7_100p_0_40.h5",
            *card(HLS4ML + 'label: ["jets:53", "jets:54", "jets:55", "jets:56", "jets:57"]\nclass_names: [g, q, w, z, t]\n'),
        ),
        Expected(("g", "q", "w", "z", "t"), FIVE),
    ),
    "hls4ml-constituents, a column": (
        hls4ml,
        lambda: ("jetImage_7_100p_0_40.h5", *card(HLS4ML + 'label: "jets:57"\nclass_names: [other, t]\n')),
        Expected(("other", "t"), FIVE == 4),
    ),
    "mod-offsets": (
        mod,
        lambda: (
            "CMS_Jet300.h5",
            *card(
                """kind: constituents
source: CMS 2011A open data, MOD
format: hdf5
layout: flat
offsets: pfcs_index
momentum: {pt: "pfcs:0", rapidity: "pfcs:1", phi: "pfcs:2", mass: "pfcs:3"}
radius: 0.5
label: "jets_i:1"
class_names: [sim, cms]
"""
            ),
        ),
        Expected(("sim", "cms")),
    ),
    "weaver-root": (lambda: tree("Events"), lambda: ("in.root", *card(ROOT)), Expected()),
    "weaver-root, a tree of the same name as JetClass's": (
        lambda: tree("tree"),
        lambda: ("in.root", *card(ROOT.replace("Events", "tree"))),
        Expected(),
    ),
    "root-writers": (
        lambda: tree("folder/tree", flags=files.LABELS, way="RNTuple"),
        lambda: ("in.root",),
        Expected(("QCD", "Tbqq"), told="no jets of the classes Hbb"),
    ),
    "pandas, a column of text beside the numbers": (
        lambda: (files.top_tagging(Path("plain.h5"), JETS), files.with_text(Path("plain.h5"), Path("deep.h5"))),
        lambda: ("deep.h5",),
        Expected(),
    ),
    "pandas, data columns": (lambda: frame(data_columns=["is_signal_new"]), lambda: ("x.h5",), Expected()),
    "pandas, blosc": (lambda: frame(complib="blosc", complevel=5), lambda: ("x.h5",), Expected()),
    "pandas, bzip2": (lambda: frame(complib="bzip2", complevel=5), lambda: ("x.h5",), Expected()),
    "pandas, in reversed order": (lambda: frame(change=lambda frame: frame.iloc[::-1]), lambda: ("x.h5",), Expected()),
    "pandas, labels of 0.0 and 1.0": (
        lambda: frame(change=lambda frame: frame.assign(is_signal_new=LABEL.astype(float))),
        lambda: ("x.h5",),
        Expected(),
    ),
    "labels (N, 1)": (lambda: hdf5("x.h5", p=PADDED, y=LABEL[:, None]), lambda: ("x.h5", *card(LABELLED)), Expected()),
    "labels as truth values": (lambda: hdf5("x.h5", p=PADDED, y=LABEL == 1), lambda: ("x.h5", *card(LABELLED)), Expected()),
    "labels from 1 on": (
        lambda: hdf5("x.h5", p=PADDED, y=LABEL + 1.0),
        lambda: ("x.h5", *card(LABELLED + "label_values: [1, 2]\n")),
        Expected(),
    ),
    "labels of ±1": (
        lambda: hdf5("x.h5", p=PADDED, y=2 * LABEL - 1),
        lambda: ("x.h5", *card(LABELLED + "label_values: [-1, 1]\n")),
        Expected(),
    ),
    "exchanged axes, stated": (
        lambda: hdf5("x.h5", p=np.moveaxis(PADDED, 1, 2), y=LABEL),
        lambda: ("x.h5", *card(LABELLED.replace("padded", "NFC"))),
        Expected(),
    ),
    "yaml, yes, no and a bare y": (
        lambda: hdf5("x.h5", p=PADDED, y=LABEL),
        lambda: ("x.h5", *card(CARD + "label: y\nclass_names: [no, yes]\n")),
        Expected(("no", "yes")),
    ),
    "yaml with Windows line ends": (
        lambda: hdf5("x.h5", p=PADDED, y=LABEL),
        lambda: ("x.h5", *card(LABELLED.replace("\n", "\r\n"))),
        Expected(),
    ),
    "numbers in the other byte order": (
        lambda: hdf5("x.h5", p=PADDED.astype(">f8"), y=LABEL.astype(">i4")),
        lambda: ("x.h5", *card(LABELLED)),
        Expected(),
    ),
    "numbers in the other byte order, npz": (
        lambda: np.savez("x.npz", p=PADDED.astype(">f8"), y=LABEL.astype(">i4")),
        lambda: ("x.npz", *card(LABELLED.replace("hdf5", "npz"))),
        Expected(),
    ),
    "energyflow, phi beyond 2π": (  # EnergyFlow's issue 73: of jets across the cut, so that they have none
        lambda: files.energyflow(
            Path("QG.npz"), JETS, X=lambda x: with_phi(x, np.where(x[..., 2] < 0, x[..., 2] + 4 * np.pi, x[..., 2]))
        ),
        lambda: ("QG.npz",),
        Expected(("gluon", "quark"), told="outside of"),
    ),
    "padding that was centred too": (
        lambda: hdf5("x.h5", p=np.where(REAL[..., None], PADDED, [0.0, 1.5, -2.0]), y=LABEL),
        lambda: ("x.h5", *card(LABELLED)),
        Expected(),
    ),
    "188 classes": (  # JetClass-II's
        lambda: hdf5("x.h5", p=PADDED, y=np.where(LABEL == 1, 187, 0)),
        lambda: ("x.h5", *card(CARD + "label: y\n")),
        Expected(("class-0", "class-187")),
    ),
    "jetnet-names, a guess": (
        lambda: files.jetnet(Path("t-channel_qcd.hdf5"), JETS),
        lambda: ("t-channel_qcd.hdf5",),
        Expected(("top",), np.zeros(NUMBER), told="the letter t of its name says top, and no column does"),
    ),
    "jetnet-names, none": (
        lambda: files.jetnet(Path("test.hdf5"), JETS),
        lambda: ("test.hdf5",),
        Expected((), None, told="its name tells no class"),
    ),
    "jetnet-names, another than the guess": (
        lambda: files.jetnet(Path("t-channel_qcd.hdf5"), JETS),
        lambda: ("t-channel_qcd.hdf5", "--class-names", "qcd"),
        Expected(("qcd",), np.zeros(NUMBER), told="the letter t of its name says top, and no column does; it is left aside"),
    ),
    "jetnet-names, the class of a name that tells none": (
        lambda: files.jetnet(Path("test.hdf5"), JETS),
        lambda: ("test.hdf5", "--class-names", "gluon"),
        Expected(("gluon",), np.zeros(NUMBER)),
    ),
    "jetnet-names, said": (
        lambda: files.jetnet(Path("test.hdf5"), JETS),
        lambda: ("--label-from-files", "Gluon=test.hdf5"),
        Expected(("Gluon",), np.zeros(NUMBER)),
    ),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", MAKERS)
def test_the_right_jets_come_out(case: str) -> None:
    make, arguments, expected = MAKERS[case]
    make()
    result = run(*arguments())
    assert result.exit_code == 0, result.output
    assert expected.told in result.output
    found = open_jets("out.h5").read()
    assert found.meta.class_names == expected.classes
    order = matched(found)
    assert ("label" in found.targets) == (expected.label is not None)
    if expected.label is not None:
        assert np.array_equal(found.targets["label"], expected.label[order])
    for name, column in expected.columns.items():
        assert np.allclose(found.targets[name], column[order])


def matched(found: Jets) -> np.ndarray:
    """The toy jet that each jet is, by its pT, mass and constituents; no other than it may be."""
    order = np.abs(found.targets["mass"][:, None] - MASS).argmin(axis=1)
    assert np.array_equal(np.sort(order), np.arange(NUMBER))
    assert np.allclose(found.targets["mass"], MASS[order], rtol=1e-2)  # float32 energies
    assert np.allclose(found.jet_pt, PT[order], rtol=1e-5)
    assert np.array_equal(np.diff(found.offsets), JETS.counts[order])
    sums = np.add.reduceat(found.values[:, 0].astype(float), found.offsets[:-1])
    assert np.allclose(sums, np.bincount(OWNER, JETS.pt)[order], rtol=1e-5)
    return order


def pointer(name: str) -> None:
    """What a clone without git-lfs has."""
    Path(name).write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 106689379\n")


def saved_page(name: str) -> None:
    Path(name).write_text("<!DOCTYPE html><html><head><title>Sign in</title></head><body></body></html>")


def compressed() -> None:
    atlas()
    with open("test_nominal.h5", "rb") as file, gzip.open("train_nominal_000.h5.gz", "wb") as packed:
        shutil.copyfileobj(file, packed)


KILLED = """
import h5py, os, signal
with h5py.File("closed.hdf5") as closed:
    file = h5py.File("g.hdf5", "w", libver="latest")
    for key, array in closed.items():
        file[key] = array[:]
    file.flush(); os.kill(os.getpid(), signal.SIGKILL)
"""


def unclean() -> None:
    files.jetnet(Path("closed.hdf5"), JETS)
    subprocess.run([sys.executable, "-c", KILLED], check=False)


def labelled(**arrays: Any) -> None:
    hdf5("x.h5", p=PADDED, **arrays)


def said(addition: str = "", **changes: str) -> Callable[[], tuple[str, ...]]:
    """A card of toy jets with labels, where what stands before = is written as what stands behind it."""

    def arguments() -> tuple[str, ...]:
        text = LABELLED + addition
        for key, value in changes.items():
            line = next(line for line in text.splitlines() if line.startswith(key))
            text = text.replace(line, f"{key}: {value}")
        return "x.h5", *card(text)

    return arguments


ERRORS: dict[str, tuple[Callable[[], object], Callable[[], tuple[str, ...]], str]] = {
    "lfs-pointer, npz": (lambda: pointer("QG_jets.npz"), lambda: ("QG_jets.npz",), "a pointer of git-lfs, not the data"),
    "lfs-pointer, ROOT": (lambda: pointer("100k.root"), lambda: ("100k.root",), "git lfs pull --include 100k.root"),
    "lfs-pointer, HDF5": (lambda: pointer("train.h5"), lambda: ("train.h5",), "a pointer of git-lfs, not the data"),
    "lfs-pointer, parquet": (lambda: pointer("x.parquet"), lambda: ("x.parquet",), "a pointer of git-lfs, not the data"),
    "a page that the browser saved": (lambda: saved_page("g.hdf5"), lambda: ("g.hdf5",), "a web page, not the data"),
    "atlas, .gz": (
        compressed,
        lambda: ("train_nominal_000.h5.gz", *card(ATLAS)),
        "compressed as a whole (gzip); unpack it: gunzip",
    ),
    "unclean": (unclean, lambda: ("g.hdf5",), "clear the mark in a copy: h5clear -s g.hdf5"),
    "hls4ml-constituents, every column": (
        hls4ml,
        lambda: ("jetImage_7_100p_0_40.h5", *card(HLS4ML + "label: jets\nclass_names: [g, q, w, z, t]\n")),
        "the label has 59 columns, and the card names 5 classes",
    ),
    "mod-offsets, as counts": (
        mod,
        lambda: (
            "CMS_Jet300.h5",
            *card(CARD.replace("padded", "flat\ncounts: pfcs_index").replace("p:", "pfcs:")),
        ),
        "the counts add up to",
    ),
    "pandas, layout fixed": (
        lambda: hdf5("x.h5", table__block0_values=np.zeros((2, 3))),
        lambda: ("x.h5", "--format", "top-tagging"),
        "write it with format='table'",
    ),
    "pandas, layout fixed without a format": (
        lambda: frame(format="fixed"),
        lambda: ("x.h5",),
        "of the layout fixed there is one: write it with format='table'",
    ),
    "pandas, layout fixed with a text": (
        lambda: frame(change=lambda frame: frame.assign(sample="train"), format="fixed"),
        lambda: ("x.h5",),
        "of the layout fixed there is one: write it with format='table'",
    ),
    "pandas, a label that is a category": (
        lambda: frame(change=with_categories),
        lambda: ("x.h5",),
        "the columns is_signal_new are categories, of which a frame stores places in a list",
    ),
    "pandas, two frames": (
        lambda: (frame(), frame(key="test", mode="a")),
        lambda: ("x.h5",),
        "2 pandas frames where one belongs (table, test)",
    ),
    "pandas, another name of the label": (
        lambda: frame(change=lambda frame: frame.rename(columns={"is_signal_new": "is_signal"})),
        lambda: ("x.h5",),
        "no columns is_signal_new; the frame has index, PX_0",
    ),
    "pandas, no energies": (
        lambda: frame(change=lambda frame: frame.drop(columns=[f"E_{i}" for i in range(12)])),
        lambda: ("x.h5",),
        "no columns E_0; the frame has index, PX_0",
    ),
    "no format of all that there are": (
        lambda: Path("jets.csv").write_text("pt,eta,phi\n1,2,3\n"),
        lambda: ("jets.csv",),
        " more), or damaged",
    ),
    "a tree without entries": (  # as skims leave it of a file in which nothing was selected
        lambda: tree("Events", entries=False),
        lambda: ("in.root", *card(ROOT)),
        "the tree 'Events' has no entries; leave the file out",
    ),
    "an event in each row": (
        nested,
        lambda: ("in.root", *card(ROOT)),
        "a list of constituents in every row, which is a jet and not an event",
    ),
    "rows of different lengths": (
        lambda: labelled(y=LABEL, q=np.array([np.arange(k) for k in JETS.counts], h5py.vlen_dtype("f4"))),
        lambda: ("x.h5", *card(LABELLED.replace("p:0", "q"))),
        "'q' holds rows of different lengths; write all constituents one after another",
    ),
    "joblib": (lambda: Path("truth.z").write_bytes(zlib.compress(b"0" * 999)), lambda: ("truth.z",), "as joblib writes it"),
    "labels that are text": (lambda: labelled(y=np.array([b"qcd", b"top"] * 20)), said(), "'y' holds"),
    "labels of ±1, not said": (
        lambda: labelled(y=2 * LABEL - 1),
        said(),
        "jet 0 has the label -1.0 where labels are 0 … 1: `label_values` of a card says",
    ),
    "labels from 1 on, not said": (
        lambda: labelled(y=LABEL + 1),
        said(),
        "jet 1 has the label 2.0 where labels are 0 … 1: `label_values` of a card says",
    ),
    "compound, not said": (
        tracks,
        lambda: ("ftag.h5", *card(TRACKS.replace("label_values: [0, 5]\n", ""))),
        "jet 1 has the label 5.0 where labels are 0 … 1: `label_values` of a card says",
    ),
    "yaml, the same name twice": (
        lambda: labelled(y=LABEL),
        said(class_names="[a, a]"),
        "class_names a, a are not all different",
    ),
    "yaml, numbers for names": (lambda: labelled(y=LABEL), said(class_names="[0, 1]"), "card.yaml: class_names.0: should be"),
    "yaml, nothing for a name": (lambda: labelled(y=LABEL), said(class_names="[~, top]"), "card.yaml: class_names.0: should be"),
    "yaml, a key twice": (lambda: labelled(y=LABEL), said("label: y\n"), "card.yaml: "),
    "yaml, too few names": (lambda: labelled(y=LABEL), said(class_names="[only]"), "jet 1 has the label 1.0"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_wrong_is_one_sentence(case: str) -> None:
    make, arguments, told = ERRORS[case]
    make()
    result = run(*arguments())
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert told in result.output
    assert not Path("out.h5").exists()


HOLD = "import h5py, sys\nfile = h5py.File('g.hdf5', 'a')\nprint('held', flush=True)\nsys.stdin.read()\n"


def test_a_file_that_a_notebook_holds_open_is_named_and_converted_once_it_is_closed() -> None:
    files.jetnet(Path("g.hdf5"), JETS)
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as notebook:
        assert notebook.stdout is not None
        assert notebook.stdout.readline() == "held\n"
        result = run("g.hdf5")
        assert result.exit_code == 1
        assert "open for writing in another program" in result.output
        notebook.communicate()
    assert run("g.hdf5").exit_code == 0


def test_more_classes_than_there_are_jets_of_are_told() -> None:
    labelled(y=LABEL)
    result = run(*said(class_names="[a, b, c]")())
    assert result.exit_code == 0, result.output
    assert "no jets of the classes c; they are left out" in result.output


def test_exchanged_axes_that_no_card_states_are_told() -> None:
    """Read as (jets, constituents, features) they give jets of three constituents each."""
    hdf5("x.h5", p=np.moveaxis(np.abs(PADDED) / 100 + 0.01, 1, 2), y=LABEL)
    result = run(*said()())
    assert result.exit_code == 0, result.output
    assert "every jet has the same number of constituents, 3: look for exchanged axes" in result.output
