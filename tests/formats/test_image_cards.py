"""Dense images of any origin: what a card says is what comes out, and a card without sense is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from formats.files import whole
from formats.fuzz import damaged, survives
from formats.image_files import nested
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError
from jetbench.formats.image_card import ImageCard
from jetbench.formats.image_reader import Images
from jetbench.jets import Jets
from jetbench.strict import parse
from jetbench.views.image import render

CARD: dict[str, Any] = {
    "kind": "images",
    "source": "a detector of ours",
    "format": "hdf5",
    "images": "img",
    "layout": "NHWC",
    "channels": [
        {"name": "et", "unit": "GeV", "role": "pt"},
        {"name": "time", "unit": "ns", "combine": "mean", "weight": "et"},
        {"name": "charge", "unit": "e", "signed": True},
    ],
    "eta_extent": 0.8,
    "phi_extent": 0.4,
    "label": "truth",
    "class_names": ["qcd", "top"],
    "targets": {"mass": "m"},
    "columns": {"jet_eta": "eta", "jet_pt": "pt"},
    "licence": "CC0",
    "cuts": ["pt > 500 GeV"],
}
COLUMNS = {
    "truth": np.array([0, 1, 1]),
    "m": np.array([80.0, 173, 91]),
    "eta": np.array([0.5, -1, 0]),
    "pt": np.array([500, 600, 700]),
}
AXES = {"NHWC": (0, 2, 3, 1), "NCHW": (0, 1, 2, 3)}
ANY = st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e-45])


def card(**changes: Any) -> ImageCard:
    made: ImageCard = parse(ImageCard, {**CARD, **changes}, "card.yaml", DataFileError)
    return made


def write_hdf5(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def write_parquet(path: Path, arrays: dict[str, np.ndarray]) -> None:
    pq.write_table(pa.table({k: nested(v) if v.ndim > 1 else v for k, v in arrays.items()}), path)


WRITERS: dict[str, Callable[[Path, dict[str, np.ndarray]], None]] = {
    "hdf5": write_hdf5,
    "npz": write_npz,
    "parquet": write_parquet,
}


def read(path: Path, described: ImageCard) -> tuple[Jets, dict[str, int]]:
    with closing(Images(path, described)) as reader:
        return whole(reader)


def rendered(jets: Jets) -> np.ndarray:
    assert jets.meta.grid is not None
    return render(JetTensors(jets).batch(torch.arange(len(jets))), jets.meta.grid).numpy()


def some(pixels: np.ndarray) -> np.ndarray:
    """Images (3, 3, 4, 5) of which none is empty and the transverse energies are positive."""
    pixels[:, 0] = np.abs(pixels[:, 0])
    pixels[:, 0, 3, 4] = 1
    return pixels


@pytest.mark.parametrize("layout", AXES)
@pytest.mark.parametrize("container", WRITERS)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(pixels=arrays(np.float32, (3, 3, 4, 5), elements=ANY, fill=st.just(0.0)))
def test_pixels_survive_bit_for_bit(container: str, layout: str, tmp_path: Path, pixels: np.ndarray) -> None:
    made = some(pixels)
    WRITERS[container](tmp_path / "f", {"img": made.transpose(AXES[layout]).copy(), **COLUMNS})
    jets, repairs = read(tmp_path / "f", card(format=container, layout=layout))
    assert not repairs
    assert np.array_equal(rendered(jets), made)


def test_what_the_card_says_comes_with_the_jets(tmp_path: Path) -> None:
    WRITERS["npz"](tmp_path / "f", {"img": np.ones((3, 4, 5, 3), np.float32), **COLUMNS})
    jets, _ = read(tmp_path / "f", card(format="npz"))
    jets.validate()
    meta = jets.meta
    assert [(c.name, c.unit, c.combine, c.weight, c.role) for c in meta.channels] == [
        ("et", "GeV", "sum", None, "pt"),
        ("time", "ns", "mean", "et", "other"),
        ("charge", "e", "sum", None, "other"),
    ]
    assert meta.grid is not None
    assert (meta.grid.rows, meta.grid.columns, meta.grid.eta_extent, meta.grid.phi_extent) == (4, 5, 0.8, 0.4)
    assert (meta.extent, meta.isotropic, meta.unknown, meta.class_names) == (0.8, True, ("jet_phi",), ("qcd", "top"))
    assert (meta.provenance.source, meta.provenance.licence) == ("a detector of ours", "CC0")
    assert meta.provenance.cuts == ("pt > 500 GeV",)
    assert jets.targets["label"].tolist() == [0, 1, 1]
    assert jets.targets["mass"].tolist() == [80, 173, 91]
    assert jets.jet_eta.tolist() == [0.5, -1, 0]
    assert jets.jet_pt.tolist() == [500, 600, 700]


@pytest.mark.parametrize("container", WRITERS)
def test_images_of_one_channel_need_no_axis_for_it(container: str, tmp_path: Path) -> None:
    made = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    WRITERS[container](tmp_path / "f", {"img": made})
    described = {
        "layout": "NHW",
        "channels": CARD["channels"][:1],
        "label": None,
        "class_names": [],
        "targets": {},
        "columns": {},
    }
    jets, repairs = read(tmp_path / "f", card(format=container, **described))
    assert not repairs
    assert np.array_equal(rendered(jets)[:, 0], made)
    assert jets.targets == {}


@pytest.mark.parametrize("number", [0.1, 1e-300, 2**24 + 1, 2**53 + 1, 2**63 - 1])
def test_numbers_that_float32_does_not_hold_are_refused_or_rounded_and_counted(number: float, tmp_path: Path) -> None:
    made = np.ones((3, 4, 5, 3), np.int64 if isinstance(number, int) else np.float64)
    made[1, 2, 2, 0] = number
    write_hdf5(tmp_path / "f", {"img": made, **COLUMNS})
    with pytest.raises(DataFileError, match=r"jet 1 has numbers in 'img' that float32 does not hold.*`cast: true`"):
        read(tmp_path / "f", card())
    jets, repairs = read(tmp_path / "f", card(cast=True))
    assert repairs == {"pixels rounded to float32": 1}
    assert np.array_equal(np.moveaxis(rendered(jets), 1, -1), made.astype(np.float32))


def test_a_number_beyond_float32_is_an_error_even_where_others_are_rounded(tmp_path: Path) -> None:
    write_hdf5(tmp_path / "f", {"img": np.full((3, 4, 5, 3), 1e300), **COLUMNS})
    with pytest.raises(
        DataFileError, match="jet 0 has a pixel in channel 'et' of 'img' that is NaN, infinite or beyond the range"
    ):
        read(tmp_path / "f", card(cast=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layuot": "NHW"}, "unknown key 'layuot'; did you mean 'layout'"),
        ({"layout": "NHW"}, "layout NHW have one channel"),
        ({"layout": "CHW"}, "layout"),
        ({"channels": []}, "channels"),
        ({"channels": [*CARD["channels"], CARD["channels"][0]]}, "two channels have the same name"),
        ({"channels": [{"name": "t", "unit": "", "combine": "mean"}]}, "a mean has a weight, and a sum has none"),
        ({"channels": [{"name": "t", "unit": "", "combine": "mean", "weight": "e"}]}, "no extensive channel without sign"),
        ({"channels": [{"name": "e", "unit": "", "weight": "e"}]}, "a mean has a weight, and a sum has none"),
        ({"channels": [{"name": "e", "unit": "", "role": "pt", "signed": True}]}, "sums without sign"),
        ({"eta_extent": 0}, "eta_extent"),
        ({"phi_extent": float("nan")}, "phi_extent"),
        ({"targets": {"label": "truth"}}, "no name for a target"),
        ({"targets": {"a/b": "m"}}, "no name for a target"),
        ({"columns": {"jet_mass": "m"}}, "columns"),
        ({"class_names": ["a", "a"]}, "a, a are not all different"),
        ({"label": "img"}, "have keys of their own"),
        ({"format": "csv"}, "format"),
    ],
)
def test_a_card_without_sense_is_refused(change: dict, message: str) -> None:
    with pytest.raises(DataFileError, match=f"card.yaml: .*{message}"):
        card(**change)


@pytest.mark.parametrize("container", WRITERS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"img": np.ones((3, 4, 5), np.float32)}, r"shape \(3, 4, 5\), which is not of the layout NHWC"),
        ({"img": np.ones((3, 4, 5, 2), np.float32)}, r"shape \(4, 5, 2\) where \(4, 5, 3\) \(HWC\) belongs"),
        (
            {"img": np.ones((3, 3, 4, 5), np.float32)},
            r"\(3, 4, 3\) \(HWC\) belongs; 3 channels stand in the place of layout: NCHW",
        ),
        ({"img": np.ones((4, 4, 5, 3), np.float32)}, "the arrays have different numbers of rows|row groups"),
        ({"truth": np.array([0, 1, 2])}, "jet 2 has the label 2"),
        ({"truth": None}, "truth"),
        ({"img": None}, "img"),
    ],
)
def test_a_file_that_is_not_what_the_card_says_is_refused(container: str, change: dict, message: str, tmp_path: Path) -> None:
    made = {"img": np.ones((3, 4, 5, 3), np.float32), **COLUMNS, **change}
    if container == "parquet" and len({len(v) for v in made.values() if v is not None}) > 1:
        pytest.skip("no parquet file has columns of different lengths")
    WRITERS[container](tmp_path / "file", {name: values for name, values in made.items() if values is not None})
    with pytest.raises(DataFileError, match=f"file.*{message}"):
        read(tmp_path / "file", card(format=container))


@pytest.mark.parametrize("container", WRITERS)
def test_a_file_of_another_container_or_none_is_refused(container: str, tmp_path: Path) -> None:
    for name, write in WRITERS.items():
        write(tmp_path / "file", {"img": np.ones((3, 4, 5, 3), np.float32), **COLUMNS})
        if name != container:
            with pytest.raises(DataFileError, match="file"):
                read(tmp_path / "file", card(format=container))
    with pytest.raises(DataFileError, match="absent: no such file"):
        read(tmp_path / "absent", card(format=container))


@pytest.mark.parametrize("container", WRITERS)
@pytest.mark.parametrize("absent", [(), tuple(COLUMNS)[:1], tuple(COLUMNS)])
def test_optional_columns_are_taken_where_the_file_has_them(container: str, absent: tuple[str, ...], tmp_path: Path) -> None:
    there = {name: values for name, values in COLUMNS.items() if name not in absent}
    images = np.random.default_rng(0).exponential(1, (3, 4, 5, 3)).astype(np.float32)
    WRITERS[container](tmp_path / "file", {"img": images, **there})
    described = card(format=container, optional=tuple(COLUMNS))
    jets, _ = read(tmp_path / "file", described)
    assert ("label" in jets.targets) == (described.label in there)
    assert {*jets.targets} - {"label"} == {name for name, key in described.targets.items() if key in there}
    assert {*described.columns} - {*jets.meta.unknown} == {name for name, key in described.columns.items() if key in there}


def test_channels_have_another_order_and_images_a_number_of_pixels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).exponential(1, (3, 4, 4, 3)).astype(np.float32)
    write_hdf5(tmp_path / "f.h5", {"img": images, **COLUMNS})
    names = [channel["name"] for channel in CARD["channels"]]
    jets, _ = read(tmp_path / "f.h5", card(order=names[::-1], pixels=4))
    assert [channel.name for channel in jets.meta.channels] == names[::-1]
    assert np.array_equal(rendered(jets), np.moveaxis(images, -1, 1)[:, ::-1])
    with pytest.raises(DataFileError, match=r"has shape \(4, 4, 3\) where \(5, 5, 3\)"):
        read(tmp_path / "f.h5", card(pixels=5))
    with pytest.raises(DataFileError, match="order has each of the channels"):
        card(order=names[:1])
    with pytest.raises(DataFileError, match=r"optional are keys of .* alone, and 'img' is none"):
        card(optional=["img"])


def test_nothing_pickled_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "f.npz", img=np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataFileError, match="object"):
        read(tmp_path / "f.npz", card(format="npz"))


def test_images_too_large_for_bounded_memory_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file.create_dataset("img", (1, 2000, 2000, 1), np.uint8, data=np.ones((1, 2000, 2000, 1), np.uint8))
    with pytest.raises(DataFileError, match="too large to read in bounded memory"):
        read(tmp_path / "f.h5", card(channels=CARD["channels"][:1], label=None, targets={}, columns={}))


@pytest.mark.parametrize("container", WRITERS)
@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_is_a_clear_error(container: str, tmp_path: Path, data: st.DataObject) -> None:
    fuzz(container, tmp_path, data)


@pytest.mark.soak
@pytest.mark.parametrize("container", WRITERS)
@settings(max_examples=3000, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_much_damage_is_a_clear_error(container: str, tmp_path: Path, data: st.DataObject) -> None:
    fuzz(container, tmp_path, data)


def fuzz(container: str, folder: Path, data: st.DataObject) -> None:
    good = folder / "good"
    if not good.exists():
        WRITERS[container](good, {"img": some(np.full((3, 3, 4, 5), 2, np.float32)).transpose(0, 2, 3, 1).copy(), **COLUMNS})
    described = card(format=container)
    content = data.draw(damaged(good.read_bytes()))
    survives(folder / "damaged", content, "images", described)
