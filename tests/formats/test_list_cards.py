"""Cards of ROOT trees and parquet files with lists: branches, fields of records, expressions and selections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from formats import files

from jetbench.errors import DataFileError
from jetbench.formats.conversion import Converted, Request, convert
from jetbench.jets import Jets, open_jets

N = 60
JETS = files.particles(N, seed=11)
LABEL = np.arange(N) % 3
TOTAL = np.add.reduceat(JETS.momentum, np.cumsum(JETS.counts) - JETS.counts)
PT, ETA, PHI = (
    np.hypot(*TOTAL[:, :2].T),
    np.arcsinh(TOTAL[:, 2] / np.hypot(*TOTAL[:, :2].T)),
    np.arctan2(TOTAL[:, 1], TOTAL[:, 0]),
)
MASS = np.sqrt(TOTAL[:, 3] ** 2 - (TOTAL[:, :3] ** 2).sum(axis=1))
CUT = round(float(np.median(PT)), 3)  # [GeV], with half of the jets above
HEAD = """kind: constituents
source: private
layout: lists
radius: 0.8
momentum: {px: part_px, py: part_py, pz: part_pz, energy: part_energy}
"""
ROOT = HEAD + "format: root\ntree: Events\n"
TWO = 'label: ["label_QCD", "label_Tbqq|label_Tbl"]\nclass_names: [qcd, top]\n'


def branches() -> dict[str, Any]:
    """JetClass's branches, with three labels of two kinds of top quarks."""
    columns = dict(zip(("px", "py", "pz", "energy"), JETS.momentum.T.copy(), strict=True)) | {
        "pt": JETS.pt,
        "eta": JETS.eta,
        "phi": JETS.phi,
    }
    flags = {f"label_{name}": i == LABEL for i, name in enumerate(("QCD", "Tbqq", "Tbl"))}
    return {
        **{f"part_{name}": ak.unflatten(column, JETS.counts) for name, column in columns.items()},
        **flags,
        **{"jet_pt": PT, "jet_eta": ETA, "jet_phi": PHI, "jet_nparticles": JETS.counts.astype("f4"), "w": np.linspace(0, 1, N)},
    }


