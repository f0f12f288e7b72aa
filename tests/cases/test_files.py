"""Data files as people store, rename and lose them, through the command line: the right jets come out, or one sentence."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from cases.jet_files import (
    ATLAS,
    CARD,
    FIVE,
    HLS4ML,
    IMAGES,
    JETS,
    LABEL,
    LABELLED,
    NUMBER,
    PADDED,
    PIXEL,
    REAL,
    ROOT,
    TRACKS,
    WEIGHT,
    Case,
    Expected,
    Wrong,
    atlas,
    card,
    check_jets,
    check_sentence,
    frame,
    hdf5,
    hls4ml,
    labelled,
    mod,
    nested,
    per_class,
    run,
    said,
    tracks,
    tree,
    with_categories,
    with_phi,
)
from formats import files

from jetbench.jets import open_jets

pytestmark = pytest.mark.usefixtures("here")

MAKERS: dict[str, Case] = {
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
    "labels, one-hot": (lambda: labelled(y=np.eye(2)[LABEL]), lambda: ("x.h5", *card(LABELLED)), Expected()),
    "labels, a column": (
        lambda: labelled(y=LABEL[:, None]),
        lambda: ("x.h5", *card(LABELLED.replace('"y"', '"y:0"'))),
        Expected(),
    ),
    "labels, a key with a colon": (
        lambda: labelled(**{"a:b": LABEL}),
        lambda: ("x.h5", *card(LABELLED.replace('"y"', '"a:b"'))),
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
    "yaml with a byte order mark": (
        lambda: labelled(y=LABEL),
        lambda: ("x.h5", *card("\ufeff" + LABELLED)),
        Expected(),
    ),
    "yaml, a number without a point": (
        lambda: labelled(y=LABEL),
        lambda: ("x.h5", *card(LABELLED.replace("1.0", "8e-1"))),
        Expected(),
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
    "jetnet-names, a column of types": (
        lambda: files.jetnet(Path("t_typed.hdf5"), JETS, with_type=True),
        lambda: ("t_typed.hdf5",),
        Expected(("gluon", "light-quark", "top", "W", "Z"), FIVE),
    ),
    **{
        f"jetnet-names, {name}": (
            lambda name=name: files.jetnet(Path(f"{name}.hdf5"), JETS),
            lambda name=name: (f"{name}.hdf5",),
            Expected((told,) if told else (), np.zeros(NUMBER) if told else None),
        )
        for name, told in {"gluon": "", "G": "", "g-jets": "gluon", "g30": "gluon", "t30": "top", "t_quarks": "top"}.items()
    },
    "jetnet-names, none": (
        lambda: files.jetnet(Path("test.hdf5"), JETS),
        lambda: ("test.hdf5",),
        Expected((), None, told="its name tells no class, and no column does: these jets have no labels"),
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


@pytest.mark.parametrize("case", MAKERS)
def test_the_right_jets_come_out(case: str) -> None:
    check_jets(MAKERS[case])


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


ERRORS: dict[str, Wrong] = {
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
        f"never fall and end with {len(JETS.pt)}: the card says `offsets: pfcs_index`",
    ),
    "jetnet-names, a normalised mask": (
        lambda: files.jetnet(Path("g_half.hdf5"), JETS, particle_features=lambda x: x - [0, 0, 0, 0.5]),
        lambda: ("g_half.hdf5",),
        "but ±0.5, as of features that were normalised for a training; convert the file as it was published; so it is with all",
    ),
    "jetnet-names, no mask": (
        lambda: files.jetnet(Path("g_three.hdf5"), JETS, particle_features=lambda x: x[..., :3]),
        lambda: ("g_three.hdf5",),
        "have shapes (40, 12, 3) and (40, 4); (N, M, 4) and (N, 4 or 5) belong",
    ),
    "root-writers, a displacement that is NaN": (
        lambda: files.jetclass(Path("nan_d0.root"), JETS, d0val=lambda d0: np.where(np.arange(len(d0)) % 3, d0, np.nan)),
        lambda: ("nan_d0.root",),
        "has 'd0' that is NaN, infinite or too large; where NaN says that nothing was measured, a card says so of the channel",
    ),
    "root-writers, jets of no class": (
        lambda: files.jetclass(Path("x.root"), JETS, label_Tbl=np.zeros_like),
        lambda: ("x.root",),
        "jet 9 is not of exactly one class by the columns of its label",
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
    "labels, a column without a number": (
        lambda: labelled(y=LABEL),
        said(label='"y:z"'),
        "x.h5: no dataset 'y:z'; the file has p, y",
    ),
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
    "hls4ml-constituents, pixels of 64 bits": (
        lambda: hls4ml(images=True),
        lambda: ("jetImage_7_100p_0_40.h5", *card(IMAGES)),
        "numbers in 'jetImage' that float32 does not hold; describe the file by a card of the kind `images` with `cast: true`",
    ),
    "yaml with a tab": (
        lambda: labelled(y=LABEL),
        said(radius="\t1.0"),
        "card.yaml: not valid YAML (found character '\\t' that cannot start any token, line 6, column 9)",
    ),
    "yaml in latin-1": (
        lambda: (labelled(y=LABEL), Path("card.yaml").write_text(LABELLED.replace("private", "München"), "latin-1")),
        lambda: ("x.h5", "--card", "card.yaml"),
        "card.yaml: its text is not UTF-8 (byte 0xfc on line 2); save it as UTF-8",
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
    check_sentence(ERRORS[case])


def test_images_of_hls4ml_keep_their_labels() -> None:
    hls4ml(images=True)
    result = run("jetImage_7_100p_0_40.h5", *card(IMAGES + "cast: true\n"))
    assert result.exit_code == 0, result.output
    found = open_jets("out.h5").read()
    assert found.meta.class_names == ("other", "t")
    rows = found.event % 2**32
    assert np.allclose(found.values[:, 0], PIXEL * np.repeat(rows + 1, np.diff(found.offsets)))
    assert np.array_equal(found.targets["label"], (FIVE == 4)[rows])


# the small inputs in which people's trouble was met, by the name that their tests have: rows of the tables, or functions
ROWS = {
    *("atlas", "class-per-file", "compound", "hls4ml-constituents", "jetnet-names", "labels", "lfs-pointer", "mod-offsets"),
    *("pandas", "root-writers", "unclean", "weaver-root", "yaml"),
}
FUNCTIONS = {
    "open-elsewhere": "test_files.py:test_a_file_that_a_notebook_holds_open_is_named_and_converted_once_it_is_closed",
    "moved-store": "test_stores.py:test_a_renamed_folder_shows_all_artifacts",
    "lock-left": "test_stores.py:test_the_locks_of_a_killed_process_keep_nobody_out",
    "read-only": "test_stores.py:test_a_colleagues_read_only_folder_can_be_looked_at",
    "dataset-gone": "test_stores.py:test_reports_need_no_jets",
    "renamed-dataset": "test_stores.py:test_the_same_jets_by_another_name_are_not_trained_on_again",
}


def test_every_case_has_a_test_by_its_name() -> None:
    assert {re.split("[ ,]", name)[0] for name in (*MAKERS, *ERRORS)} >= ROWS
    for place in FUNCTIONS.values():
        module, name = place.split(":")
        assert f"def {name}(" in Path(__file__).with_name(module).read_text(), place


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
