"""ML4SCI's images come back bit for bit, and what is wrong with a file is one clear error."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from formats.files import whole
from formats.fuzz import damaged, survives
from formats.image_files import KINDS, Extra, Kind, nested
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.reader import Reader
from jetbench.jets import Jets
from jetbench.views.image import render

ANY = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e-45, -1e-45, -3e38])
POSITIVE = ANY.map(abs)


# of each format the file with the most columns: what takes long is not done three times for one reader
LARGEST = sorted({kind.format: file for file, kind in KINDS.items()}.values())


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def opened(kind: Kind, path: Path) -> closing[Reader]:
    return closing(formats[kind.format].load()(path))


def read(kind: Kind, path: Path) -> tuple[Jets, dict[str, int]]:
    with opened(kind, path) as reader:
        return whole(reader)


def rendered(jets: Jets) -> np.ndarray:
    assert jets.meta.grid is not None
    return render(JetTensors(jets).batch(torch.arange(len(jets))), jets.meta.grid).numpy()


def in_file_order(kind: Kind, jets: Jets) -> np.ndarray:
    return rendered(jets)[:, [jets.meta.channel(name) for name in kind.stored]]


@st.composite
def images(draw: st.DrawFn, kind: Kind) -> np.ndarray:
    """Two images, empty but for some pixels with any numbers that their channels may have."""
    made = np.zeros((2, len(kind.stored), kind.pixels, kind.pixels), np.float32)
    for jet, channel, row, column in draw(
        st.lists(st.tuples(*(st.integers(0, size - 1) for size in made.shape)), min_size=1, max_size=30)
    ):
        made[jet, channel, row, column] = draw(ANY if kind.stored[channel] in kind.signed else POSITIVE)
    made[:, 0, 0, kind.pixels - 1] = 1e-45  # no image is empty
    return made


@pytest.mark.parametrize("name", LARGEST)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_pixels_survive_bit_for_bit(name: str, tmp_path: Path, data: st.DataObject) -> None:
    kind = KINDS[name]
    made = data.draw(images(kind))
    kind.write(tmp_path / kind.file, made, kind.extra(2))
    jets, repairs = read(kind, tmp_path / kind.file)
    assert not repairs
    assert np.array_equal(in_file_order(kind, jets), made)
    assert len(jets.eta) == np.count_nonzero((made != 0).any(axis=1))


def test_columns_become_targets_and_never_channels(kind: Kind, tmp_path: Path) -> None:
    jets, _ = read(kind, kind.make(tmp_path))
    extra = kind.extra(5)
    known = {"y": "label", "Y": "label", "m0": "mass", "m": "mass", "am": "mass", "iphi": "iphi", "ieta": "ieta"}
    assert jets.targets.keys() == {known[name] for name in kind.columns if name in known}
    for name in set(kind.columns) & set(known):
        assert np.array_equal(jets.targets[known[name]], extra[name].astype(np.float32)), name
    pt = next((extra[name] for name in ("pt", "pT") if name in extra), np.zeros(5))
    assert np.array_equal(jets.jet_pt, pt.astype(np.float32))
    assert ("jet_pt" in jets.meta.unknown) == (not pt.any())
    assert {"jet_eta", "jet_phi"} <= set(jets.meta.unknown)
    assert not jets.jet_eta.any()
    assert not jets.jet_phi.any()
    assert sorted(c.name for c in jets.meta.channels) == sorted(kind.stored)


def test_frames_are_those_of_the_barrel_crystals(kind: Kind, tmp_path: Path) -> None:
    jets, _ = read(kind, kind.make(tmp_path))
    meta = jets.meta
    assert meta.extent == pytest.approx({32: 0.2784, 125: 1.0875}[kind.pixels])
    assert np.diff(np.unique(jets.eta)).min() == pytest.approx(0.0174, rel=1e-3)
    assert not meta.in_gev
    assert meta.isotropic == (kind.pixels == 125)
    roles = {c.name: c.role for c in meta.channels}
    assert {name for name, role in roles.items() if role == "pt"} == {"ecal", "hcal"} & roles.keys()
    means = {c.name: c.weight for c in meta.channels if c.combine == "mean"}
    assert means == {32: {"time": "energy"}, 125: {n: "track_pt" for n in ("dz", "d0") if n in roles}}[kind.pixels]
    assert meta.class_names == (("photon", "electron") if kind.pixels == 32 else ())


def test_both_quark_gluon_layouts_make_the_same_jets(tmp_path: Path) -> None:
    hdf5, parquet = (KINDS[name] for name in KINDS if KINDS[name].key == "X_jets")
    made, extra = parquet.images(4), hdf5.extra(4)
    parquet.write(tmp_path / parquet.file, made, extra)
    hdf5.write(tmp_path / hdf5.file, made[:, [parquet.stored.index(name) for name in hdf5.stored]], extra)
    one, other = read(parquet, tmp_path / parquet.file)[0], read(hdf5, tmp_path / hdf5.file)[0]
    assert one.digest == other.digest
    assert [c.name for c in one.meta.channels] == ["tracks", "ecal", "hcal"]
    assert np.array_equal(rendered(one), made)


def test_a_file_is_recognised_by_its_own_format_alone(kind: Kind, tmp_path: Path) -> None:
    path = kind.make(tmp_path).rename(tmp_path / "unnamed")
    assert [entry.name for entry in formats if entry.load().recognises(path)] == [kind.format]
    assert not any(entry.load().recognises(tmp_path / "absent") for entry in formats)
    path.write_bytes(path.read_bytes()[:500])
    assert not any(entry.load().recognises(path) for entry in formats)


def pixel(value: float, channel: int = 0) -> Callable[[np.ndarray, Extra], None]:
    def change(images: np.ndarray, extra: Extra) -> None:
        images[3, channel, 7, 8] = value

    return change


def number(column: int, value: float) -> Callable[[np.ndarray, Extra], None]:
    def change(images: np.ndarray, extra: Extra) -> None:
        extra[sorted(extra)[column]][3] = value

    return change


def empty(images: np.ndarray, extra: Extra) -> None:
    images[3] = -0.0


FAULTS: dict[str, tuple[Callable[[np.ndarray, Extra], None], str]] = {
    "nan": (pixel(np.nan), "jet 3 has a pixel in channel '{first}' .* that is NaN"),
    "inf": (pixel(np.inf), "jet 3 has a pixel in channel '{first}' .* infinite"),
    "empty": (empty, "jet 3 is empty: every pixel is zero"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_pixels_are_an_error_with_row_and_channel(kind: Kind, fault: str, tmp_path: Path) -> None:
    change, message = FAULTS[fault]
    made, extra = kind.images(5), kind.extra(5)
    change(made, extra)
    kind.write(tmp_path / kind.file, made, extra)
    with pytest.raises(DataFileError, match=kind.file + ".*" + message.format(first=kind.stored[0])):
        read(kind, tmp_path / kind.file)


@pytest.mark.parametrize("name", LARGEST)
def test_a_negative_energy_is_an_error_and_a_negative_mean_is_none(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    for i, channel in enumerate(kind.stored):
        made = np.zeros((4, len(kind.stored), kind.pixels, kind.pixels), np.float32)
        made[:, 0, 0, 0] = 1
        made[3, i, 7, 8] = -1e-45
        kind.write(tmp_path / kind.file, made, kind.extra(4))
        if channel in kind.signed or channel.startswith("channel-"):
            assert np.array_equal(in_file_order(kind, read(kind, tmp_path / kind.file)[0]), made)
        else:
            with pytest.raises(DataFileError, match=f"jet 3 has a pixel in channel '{channel}' .* is negative"):
                read(kind, tmp_path / kind.file)


@pytest.mark.parametrize(
    ("file", "column", "value", "message"),
    [
        ("SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5", "y", 2.0, "jet 3 has the label 2.0 where labels are 0 … 1"),
        ("SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5", "y", 0.5, "jet 3 has the label 0.5"),
        ("Dataset_Specific_labelled.h5", "Y", -1.0, "jet 3 has the label -1.0 where labels are whole numbers from 0 on"),
        ("Dataset_Specific_labelled.h5", "Y", np.nan, "jet 3 has the label nan"),
        ("Dataset_Specific_labelled_full_only_for_2i.h5", "m", np.inf, "jet 3 has a number in 'm' that is NaN or infinite"),
        (
            "QCDToGGQQ_IMGjet_RH1all_jet0_run0_n36272.test.snappy.parquet",
            "pt",
            np.nan,
            "jet 3 has a number in 'pt' that is NaN or infinite",
        ),
        ("boosted_tops.parquet", "am", 1e300, "jet 3 has a number in 'am' that is NaN or infinite"),
    ],
)
def test_wrong_labels_and_targets_are_named(file: str, column: str, value: float, message: str, tmp_path: Path) -> None:
    kind = KINDS[file]
    extra = kind.extra(5)
    extra[column][3] = value
    kind.write(tmp_path / file, kind.images(5), extra)
    with pytest.raises(DataFileError, match=message):
        read(kind, tmp_path / file)


def test_columns_of_another_length_are_refused(tmp_path: Path) -> None:
    kind = KINDS["Dataset_Specific_labelled.h5"]
    kind.write(tmp_path / kind.file, kind.images(5), {"Y": np.ones(4)})
    with pytest.raises(DataFileError, match=r"different numbers of rows: .'jet': 5, 'Y': 4"):
        read(kind, tmp_path / kind.file)


def test_float64_that_float32_does_not_hold_is_rounded_and_counted_or_refused(tmp_path: Path) -> None:
    made = np.moveaxis(KINDS["quark-gluon_data-set_n139306.hdf5"].images(4), 1, -1).astype(np.float64)
    made[2, 0, 0, 0] = 0.1
    with h5py.File(tmp_path / "qg.h5", "w") as file:
        file["X_jets"], file["y"] = made, np.arange(4) % 2
    jets, repairs = read(KINDS["quark-gluon_data-set_n139306.hdf5"], tmp_path / "qg.h5")
    assert repairs == {"pixels rounded to float32": 1}
    assert np.array_equal(np.moveaxis(rendered(jets)[:, [1, 2, 0]], 1, -1), made.astype(np.float32))

    with h5py.File(tmp_path / "eg.h5", "w") as file:
        file["X"], file["y"] = np.full((4, 32, 32, 2), 0.1), np.ones(4)
    with pytest.raises(DataFileError, match=r"jet 0 has numbers in 'X' that float32 does not hold; .*`cast: true`"):
        read(KINDS["SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5"], tmp_path / "eg.h5")


def test_a_mass_regression_file_says_that_its_channels_have_no_names(tmp_path: Path) -> None:
    kind = KINDS["boosted_tops.parquet"]
    with opened(kind, kind.make(tmp_path)) as reader:
        assert "does not name its 4 channels" in reader.remarks[0]
        assert {c.role for c in reader.meta.channels} == {"other"}


IMAGE = [[[1.0] * 125] * 125] * 3
MASSES = KINDS["boosted_tops.parquet"]
PARQUET = KINDS["QCDToGGQQ_IMGjet_RH1all_jet0_run0_n36272.test.snappy.parquet"]


def broken(path: Path, **columns: object) -> Path:
    good = {"X_jets": nested(PARQUET.images(3)), "y": [0.0, 1.0, 1.0]}
    pq.write_table(pa.table({**good, **columns}), path, row_group_size=2)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"X_jets": [IMAGE, IMAGE, IMAGE[:2]]}, "not of the first one's shape"),
        ({"X_jets": [[*IMAGE[:2], [[1.0] * 124] * 125]] * 3}, "ragged"),
        ({"X_jets": [IMAGE, IMAGE, [[[1.0] * 124, [1.0] * 126, *IMAGE[0][2:]], *IMAGE[1:]]]}, "not of the first one's shape"),
        ({"X_jets": [IMAGE, None, IMAGE]}, "jet 1 has an empty cell in 'X_jets'"),
        ({"X_jets": [[[[None, *IMAGE[0][0][1:]], *IMAGE[0][1:]], *IMAGE[1:]]] * 3}, "missing values"),
        ({"X_jets": [[[["1"] * 125] * 125] * 3] * 3}, "holds text where numbers belong"),
        ({"X_jets": nested(np.ones((3, 3, 25, 25)))}, r"has shape \(3, 25, 25\) where \(3, 125, 125\)"),
        ({"y": ["0", "1", "1"]}, "'y' holds text"),
        ({"y": [0.0, None, 1.0]}, "jet 1 has an empty cell in 'y'"),
        ({"y": [[0.0], [0.0, 1.0], []]}, "not of the first one's shape"),
    ],
)
def test_nested_lists_that_are_no_images_are_refused(columns: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=rf"broken.parquet.*({message})"):
        read(PARQUET, broken(tmp_path / "broken.parquet", **columns))


@pytest.mark.parametrize("column", [np.ones(3), nested(np.ones((3, 125, 125))), nested(np.ones((3, 2, 125, 25)))])
def test_a_mass_regression_file_has_images_of_any_number_of_channels_only(column: object, tmp_path: Path) -> None:
    pq.write_table(pa.table({"X_jet": column, "m": np.ones(3)}), tmp_path / "f.parquet")
    with pytest.raises(DataFileError, match=r"f.parquet: one row of 'X_jet' has shape .* where \(channels, 125, 125\) belongs"):
        read(MASSES, tmp_path / "f.parquet")


@pytest.mark.parametrize("rows", [1, 2, 7, 100])
@pytest.mark.parametrize("width", [pa.float32(), pa.float64()])
def test_row_groups_of_any_size_are_read(rows: int, width: pa.DataType, tmp_path: Path) -> None:
    made = PARQUET.images(9)
    table = pa.table({"X_jets": nested(made.astype(np.float64), None).cast(nested_type(width)), "y": np.ones(9)})
    pq.write_table(table, tmp_path / "f.parquet", row_group_size=rows)
    with opened(PARQUET, tmp_path / "f.parquet") as reader:
        for block, start in ((4, 0), (9, 0), (4, 4), (1, 5), (2, 6), (100, 0)):
            reader.block = block
            blocks = [jets for jets, _ in reader.blocks(start)]
            assert [len(jets) for jets in blocks[:-1]] == [block] * (len(blocks) - 1)
            assert np.array_equal(np.concatenate([rendered(jets) for jets in blocks]), made[start:])


def nested_type(leaf: pa.DataType) -> pa.DataType:
    return pa.list_(pa.list_(pa.list_(leaf)))


def test_links_out_of_the_file_are_not_followed(tmp_path: Path) -> None:
    kind = KINDS["SingleElectronPt50_IMGCROPS_n249k_RHv1.hdf5"]
    other = kind.make(tmp_path).rename(tmp_path / "other.h5")
    with h5py.File(tmp_path / "linked.h5", "w") as file:
        file["X"], file["y"] = h5py.ExternalLink(other.name, "X"), np.ones(5)
    assert not formats[kind.format].load().recognises(tmp_path / "linked.h5")
    with pytest.raises(DataFileError, match="link to another place"):
        read(kind, tmp_path / "linked.h5")


@pytest.mark.parametrize("name", LARGEST)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_damage_is_a_clear_error(name: str, tmp_path: Path, data: st.DataObject) -> None:
    fuzz(KINDS[name], tmp_path, data)


@pytest.mark.soak
@pytest.mark.parametrize("name", LARGEST)
@settings(max_examples=1000, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_much_damage_is_a_clear_error(name: str, tmp_path: Path, data: st.DataObject) -> None:
    fuzz(KINDS[name], tmp_path, data)


def fuzz(kind: Kind, folder: Path, data: st.DataObject) -> None:
    good = folder / "good"
    if not good.exists():
        kind.write(good, kind.images(2), kind.extra(2))
    survives(folder / "damaged", data.draw(damaged(good.read_bytes())), kind.format)
