"""Layouts that cards describe: the same jets come out of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from formats import files

from jetbench.errors import DataFileError
from jetbench.formats.cards import parse_card
from jetbench.formats.conversion import Request, convert
from jetbench.jets import Jets, open_jets

JETS = files.particles(40)
PADDED = JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi]), 12)
LABEL = np.arange(40) % 3
CARD = """kind: constituents
source: private
format: hdf5
layout: padded
momentum: {pt: "x:0", eta: "x:1", phi: "x:2"}
radius: 1.0
label: "y"
class_names: [a, b, c]
"""


def converted(folder: Path, arrays: dict[str, np.ndarray], card: str) -> Jets:
    """What a conversion makes of arrays in HDF5."""
    with h5py.File(folder / "in.h5", "w") as file:
        for name, array in arrays.items():
            file[name] = array
    (folder / "card.yaml").write_text(card)
    convert(folder / "in.h5", folder / "out.h5", Request(card=folder / "card.yaml"))
    return open_jets(folder / "out.h5")


def compound(columns: dict[str, np.ndarray]) -> np.ndarray:
    rows = np.zeros(next(iter(columns.values())).shape, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def fields(mask: bool) -> dict[str, np.ndarray]:
    """Tracks and jets as compound datasets, padded with NaN where a mask tells what is there."""
    real = PADDED[..., 0] > 0
    columns = {name: np.where(real, PADDED[..., i], np.nan if mask else 0) for i, name in enumerate(("pt", "eta", "phi"))}
    return {"tracks": compound(columns | {"valid": real}), "jets": compound({"flavour": LABEL, "pt": np.ones(40)})}


FIELDS = CARD.replace("x:0", "tracks/pt").replace("x:1", "tracks/eta").replace("x:2", "tracks/phi").replace('"y"', "jets/flavour")
FLAT = {"x": np.column_stack([JETS.pt, JETS.eta, JETS.phi]), "y": LABEL, "ends": np.concatenate([[0], np.cumsum(JETS.counts)])}


@pytest.mark.parametrize(
    ("arrays", "card"),
    [
        ({"x": PADDED, "y": LABEL}, CARD.replace("padded", "NCF")),
        ({"x": PADDED.transpose(0, 2, 1), "y": LABEL}, CARD.replace("padded", "NFC")),
        (FLAT, CARD.replace("padded", "flat\noffsets: ends")),
        (FLAT | {"ends": JETS.counts}, CARD.replace("padded", "flat\ncounts: ends")),
        (fields(mask=False), FIELDS),
        (fields(mask=True), FIELDS + "mask: tracks/valid\n"),
        ({"x": PADDED, "y": LABEL[:, None]}, CARD),
        ({"x": PADDED, "y": np.array([5.0, -1.0, 0.0])[LABEL]}, CARD + "label_values: [5, -1, 0]\n"),
        ({"x": PADDED, "y": np.eye(3)[LABEL]}, CARD),
        ({"x": PADDED, "y": np.eye(3)[LABEL][:, ::-1]}, CARD.replace('"y"', '["y:2", "y:1", "y:0"]')),
        ({"x": PADDED, **dict(zip("klm", np.eye(3, dtype=bool)[LABEL].T, strict=True))}, CARD.replace('"y"', "[k, l, m]")),
    ],
    ids=[
        "NCF",
        "NFC",
        "offsets",
        "counts",
        "fields",
        "masked-fields",
        "column",
        "values",
        "one-hot",
        "columns-of-one",
        "arrays-of-one",
    ],
)
def test_every_layout_gives_the_same_jets(arrays: dict[str, np.ndarray], card: str, tmp_path: Path) -> None:
    (tmp_path / "expected").mkdir()
    expected = converted(tmp_path / "expected", {"x": PADDED, "y": LABEL}, CARD)
    found = converted(tmp_path, arrays, card)
    assert found.meta.class_names == ("a", "b", "c")
    same(found, expected)


def same(found: Jets, expected: Jets) -> None:
    for (name, mine), (_, theirs) in zip(found.columns(), expected.columns(), strict=True):
        if name != "event":  # which begins with the digest of the file
            np.testing.assert_allclose(mine[:], theirs[:], rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("compressed", [False, True])
def test_an_npz_of_three_arrays(compressed: bool, tmp_path: Path) -> None:
    (tmp_path / "expected").mkdir()
    columns = {name: PADDED[..., i] for i, name in enumerate(("pt", "eta", "phi"))}
    (np.savez_compressed if compressed else np.savez)(tmp_path / "in.npz", **columns, y=LABEL)
    card = CARD.replace("hdf5", "npz").replace("x:0", "pt").replace("x:1", "eta").replace("x:2", "phi")
    (tmp_path / "card.yaml").write_text(card)
    convert(tmp_path / "in.npz", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))
    same(open_jets(tmp_path / "out.h5"), converted(tmp_path / "expected", {"x": PADDED, "y": LABEL}, CARD))


@pytest.mark.parametrize("layout", ["padded", "NFC"])
def test_one_array_of_a_file_for_each_class(layout: str, tmp_path: Path) -> None:
    for i, name in enumerate("abc"):
        rows = PADDED[i == LABEL]
        np.save(tmp_path / f"{name}.npy", rows if layout == "padded" else rows.transpose(0, 2, 1).copy())
    card = CARD.replace("hdf5", "npy").replace("x:", "array:").replace("padded", layout)
    named = 'label_from_files: {a: "a*.npy", b: "b*.npy", c: "c*.npy"}\n'
    (tmp_path / "card.yaml").write_text(card.replace('label: "y"\nclass_names: [a, b, c]\n', named))
    convert(tmp_path / "*.npy", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))
    jets = open_jets(tmp_path / "out.h5").read()
    assert jets.meta.class_names == ("a", "b", "c")
    for i in range(3):
        found = jets.take(np.flatnonzero(jets.targets["label"] == i))
        expected = PADDED[i == LABEL]
        real = expected[..., 0] > 0
        np.testing.assert_array_equal(np.diff(found.offsets), real.sum(axis=1))
        np.testing.assert_allclose(found.values[:, 0], expected[..., 0][real], rtol=1e-6)
        np.testing.assert_allclose(found.values[:, 1], (expected[..., 0] * np.cosh(expected[..., 1]))[real], rtol=1e-6)
        absolute = np.repeat(found.jet_eta, np.diff(found.offsets)) + found.eta
        np.testing.assert_allclose(absolute, expected[..., 1][real], atol=1e-5)


@pytest.mark.parametrize(
    ("content", "card", "told"),
    [
        (PADDED, CARD.replace("x:", "array:"), "no array 'y'; an npy file has one array, which cards call 'array'"),
        (PADDED.astype(object), "", "'array' holds objects, which are not unpickled: rows of different lengths"),
        (np.asfortranarray(PADDED), "", "'array' is in Fortran order; save it with"),
        (PADDED[..., :2], "", "'array:2' does not fit 'array' of shape"),
        (b"not an array", "", r"in\.npy: by its first bytes it is text, as CSV is, where an npy file is expected"),
        (b"\0not an array", "", r"in\.npy: damaged, truncated or of another format"),
        (PADDED[:0], "", "no rows"),
    ],
)
def test_an_npy_file_that_is_none_is_one_error(content: Any, card: str, told: str, tmp_path: Path) -> None:
    card = (card or CARD.replace("x:", "array:").replace('label: "y"\nclass_names: [a, b, c]\n', "")).replace("hdf5", "npy")
    (tmp_path / "card.yaml").write_text(card)
    if isinstance(content, bytes):
        (tmp_path / "in.npy").write_bytes(content)
    else:
        np.save(tmp_path / "in.npy", content, allow_pickle=True)
    with pytest.raises(DataFileError, match=told):
        convert(tmp_path / "in.npy", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))


def test_a_cut_off_npy_file_is_one_error(tmp_path: Path) -> None:
    np.save(tmp_path / "in.npy", PADDED)
    (tmp_path / "in.npy").write_bytes((tmp_path / "in.npy").read_bytes()[:-8])
    card = CARD.replace("x:", "array:").replace('label: "y"\nclass_names: [a, b, c]\n', "").replace("hdf5", "npy")
    (tmp_path / "card.yaml").write_text(card)
    with pytest.raises(DataFileError, match=r"declares the shape .*, but its data are not of that size"):
        convert(tmp_path / "in.npy", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))


@pytest.mark.parametrize(
    ("arrays", "card", "told"),
    [
        ({"x": PADDED.transpose(0, 2, 1), "y": LABEL}, CARD.replace("x:2", "x:12"), "does not fit 'x' of shape"),
        ({"x": PADDED.transpose(0, 2, 1), "y": LABEL}, CARD.replace("padded", "NFC").replace("x:2", "x:3"), "the card says NFC"),
        (FLAT | {"ends": FLAT["ends"] + 1}, CARD.replace("padded", "flat\noffsets: ends"), "'ends' begins with 1; offsets begin"),
        (FLAT | {"ends": FLAT["ends"][::-1].copy()}, CARD.replace("padded", "flat\noffsets: ends"), "begins with"),
        (FLAT, CARD.replace("padded", "flat\noffsets: ends\ncounts: ends"), "needs counts, the number .* or offsets"),
        (
            fields(mask=False),
            FIELDS.replace("tracks/phi", "tracks/dphi"),
            "'tracks' has no field .dphi.; it has pt, eta",
        ),
        ({"x": PADDED, "y": np.eye(4)[LABEL]}, CARD, "the label has 4 columns, and the card names 3 classes"),
        (
            {"x": PADDED, "y": LABEL},
            CARD + "label_values: [0, 2, 5]\n",
            "jet 1 has a label that is none of 0, 2, 5",
        ),
        ({"x": PADDED, "y": LABEL}, CARD + "label_values: [0, 2]\n", "one for each of class_names"),
        ({"x": PADDED, "y": LABEL}, CARD + "label_values: [0, 2, 2]\n", "are different numbers"),
        ({"x": PADDED, "y": np.ones((40, 3))}, CARD, "jet 0 is not of exactly one class by the columns of its label"),
        ({"x": PADDED, "y": np.eye(3)[LABEL] * 0.5}, CARD, "jet 0 is not of exactly one class"),
    ],
)
def test_what_does_not_fit_is_one_error(arrays: dict[str, Any], card: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=told):
        converted(tmp_path, arrays, card)


def test_exchanged_axes_that_no_card_states_are_told(tmp_path: Path) -> None:
    wide = JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi, JETS.pt]), 12).transpose(0, 2, 1)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["y"] = np.abs(wide) / 100 + 0.01, LABEL
    (tmp_path / "card.yaml").write_text(CARD)
    done = convert(tmp_path / "in.h5", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))
    assert any("every jet has the same number of constituents, 4: look for exchanged axes" in text for text in done.remarks)


MOMENTA = {"massless": "px: 0, py: 1, pz: 2", "energy": "px: 0, py: 1, pz: 2, energy: 3", "polar": "pt: 4, eta: 5, phi: 6"}


@pytest.mark.parametrize("coordinates", MOMENTA)
def test_padding_with_one_negative_number_is_no_constituent(coordinates: str, tmp_path: Path) -> None:
    real = JETS.padded(np.ones(len(JETS.pt), bool), 12)
    x = JETS.padded(np.column_stack([JETS.momentum, JETS.pt, JETS.eta, JETS.phi]), 12)
    arrays = {"x": np.where(real[..., None], x, -999.0), "y": LABEL, "real": real}
    places = MOMENTA[coordinates].replace(": ", ": x:")
    card = CARD.replace('pt: "x:0", eta: "x:1", phi: "x:2"', places)
    first = int(np.argmax(JETS.counts < 12))
    with pytest.raises(
        DataFileError, match=rf"jet {first} has a constituent with the same negative number in every .*name a `mask` in the card"
    ):
        converted(tmp_path, arrays, card)
    assert np.diff(converted(tmp_path, arrays, card + "mask: real\n").offsets).tolist() == JETS.counts.tolist()


DISPLACED = CARD + "channels: [{name: d0, place: d, unit: mm, scale: 10, missing: -1}]\nweights: w\nchecks: {pt: p}\n"
DEPTH = JETS.padded(np.resize([0.5, -1.0, 0.25], len(JETS.pt)), 12)


def test_what_stands_for_not_measured_is_a_number_or_nan() -> None:
    cards = [parse_card(DISPLACED.replace("missing: -1", f"missing: {text}"), "card") for text in (".nan", ".NaN")]
    assert cards[0] == cards[1]
    assert cards[0].digest() == cards[1].digest()
    assert type(cards[0]).model_validate_json(cards[0].model_dump_json()) == cards[0]
    with pytest.raises(DataFileError, match="missing: should be a finite number or 'nan'"):
        parse_card(DISPLACED.replace("missing: -1", "missing: .inf"), "card")


@pytest.mark.parametrize("absent", ["", "d", "w", "p", "dwp"])
def test_optional_keys_are_taken_where_the_file_has_them(absent: str, tmp_path: Path) -> None:
    arrays = {"x": PADDED, "y": LABEL, "d": DEPTH, "w": np.arange(40.0), "p": np.ones(40)}
    there = {name: array for name, array in arrays.items() if name not in absent}
    jets = converted(tmp_path, there, DISPLACED + "optional: [d, w, p]\n")
    assert [channel.name for channel in jets.meta.channels][2:] == ([] if "d" in absent else ["d0"])
    if "d" not in absent:
        assert np.array_equal(jets.values[:, 2], np.resize([5.0, 0.0, 2.5], len(JETS.pt)).astype(np.float32))
    assert ("weight" in jets.targets) == ("w" not in absent)


def test_a_channel_is_weighted_by_none_that_is_missing(tmp_path: Path) -> None:
    channels = "channels: [{name: d0, place: d, weight: e}, {name: e, place: k, combine: sum}]\noptional: [d, k]\n"
    arrays = {"x": PADDED, "y": LABEL}
    (tmp_path / "b").mkdir()
    assert [channel.name for channel in converted(tmp_path, arrays, CARD + channels).meta.channels] == ["pt", "energy"]
    with pytest.raises(DataFileError, match="the channel 'd0' is a mean weighted by 'e', of which the file has no values; leave"):
        converted(tmp_path / "b", arrays | {"d": DEPTH}, CARD + channels)


def test_a_key_that_is_not_optional_is_missed(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no dataset 'd'; the file has x, y"):
        converted(tmp_path, {"x": PADDED, "y": LABEL}, DISPLACED)


def test_an_optional_key_that_is_a_link_is_not_left_out_silently(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["y"], file["d"], file["p"] = PADDED, LABEL, DEPTH, np.ones(40)
        file["w"] = h5py.ExternalLink("other.h5", "w")
    (tmp_path / "card.yaml").write_text(DISPLACED + "optional: [w]\n")
    with pytest.raises(DataFileError, match="'w' is a link to another place, which is not followed"):
        convert(tmp_path / "in.h5", tmp_path / "out.h5", Request(card=tmp_path / "card.yaml"))


@pytest.mark.parametrize("key", ["x", "z"])
def test_what_is_needed_cannot_be_optional(key: str, tmp_path: Path) -> None:
    with pytest.raises(
        DataFileError,
        match=r"optional are keys of channels, labels, weights, targets, columns or checks alone, and '[xyz]' is none",
    ):
        converted(tmp_path, {"x": PADDED, "y": LABEL}, CARD + f"optional: [{key}]\n")


@pytest.mark.parametrize("unit", ["GeV", "MeV"])
def test_pdg_numbers_give_masses_charges_and_kinds(unit: str, tmp_path: Path) -> None:
    pdg = np.resize([211, -11, 130], len(JETS.pt))
    x = np.concatenate([PADDED * ([1e3, 1, 1] if unit == "MeV" else 1), JETS.padded(pdg, 12)[..., None]], axis=2)
    jets = converted(tmp_path, {"x": x, "y": LABEL}, CARD + f'pdg: "x:3"\nunit: {unit}\n')
    assert [channel.name for channel in jets.meta.channels][2:4] == ["charge", "charged_hadron"]
    assert np.array_equal(jets.values[:, 2], np.resize([1, 1, 0], len(pdg)))
    momentum, mass = JETS.pt * np.cosh(JETS.eta), np.resize([0.13957, 0.000511, 0.497611], len(pdg))
    assert np.allclose(jets.values[:, 1], np.hypot(momentum, mass), rtol=1e-5)


def test_a_channel_cannot_have_the_name_of_one_that_pdg_numbers_give(tmp_path: Path) -> None:
    with pytest.raises(
        DataFileError, match="charge, charged_hadron, electron, energy, muon, neutral_hadron, photon, pt are there"
    ):
        converted(tmp_path, {}, CARD + 'pdg: "x:3"\nchannels: [{name: charge, place: "x:4"}]\n')
