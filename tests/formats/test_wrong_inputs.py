"""Sound files with wrong content: one error that names the file, and the row or the column where there is one."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from formats.files import energyflow, jetclass, jetnet, particles, top_tagging, whole

from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.pandas_table import plain_strings

JETS = particles(20)
Change = Callable[[np.ndarray], np.ndarray]


def at(place: Any, value: float) -> Change:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[place] = value
        return array

    return change


def refuses(name: str, path: Path, cause: str) -> None:
    with pytest.raises(DataFileError, match=f"{path}.*{cause}"), closing(formats[name].load()(path)) as reader:
        whole(reader)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"floats": at((5, 2), np.nan)}, "jet 5 has a momentum or energy that is NaN or infinite"),
        ({"floats": at((5, 0), -1.0)}, "jet 5 has a constituent of negative energy"),
        ({"floats": at(5, 0.0)}, "jet 5 has no constituents"),
        ({"floats": at((5, slice(1, 3)), 0.0)}, "jet 5 has a constituent without transverse momentum"),
        ({"integers": at((5, 1), 2)}, "jet 5 has the label 2.0 where labels are 0 … 1"),
        ({"pickled": pickle.dumps(["a", "b"], 0)}, "names 2 columns"),
        ({"pickled": pickle.dumps([f"x_{i}" for i in range(52)], 0)}, "no columns E_0"),
        ({"pickled": pickle.dumps({"a": 1}, 0)}, "no plain list of strings"),
        ({"pickled": b"(lp0\nVE_0\n"}, "damaged, truncated or of another format"),
    ],
)
def test_top_tagging(changes: dict[str, Any], cause: str, tmp_path: Path) -> None:
    top_tagging(tmp_path / "a.h5", JETS, **changes)
    refuses("top-tagging", tmp_path / "a.h5", cause)


def test_the_pickle_in_a_table_is_never_obeyed(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    top_tagging(tmp_path / "a.h5", JETS, pickled=pickle.dumps([Trap(), "E_0"], 0))
    assert not formats["top-tagging"].load().recognises(tmp_path / "a.h5")
    refuses("top-tagging", tmp_path / "a.h5", "no plain list of strings")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_of_every_pickle_protocol(protocol: int) -> None:
    names = ["E_0", "PX_0", "ü" * 300]
    assert plain_strings(pickle.dumps(names, protocol), Path("a.h5")) == names


def test_two_frames_are_one_too_many(tmp_path: Path) -> None:
    top_tagging(tmp_path / "a.h5", JETS)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.copy("table", "other")
    refuses("top-tagging", tmp_path / "a.h5", "2 pandas frames where one belongs")


def test_a_frame_behind_a_link(tmp_path: Path) -> None:
    top_tagging(tmp_path / "a.h5", JETS)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["table"] = h5py.ExternalLink(str(tmp_path / "a.h5"), "/table")
    refuses("top-tagging", tmp_path / "b.h5", "frames? where one belongs|link")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"label_Hbb": at(1, False)}, "jet 1 is not of exactly one class"),
        ({"label_QCD": lambda flags: flags * 0.5}, "jet 0 is not of exactly one class"),
        ({"jet_sdmass": at(3, np.inf)}, "jet 3 has 'targets/sdmass' that is NaN, infinite or too large"),
    ],
)
def test_jetclass(changes: dict[str, Any], cause: str, tmp_path: Path) -> None:
    jetclass(tmp_path / "a.root", JETS, **changes)
    refuses("jetclass", tmp_path / "a.root", cause)


def test_no_code_is_made_from_a_root_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jetclass(tmp_path / "a.root", JETS)

    def caught(*_: object) -> None:
        raise AssertionError("uproot compiles what the file says of its classes")

    monkeypatch.setattr("uproot.deserialization.compile_class", caught)
    with closing(formats["jetclass"].load()(tmp_path / "a.root")) as reader:
        assert len(whole(reader)[0]) == 20
        with pytest.raises(ValueError, match="not those of a plain tree"):
            _ = reader.table._table._tree.file.streamers


def test_root_files_of_other_content(tmp_path: Path) -> None:
    import uproot

    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        file.mktree("tree", {"x": "f8"})
        file["tree"].extend({"x": np.arange(3.0)})
    refuses("jetclass", path, "no column 'part_px'; it has x")
    with uproot.recreate(path) as file:
        file["tree"] = np.histogram(np.arange(3.0))
    refuses("jetclass", path, "no tree named 'tree'")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"X": at((5, 0, 1), np.nan)}, "jet 5 has a momentum or energy that is NaN or infinite"),
        ({"X": at((5, 0, 0), -3.0)}, "jet 5 has a constituent of negative pt in 'X:0'"),
        ({"X": at((5, 0, 1), 1e6)}, "jet 5 has a momentum or energy"),
        ({"X": at(5, 0.0)}, "jet 5 has no constituents"),
        ({"X": lambda x: x[..., :3]}, r"'X:3' does not fit 'X' of shape \(20, 12, 3\)"),
        ({"X": lambda x: x[:, 0]}, r"'X:0' does not fit 'X' of shape \(20, 4\)"),
        ({"X": lambda x: x.astype(str)}, "holds text where numbers belong"),
        ({"X": lambda x: x.astype(object)}, "holds objects, which are not unpickled"),
        ({"X": np.asfortranarray}, "Fortran order"),
        ({"X": lambda x: x[:0], "y": lambda y: y[:0]}, "no rows"),
        ({"y": lambda y: y[:-1]}, "different numbers of rows: {'X': 20, 'y': 19}"),
        ({"y": at(4, 0.5)}, "jet 4 has the label 0.5"),
    ],
)
def test_energyflow(changes: dict[str, Any], cause: str, tmp_path: Path) -> None:
    energyflow(tmp_path / "a.npz", JETS, **changes)
    refuses("energyflow", tmp_path / "a.npz", cause)


def test_an_npz_that_declares_more_than_it_has(tmp_path: Path) -> None:
    energyflow(tmp_path / "sound.npz", JETS, compressed=False)
    with zipfile.ZipFile(tmp_path / "sound.npz") as archive:
        x, y = archive.read("X.npy"), archive.read("y.npy")
    header = io.BytesIO()
    shape = (2_000_000_000, 12, 4)
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("X.npy", header.getvalue() + x[128:])
        archive.writestr("y.npy", y)
    refuses("energyflow", tmp_path / "a.npz", r"'X' declares the shape \(2000000000, 12, 4\), but its data are not of that size")
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("X.npy", x)
        archive.writestr("y.npy", y)
    refuses("energyflow", tmp_path / "b.npz", "compressed by other means")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("y.npy", y)
    refuses("energyflow", tmp_path / "c.npz", "no array 'X'; the file has y")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"particle_features": at((5, 0, 0), np.nan)}, "jet 5 has a feature that is NaN or infinite"),
        ({"particle_features": at((5, 0, 2), -0.1)}, "jet 5 has a particle of negative ptrel"),
        ({"particle_features": at((5, 0, 3), 0.5)}, "jet 5 has a mask that is neither 0 nor 1"),
        ({"particle_features": at((5, slice(None), 3), 0.0)}, "jet 5 has no constituents"),
        ({"particle_features": lambda x: x[..., :3]}, r"shapes .*\(N, M, 4\)"),
        ({"particle_features": lambda x: x.astype("S4")}, "where numbers belong"),
        ({"jet_features": at((5, 0), 0.0)}, "jet 5 has a pt that is not positive"),
        ({"jet_features": lambda x: x[:-1]}, "shapes"),
    ],
)
def test_jetnet(changes: dict[str, Any], cause: str, tmp_path: Path) -> None:
    jetnet(tmp_path / "t.hdf5", JETS, **changes)
    refuses("jetnet", tmp_path / "t.hdf5", cause)


def test_jetnet_particles_without_momentum_are_dropped_and_counted(tmp_path: Path) -> None:
    jetnet(tmp_path / "t.hdf5", JETS, particle_features=at((5, 0, 2), 0.0))
    with closing(formats["jetnet"].load()(tmp_path / "t.hdf5")) as reader:
        jets, repairs = whole(reader)
    assert repairs["particles without momentum dropped"] == 1
    assert np.diff(jets.offsets)[5] == JETS.counts[5] - 1
