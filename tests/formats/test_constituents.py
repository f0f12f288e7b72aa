"""Tables of constituents, in every layout that a card can describe, hold the same jets."""

from __future__ import annotations

import itertools
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from formats.files import particles, whole

from jetbench.errors import DataFileError
from jetbench.formats.card import ConstituentCard
from jetbench.formats.cards import read_card
from jetbench.formats.constituents import ConstituentTable
from jetbench.jets import Jets, concatenate

JETS = particles(40, seed=3)
WIDTH = 12
COMMON = {"kind": "constituents", "source": "toys", "label": "label", "class_names": ("a", "b"), "radius": 0.8, "cuts": ("none",)}
CARTESIAN = {"px": "p:0", "py": "p:1", "pz": "p:2", "energy": "p:3"}


def card(**changes: Any) -> ConstituentCard:
    return ConstituentCard.model_validate({**COMMON, **changes})


def arrays(flat: bool) -> dict[str, np.ndarray]:
    def shape(column: np.ndarray) -> np.ndarray:
        return column if flat else JETS.padded(column, WIDTH)

    total = np.add.reduceat(JETS.momentum, np.cumsum(JETS.counts) - JETS.counts)
    return {
        "p": shape(JETS.momentum),
        "mev": shape(1000 * JETS.momentum),
        "polar": shape(np.column_stack([JETS.pt, JETS.eta, JETS.phi])),
        "time": shape(np.linspace(-1, 1, len(JETS.pt))),
        "mask": shape(np.ones(len(JETS.pt), bool)),
        "n": JETS.counts,
        "label": np.arange(40) % 2,
        "jet_pt": np.hypot(total[:, 0], total[:, 1]),
        "truth": np.linspace(0, 1, 40),
    }


def write(path: Path, content: dict[str, np.ndarray]) -> Path:
    if path.suffix == ".npz":
        np.savez_compressed(path, **content)
    else:
        with h5py.File(path, "w") as file:
            for name, array in content.items():
                file[name] = array
    return path


def write_parquet(path: Path, row_group: int = 7) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array(JETS.lists(column)) for name, column in zip("xyze", JETS.momentum.T, strict=True)}
    columns["time"] = pa.array(JETS.lists(np.linspace(-1, 1, len(JETS.pt))))
    pq.write_table(pa.table({**columns, "label": np.arange(40) % 2}), path, row_group_size=row_group)
    return path


def read(path: Path, description: ConstituentCard, block: int = 40) -> Jets:
    with closing(ConstituentTable(path, description)) as reader:
        assert reader.jets == 40
        reader.block = block
        return whole(reader)[0]


@pytest.fixture
def expected(tmp_path: Path) -> Jets:
    """The jets in the plainest layout; their four-vectors are those of the particles."""
    jets = read(write(tmp_path / "plain.h5", arrays(flat=False)), card(format="hdf5", layout="padded", momentum=CARTESIAN))
    jets.validate()
    assert np.array_equal(np.diff(jets.offsets), JETS.counts)
    assert np.allclose(jets.values, np.column_stack([JETS.pt, JETS.momentum[:, 3]]), rtol=1e-6)
    assert jets.meta.extent == 0.8
    assert jets.meta.class_names == ("a", "b")
    return jets


LAYOUTS = {
    "polar": {"layout": "padded", "momentum": {"pt": "polar:0", "eta": "polar:1", "phi": "polar:2"}},
    "rapidity": {"layout": "padded", "momentum": {"pt": "polar:0", "rapidity": "polar:1", "phi": "polar:2"}},
    "massless": {"layout": "padded", "momentum": {"px": "p:0", "py": "p:1", "pz": "p:2"}},
    "MeV": {"layout": "padded", "unit": "MeV", "momentum": {k: v.replace("p:", "mev:") for k, v in CARTESIAN.items()}},
    "masked": {"layout": "padded", "mask": "mask", "momentum": CARTESIAN},
    "flat": {"layout": "flat", "counts": "n", "momentum": CARTESIAN},
}