def write_tree(path: Path, content: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        file.mktree("Events", {key: x.dtype if isinstance(x, np.ndarray) else x.type.content for key, x in content.items()})
        file["Events"].extend(content)


def write_ntuple(path: Path, content: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        file["folder/Events"] = content


def run(path: Path, card: str, **asked: Any) -> tuple[Jets, Converted]:
    path.with_suffix(".yaml").write_text(card)
    done = convert(path, path.with_name("out.h5"), Request(card=path.with_suffix(".yaml"), **asked))
    jets = open_jets(path.with_name("out.h5"))
    return jets.take(np.argsort(jets.event[:])), done


def check(jets: Jets, rows: np.ndarray | None = None) -> None:
    """The jets are those of the particles, computed apart from any reader."""
    rows = np.arange(N) if rows is None else rows
    kept = np.isin(np.repeat(np.arange(N), JETS.counts), rows)
    axis = np.repeat(np.arange(N), JETS.counts)[kept]
    assert np.array_equal(jets.event % 2**32, rows)
    assert np.array_equal(np.diff(jets.offsets), JETS.counts[rows])
    np.testing.assert_allclose(jets.values[:, 0], JETS.pt[kept], rtol=1e-5)
    np.testing.assert_allclose(jets.values[:, 1], JETS.momentum[kept, 3], rtol=1e-5)
    np.testing.assert_allclose(jets.eta, JETS.eta[kept] - ETA[axis], atol=1e-5)
    np.testing.assert_allclose(jets.phi, (JETS.phi[kept] - PHI[axis] + np.pi) % (2 * np.pi) - np.pi, atol=1e-5)
    np.testing.assert_allclose(jets.jet_pt, PT[rows], rtol=1e-5)
    np.testing.assert_allclose(jets.targets["mass"], MASS[rows], rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("write", [write_tree, write_ntuple], ids=["TTree", "RNTuple in a folder"])
@pytest.mark.parametrize(
    "label",
    [
        TWO,
        'label: ["label_QCD", "(label_Tbqq != 0) | (label_Tbl != 0)"]\nclass_names: [qcd, top]\n',
        'label: "~label_QCD"\nclass_names: [qcd, top]\n',
        'label: "1 - label_QCD * 1"\nclass_names: [qcd, top]\n',
    ],
)
def test_labels_of_a_tree_are_expressions(write: Callable[..., None], label: str, tmp_path: Path) -> None:
    write(tmp_path / "a.root", branches())
    jets, done = run(tmp_path / "a.root", ROOT + label + "checks: {pt: jet_pt, eta: jet_eta, constituents: jet_nparticles}\n")
    check(jets)
    assert jets.targets["label"].tolist() == (LABEL > 0).tolist()
    assert jets.meta.class_names == ("qcd", "top")
    assert not done.remarks


@pytest.mark.parametrize(
    "momentum",
    [
        "{pt: part_pt, eta: part_eta, phi: part_phi}",
        "{px: part_pt * cos(part_phi), py: part_pt * np.sin(part_phi), pz: part_pt * sinh(part_eta)}",
        '{pt: sqrt(part_px**2 + part_py**2), eta: "arcsinh(part_pz / hypot(part_px, part_py))", phi: "atan2(part_py, part_px)"}',
        '{pt: "jet_pt * (part_pt / jet_pt)", eta: "get(\'part_eta\') + 0", phi: -(-part_phi)}',
    ],
)
def test_momenta_are_expressions(momentum: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "a.root", branches())
    card = ROOT.replace("{px: part_px, py: part_py, pz: part_pz, energy: part_energy}", momentum)
    check(run(tmp_path / "a.root", card + TWO)[0])


def test_a_selection_leaves_rows_out_and_is_told(tmp_path: Path) -> None:
    write_tree(tmp_path / "a.root", branches())
    text = f"(jet_pt > {CUT}) & (jet_nparticles > 4)"
    jets, done = run(tmp_path / "a.root", ROOT + TWO + f'selection: "{text}"\nweights: w\n')
    rows = np.flatnonzero((PT > CUT) & (JETS.counts > 4))
    assert 0 < len(rows) < N, "or the test shows nothing"
    check(jets, rows)
    np.testing.assert_allclose(jets.targets["weight"], np.linspace(0, 1, N)[rows], rtol=1e-6)
    assert f"{N - len(rows)} of {N} rows are left out, each of which does not pass the selection {text}" in done.remarks
    assert f"selection {text}" in jets.meta.provenance.cuts
    assert dict(jets.meta.provenance.dropped) == {f"does not pass the selection {text}": N - len(rows)}


def test_what_a_selection_leaves_out_need_not_be_a_jet(tmp_path: Path) -> None:
    content = branches()
    content["part_px"] = content["part_px"] * np.where(np.isin(np.arange(N), [7, 9]), np.nan, 1)
    content["good"] = ~np.isin(np.arange(N), [3, 7])
    write_tree(tmp_path / "a.root", content)
    with pytest.raises(DataFileError, match=r"jet 9 has a momentum or energy that is NaN or infinite; .*--drop bad"):
        run(tmp_path / "a.root", ROOT + TWO + "selection: good\n")
    jets, _ = run(tmp_path / "a.root", ROOT + TWO + "selection: good\n", drop="bad")
    check(jets, np.delete(np.arange(N), [3, 7, 9]))
    assert len(jets.meta.provenance.dropped) == 2


def test_nothing_of_an_expression_is_executed(tmp_path: Path) -> None:
    write_tree(tmp_path / "a.root", branches())
    trap = tmp_path / "sprung"
    for text in (
        f"(jet_pt + 1).__class__.__base__.__subclasses__() or open('{trap}', 'w')",
        f"__import__('pathlib').Path('{trap}').touch()",
        f"open('{trap}', 'w')",
        "jet_pt.__class__",
        "(jet_pt + 1).tolist()",
        "[x for x in (1, 2)]",
        "lambda x: x",
        "jet_pt[0]",
        "jet_pt > 1 and jet_eta > 0",
        "not jet_pt",
        "0 < jet_pt < 5",
        "sqrt(jet_pt, jet_eta)",
        "sqrt(jet_pt, out=jet_eta)",
        "'text'",
        "f'{jet_pt}'",
        "(x := jet_pt)",
        "get(jet_pt)",
        "eval('1')",
        "jet_pt if jet_eta else 1",
    ):
        card = ROOT + TWO + f"selection: {text!r}\n" if "'" not in text else ROOT + TWO + f'selection: "{text}"\n'
        with pytest.raises(DataFileError, match=r"not allowed; an expression may have|no column"):
            run(tmp_path / "a.root", card)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tree: Events": "tree: tree"}, r"no tree named 'tree'; the file has Events"),
        ({"part_px": "part_pX"}, r"no column 'part_pX'; did you mean 'part_p.'\? it has jet_eta, "),
        ({"label_Tbqq|": "label_Tbbb|"}, r"no column 'label_Tbbb', which 'label_Tbbb\|label_Tbl' names; did you mean 'label_Tb"),
        ({"label_Tbqq|": "jet_pt|"}, r"'jet_pt\|label_Tbl' cannot be computed"),
        ({"label_Tbqq|": "label_Tbqq|(|"}, "no column 'label_Tbqq.*and no expression of columns; did you mean"),
        ({"part_px": "jet_pt"}, r"'jet_pt' does not fit 'jet_pt' of shape \(60,\); .* which is a jet and not an event"),
        ({'"label_QCD"': "part_pt"}, "'part_pt' does not fit .* one number per jet belongs; rows are jets, and not events"),
        ({"part_px": "part_px + other"}, r"'part_px \+ other' cannot be computed \(cannot broadcast nested list"),
        ({"part_px": "other"}, "jet 0 has different numbers of constituents in 'part_py' and 'other'"),
        ({"label_QCD": "1 + 1"}, "'1 . 1' names no column"),
        ({"tree: Events\n": ""}, "needs the name of its tree in the key 'tree'"),
        ({"format: root": "format: parquet"}, "needs the name of its tree"),
        ({"part_px": '"part_px:0"'}, "no :column belongs behind its name"),
    ],
)
def test_what_does_not_fit_is_one_error(changes: dict[str, str], told: str, tmp_path: Path) -> None:
    write_tree(tmp_path / "a.root", branches() | {"other": ak.unflatten(np.ones(2 * N), [2] * N)})
    card = ROOT + TWO
    for old, new in changes.items():
        assert old in card
        card = card.replace(old, new, 1)
    with pytest.raises(DataFileError, match=told):
        run(tmp_path / "a.root", card)


@pytest.mark.parametrize("column", ["part_d0", "part_missing"])
def test_an_optional_expression_is_taken_where_its_columns_are(column: str, tmp_path: Path) -> None:
    content = branches() | {"part_d0": ak.unflatten(JETS.eta, JETS.counts)}
    write_tree(tmp_path / "a.root", content)
    place = f"{column} * 10"
    card = ROOT + TWO + f'channels: [{{name: d0, place: "{place}"}}]\noptional: ["{place}"]\n'
    jets, _ = run(tmp_path / "a.root", card)
    assert [channel.name for channel in jets.meta.channels][2:] == (["d0"] if column in content else [])
    if column in content:
        np.testing.assert_allclose(jets.values[:, 2], 10 * JETS.eta, rtol=1e-5)
    with pytest.raises(DataFileError, match="which is not allowed"):
        run(tmp_path / "a.root", card.replace(place, f"{column}[0]"))


def test_whole_numbers_and_truth_values_are_computed_without_wrapping(tmp_path: Path) -> None:
    """In the columns' own types 1 − 2 is 255, 200 · 200 is 64, and two truth values add up to a truth value."""
    few, flag = (LABEL % 2).astype("u1"), LABEL > 0
    write_tree(tmp_path / "a.root", branches() | {"few": few, "many": np.full(N, 200, "u1"), "flag": flag})
    targets = {"less": "few - 2", "product": "many * many", "both": "flag + flag", "minus": "-few", "square": "square(many)"}
    card = ROOT + TWO + "targets:\n" + "".join(f"  {name}: {text!r}\n" for name, text in targets.items())
    jets, _ = run(tmp_path / "a.root", card)
    expected = {"less": few - 2.0, "product": np.full(N, 4e4), "both": 2.0 * flag, "minus": -1.0 * few, "square": np.full(N, 4e4)}
    for name, column in expected.items():
        np.testing.assert_array_equal(jets.targets[name], column)
    with pytest.raises(DataFileError, match=r"'few \* 0xf+' cannot be computed"):
        run(tmp_path / "a.root", ROOT + TWO + f"selection: few * 0x{'f' * 20}\n")


def test_the_opposite_of_a_number_is_no_truth_value(tmp_path: Path) -> None:
    """~1 and ~0 are −2 and −1, by which every row would be selected."""
    write_tree(tmp_path / "a.root", branches() | {"flag": (LABEL > 0).astype("i4")})
    with pytest.raises(DataFileError, match=r"'~flag' cannot be computed \(~ of numbers\); & \| \^ ~ need truth values"):
        run(tmp_path / "a.root", ROOT + TWO + "selection: ~flag\n")
    jets, _ = run(tmp_path / "a.root", ROOT + TWO + "selection: ~(flag != 0)\n")
    check(jets, np.flatnonzero(LABEL == 0))


def test_objects_of_classes_are_refused(tmp_path: Path) -> None:
    content = branches() | {"name": np.array(["a"] * N)}
    with uproot.recreate(tmp_path / "a.root") as file:
        file["Events"] = {**content, "name": ak.Array(["a"] * N)}
    with pytest.raises(DataFileError, match=r"a\.root: the branch 'name' is of the type .* of which no numbers are read"):
        run(tmp_path / "a.root", ROOT + TWO + "targets: {called: name}\n")


def test_one_of_several_trees_is_named_by_its_path(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        file["one/Events"] = branches()
        file["two/Events"] = {"x": np.arange(3.0)}
    with pytest.raises(DataFileError, match="several trees named 'Events': one/Events, two/Events"):
        run(tmp_path / "a.root", ROOT + TWO)
    check(run(tmp_path / "a.root", ROOT.replace("tree: Events", "tree: one/Events") + TWO)[0])


def test_names_that_are_no_words(tmp_path: Path) -> None:
    content = branches()
    write_tree(tmp_path / "a.root", content | {"Jet/Jet.PT": PT, "jet.flag": LABEL > 0, "jet-pt": PT})
    card = ROOT + "label: jet.flag\nclass_names: [a, b]\nchecks: {pt: Jet/Jet.PT}\ntargets: {given: jet-pt}\n"
    text = f"""(get("Jet/Jet.PT") > {CUT}) & (get('jet-pt') > 0) & (jet.flag | ~jet.flag)"""
    jets, done = run(tmp_path / "a.root", card + f"selection: >-\n  {text}\n")
    check(jets, np.flatnonzero(PT > CUT))
    np.testing.assert_allclose(jets.targets["given"], PT[PT > CUT], rtol=1e-6)
    assert len(done.remarks) == 1


def test_fields_of_records_in_an_ntuple(tmp_path: Path) -> None:
    content = branches()
    part = ak.zip({name: content[f"part_{name}"] for name in ("px", "py", "pz", "energy")})
    write_ntuple(tmp_path / "a.root", {"part": part, "jet": ak.zip({"pt": PT, "flag": LABEL > 0})})
    card = ROOT.replace("part_", "part.") + "label: jet.flag\nclass_names: [a, b]\n" + f"selection: jet.pt > {CUT}\n"
    check(run(tmp_path / "a.root", card)[0], np.flatnonzero(PT > CUT))


def records(path: Path, **how: Any) -> None:
    """An array of records with lists of records, as awkward writes it."""
    content = branches()
    particles = ak.zip({name: content[f"part_{name}"] for name in ("px", "py", "pz", "energy")})
    jets = ak.zip({"pt": PT, "flag": (LABEL > 0)})
    ak.to_parquet(ak.zip({"particles": particles, "jet": jets, "w": np.linspace(0, 1, N)}, depth_limit=1), path, **how)


@pytest.mark.parametrize("how", [{}, {"list_to32": True}, {"row_groups": 7}, {"parquet_compliant_nested": True}], ids=str)
def test_parquet_of_awkward_records(how: dict[str, Any], tmp_path: Path) -> None:
    if "row_groups" in how:
        how = {"row_group_size": 7}
    records(tmp_path / "a.parquet", **how)
    card = HEAD.replace("part_", "particles/") + "format: parquet\nlabel: jet/flag\nclass_names: [a, b]\nchecks: {pt: jet/pt}\n"
    jets, done = run(tmp_path / "a.parquet", card)
    check(jets)
    assert jets.targets["label"].tolist() == (LABEL > 0).tolist()
    assert not done.remarks
    text = f"get('jet/pt') > {CUT}"
    jets, _ = run(tmp_path / "a.parquet", card + f'selection: "{text}"\n')
    check(jets, np.flatnonzero(PT > CUT))


def test_fields_of_records_that_are_none_are_one_error(tmp_path: Path) -> None:
    records(tmp_path / "a.parquet")
    head = HEAD.replace("part_", "particles/") + "format: parquet\nclass_names: [a, b]\n"
    for label, told in (
        ("jet/colour", "no column 'jet', which 'jet/colour' names|no column"),
        ("jet", "'jet' holds struct.* where numbers belong"),
        ("particles/px", "not of the first one.s shape"),
    ):
        with pytest.raises(DataFileError, match=told):
            run(tmp_path / "a.parquet", head + f"label: {label}\n")


def test_empty_cells_of_parquet_are_left_out_where_asked(tmp_path: Path) -> None:
    content = {name: column.tolist() for name, column in branches().items() if name.startswith(("part_p", "part_e", "label"))}
    content["part_px"][5], content["part_py"][6][0], content["label_QCD"][8] = None, None, None
    pq.write_table(pa.table(content), tmp_path / "a.parquet")
    card = HEAD + "format: parquet\n" + TWO
    with pytest.raises(DataFileError, match=r"jet 5 has empty cells in 'part_px'; `jetbench data convert --drop bad`"):
        run(tmp_path / "a.parquet", card)
    jets, _ = run(tmp_path / "a.parquet", card, drop="bad")
    check(jets, np.delete(np.arange(N), [5, 6, 8]))
    content["good"] = [None if row == 9 else row != 20 for row in range(N)]
    pq.write_table(pa.table(content), tmp_path / "a.parquet")
    (tmp_path / "out.h5").unlink()
    jets, _ = run(tmp_path / "a.parquet", card + "selection: good\n", drop="bad")
    check(jets, np.delete(np.arange(N), [5, 6, 8, 9, 20]))