@pytest.mark.parametrize("suffix", ["h5", "npz"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_of_arrays(name: str, suffix: str, tmp_path: Path, expected: Jets) -> None:
    described = card(format={"h5": "hdf5"}.get(suffix, suffix), **LAYOUTS[name])
    path = write(tmp_path / f"jets.{suffix}", arrays(described.layout == "flat"))
    jets = read(path, described, 7)
    for key, column in expected.columns():
        assert np.allclose(dict(jets.columns())[key], column, rtol=1e-5, atol=2e-3 if key == "targets/mass" else 1e-6), key


@pytest.mark.parametrize("row_group", [1, 7, 100])
def test_lists_of_parquet(row_group: int, tmp_path: Path, expected: Jets) -> None:
    momentum = {"px": "x", "py": "y", "pz": "z", "energy": "e"}
    path = write_parquet(tmp_path / "jets.parquet", row_group)
    described = card(format="parquet", layout="lists", momentum=momentum)
    for block in (40, 5, 1):
        jets = read(path, described, block)
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(jets.columns(), expected.columns(), strict=True))
    with closing(ConstituentTable(path, described)) as reader:
        reader.block = 15
        late = concatenate([jets for jets, _ in reader.blocks(30)])
        early = concatenate([jets for jets, _ in itertools.islice(reader.blocks(), 2)])
    assert np.array_equal(concatenate([early, late]).eta, expected.eta)


def test_channels_targets_checks_and_units(tmp_path: Path) -> None:
    path = write(tmp_path / "jets.h5", {**arrays(flat=False), "jet_pt": np.full(40, 1.0)})
    channel = {"name": "time", "place": "time", "unit": "ns", "combine": "mean", "weight": "energy"}
    described = card(
        format="hdf5",
        layout="padded",
        momentum=CARTESIAN,
        channels=[channel],
        targets={"truth": "truth"},
        checks={"pt": "jet_pt", "constituents": "n"},
    )
    with closing(ConstituentTable(path, described)) as reader:
        jets, _ = whole(reader)
        assert len(reader.remarks) == 1
        assert reader.remarks[0].startswith("40 of 40 jets disagree with the file's jet_pt")
    assert jets.meta.channels[2].model_dump() == {**{k: v for k, v in channel.items() if k != "place"}, "role": "other"}
    assert np.allclose(jets.values[:, 2], np.linspace(-1, 1, len(JETS.pt)))
    assert np.allclose(jets.targets["truth"], np.linspace(0, 1, 40))


def test_relative_coordinates(tmp_path: Path, expected: Jets) -> None:
    owner = np.repeat(np.arange(40), JETS.counts)
    content = {
        "label": expected.targets["label"],
        "jet_eta": expected.jet_eta.astype(float),
        "jet_phi": expected.jet_phi.astype(float),
        "pt": JETS.padded(JETS.pt, WIDTH),
        "deta": JETS.padded(JETS.eta - expected.jet_eta[owner], WIDTH),
        "dphi": JETS.padded(JETS.phi - expected.jet_phi[owner], WIDTH),
    }
    momentum = {"pt": "pt", "eta": "deta", "phi": "dphi"}
    described = card(
        format="hdf5", layout="padded", momentum=momentum, axis="given", relative=True, jet_eta="jet_eta", jet_phi="jet_phi"
    )
    jets = read(write(tmp_path / "jets.h5", content), described)
    for name in ("eta", "phi", "jet_eta", "jet_phi", "jet_pt"):
        assert np.allclose(getattr(jets, name), getattr(expected, name), atol=1e-5), name
    described = described.replace(jet_phi=None)
    jets = read(tmp_path / "jets.h5", described)
    assert jets.meta.unknown == ("jet_phi",)
    assert not jets.jet_phi.any()
    assert np.allclose(jets.phi, expected.phi, atol=1e-5)


FIRST_NEGATIVE = np.where(np.arange(36) == 0, -1.0, 1.0).reshape(1, 12, 3).repeat(40, axis=0)


@pytest.mark.parametrize(
    ("content", "changes", "cause"),
    [
        ({"label": np.arange(40)}, {}, "jet 2 has the label 2"),
        ({"label": np.arange(30) % 2}, {}, "different numbers of rows"),
        ({"p": np.zeros((40, 12, 4))}, {}, "jet 0 has no constituents"),
        ({"p": np.zeros((40, 12))}, {}, r"'p:0' does not fit 'p' of shape \(40, 12\)"),
        ({}, {"momentum": {**CARTESIAN, "energy": "p:4"}}, r"'p:4' does not fit"),
        ({"mask": np.ones((40, 11))}, {"mask": "mask"}, r"room for \[11, 12\]"),
        ({}, {"label": "lable"}, "no .* 'lable'"),
        ({"mask": np.ones((40, 12))}, {"mask": "mask"}, "without transverse momentum"),
        (
            {"polar": FIRST_NEGATIVE},
            {"momentum": {"pt": "polar:0", "eta": "polar:1", "phi": "polar:2"}},
            "jet 0 has a constituent of negative pt in 'polar:0'; if the array has features before constituents, the card says "
            "`layout: NFC`; ",
        ),
        (
            {"polar": FIRST_NEGATIVE},
            {"momentum": {"pt": "polar:0", "eta": "polar:1", "phi": "polar:2"}, "layout": "NFC"},
            "jet 0 has a constituent of negative pt in 'polar:0'; if the array has constituents before features, the card says "
            "`layout: NCF`; ",
        ),
        (
            {"polar": np.where(np.arange(40) == 0, -1.0, 1.0)[:, None, None] * np.array([[1.0, 0.5, 0.2]] * 2)},
            {"momentum": {"pt": "polar:0", "eta": "polar:1", "phi": "polar:2"}},
            "jet 0 has a constituent of negative pt in 'polar:0'; `jetbench data convert --drop bad`",
        ),
    ],
)
@pytest.mark.parametrize("suffix", ["h5", "npz"])
def test_wrong_files(suffix: str, content: dict[str, Any], changes: dict[str, Any], cause: str, tmp_path: Path) -> None:
    described = card(**{"format": {"h5": "hdf5"}.get(suffix, suffix), "layout": "padded", "momentum": CARTESIAN, **changes})
    path = write(tmp_path / f"jets.{suffix}", {**arrays(flat=False), **content})
    with pytest.raises(DataFileError, match=f"{path}.*{cause}"):
        read(path, described)


@pytest.mark.parametrize("counts", [np.full(40, 2), np.full(40, -1), np.full(40, 1.5), np.full(40, np.nan), np.full(40, 1e18)])
def test_counts_that_do_not_add_up(counts: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "jets.npz", {**arrays(flat=True), "n": counts})
    with pytest.raises(DataFileError, match=r"counts add up to|values that count nothing"):
        ConstituentTable(path, card(format="npz", layout="flat", counts="n", momentum=CARTESIAN))


def test_a_pickled_npz_is_not_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    path = write(tmp_path / "jets.npz", {**arrays(flat=False), "label": np.array([Trap()] * 40)})
    with pytest.raises(DataFileError, match=r"'label' holds objects, which are not unpickled"):
        ConstituentTable(path, card(format="npz", layout="padded", momentum=CARTESIAN))
    assert not (tmp_path / "sprung").exists()


def test_wrong_columns_of_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, momentum = tmp_path / "jets.parquet", {"px": "x", "py": "y", "pz": "z"}
    good = [[1.0, 2.0], [3.0]]
    described = card(format="parquet", layout="lists", momentum=momentum)
    for z, cause in (([[1.0], [3.0]], "different numbers"), ([1.0, 2.0], "'z' does not fit"), ([["a"], ["b"]], "holds text"),
                     ([[1.0, None], [3.0]], "empty cells"), ([[1.0, 2.0], None], "empty cells")):  # fmt: skip
        pq.write_table(pa.table({"x": good, "y": good, "z": z, "label": [0, 1]}), path)
        with pytest.raises(DataFileError, match=cause), closing(ConstituentTable(path, described)) as reader:
            whole(reader)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataFileError, match=str(path)):
        ConstituentTable(path, described)


CARD = """
kind: constituents
source: my jets
format: hdf5
layout: padded
momentum: {px: p:0, py: p:1, pz: p:2}
label: y
class_names: [qcd, top]
"""


def test_a_card_is_read_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(CARD)
    found = read_card(path)
    assert found.momentum == {"px": "p:0", "py": "p:1", "pz": "p:2"}
    assert found.provenance().source == "my jets"


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("layout: padded", "layuot: padded", "unknown key 'layuot'; did you mean 'layout'"),
        ("kind: constituents", "kind: constituent", "did you mean 'constituents'"),
        ("kind: constituents", "", "a card says in the key 'kind'"),
        ("pz: p:2", "mass: p:2", "momentum names px, py, pz"),
        ("pz: p:2", "pz: 2", "should be a valid string"),
        ("layout: padded", "layout: flat", "needs counts"),
        ("layout: padded", "layout: lists", "parquet and ROOT files have the layout 'lists'"),
        ("label: y", "axis: given", "jet_eta"),
        ("label: y", "targets: {mass: m}", "give the target another name"),
        ("label: y", "channels: [{name: pt, place: x}]", "names of their own"),
        ("label: y", "channels: [{name: t, place: x, weight: charge}]", "no channel 'charge' to weight with"),
        ("label: y", "label: y\nlabel: z", "not valid YAML"),
        (CARD, "- a list", "a card says in the key 'kind'"),
    ],
)
def test_wrong_cards(old: str, new: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(CARD.replace(old, new))
    with pytest.raises(DataFileError, match=f"card.yaml.*{cause}"):
        read_card(path)


def test_a_card_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no card can be read here"):
        read_card(tmp_path / "missing.yaml")
