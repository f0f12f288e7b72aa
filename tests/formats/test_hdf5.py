"""What is no plain, believable dataset is refused by one error that names the file and the key."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from formats.files import particles, top_tagging

from jetbench.errors import DataFileError
from jetbench.formats.conversion import convert
from jetbench.formats.hdf5 import array, dataset, has, open_hdf5, rows_per_block
from jetbench.formats.tables import BLOCK_BYTES
from jetbench.jets import open_jets


def fill(file: h5py.File) -> None:
    file["plain"] = np.arange(12, dtype="f4").reshape(6, 2)
    file["group/inner"] = np.ones(5, bool)
    file["soft"] = h5py.SoftLink("/plain")
    file["external link"] = h5py.ExternalLink("other.h5", "/plain")
    file.create_dataset("external storage", (10,), "f4", external=[("/etc/hostname", 0, 40)])
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "plain", (10,))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("never written", (10**12, 4), "f4")
    file.create_dataset("chunks never written", (10**12, 4), "f4", chunks=(100, 4))
    file.create_dataset("wide", (1, 1 << 25), "f4", chunks=(1, 1 << 20))
    file.create_dataset("large chunks", (1 << 27, 1), "f4", chunks=(1 << 27, 1))
    file.create_dataset("lists", (3,), h5py.vlen_dtype("f4"))[:] = np.array([[1.0], [2.0], [3.0]], "f4")
    file.create_dataset("words", data=["a", "b"])
    file["text"] = np.array([b"a", b"b"])
    file["complex"] = np.zeros(4, complex)
    file["compound"] = np.zeros(4, [("a", "f4")])
    file["scalar"] = 3.0
    file["empty"] = np.zeros((0, 4))
    file["type"] = np.dtype("f4")
    file[b"\xff"] = 1  # a name that is no text


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hdf5") / "file.h5"
    with h5py.File(path, "w") as file:
        fill(file)
    return path


@pytest.mark.parametrize(
    ("key", "cause"),
    [
        ("soft", "a link to another place"),
        ("external link", "a link to another place"),
        ("external storage", "lie in another file"),
        ("virtual", "lie in another file"),
        ("never written", "does not fit into"),
        ("chunks never written", "0 were written"),
        ("wide", "one row"),
        ("large chunks", "too large to read in bounded memory"),
        ("lists", "holds rows of different lengths; write all constituents one after another with the counts"),
        ("lists/pt", "'lists' has no field 'pt'; it holds rows of different lengths"),
        ("words", "holds text where numbers belong; write classes as 0, 1"),
        ("text", "holds text where numbers belong"),
        ("complex", "numbers belong"),
        ("compound", "numbers belong"),
        ("scalar", "no rows"),
        ("empty", "no rows"),
        ("group", "a group of datasets; name one of inner"),
        ("", "a group of datasets"),
        ("type", "'type' is no dataset"),
        ("../plain", "no dataset"),
        ("plain/x", "'plain' has no field 'x'$"),
        ("missing", "no dataset 'missing'; the file has .*complex, compound.* and 9 more"),
    ],
)
def test_refused(path: Path, key: str, cause: str) -> None:
    with open_hdf5(path) as file, pytest.raises(DataFileError, match=f"{path}.*({cause})"):
        array(file, key, path)


def test_plain_datasets(path: Path) -> None:
    with open_hdf5(path) as file:
        assert array(file, "plain", path)[:].tolist() == np.arange(12).reshape(6, 2).tolist()
        assert array(file, "group/inner", path).dtype == bool
        assert dataset(file, "compound", path).dtype.names == ("a",)
    assert has(path, "plain", "group/inner")
    assert not has(path, "soft")
    assert not has(path.parent / "missing", "plain")


def test_blocks_are_whole_chunks_of_bounded_size(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        found = file.create_dataset("x", (100_000, 1000), "f4", chunks=(77, 1000))
        rows = rows_per_block([found])
        assert rows % 77 == 0
        assert BLOCK_BYTES - 77 * 4000 < rows * 4000 <= BLOCK_BYTES
        assert rows_per_block([file.create_dataset("y", (10, 10**8), "f4", chunks=(1, 100))]) == 1


def test_a_truncated_array_is_found_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros((1000, 10))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataFileError, match=r"a\.h5"):
        open_hdf5(path)


def test_whatever_compression_the_plugins_know_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    filters = {"blosc": hdf5plugin.Blosc(), "zstd": hdf5plugin.Zstd(), "zfp": hdf5plugin.Zfp(reversible=True)}
    with h5py.File(path, "w") as file:
        for name, filter in filters.items():
            file.create_dataset(name, data=np.ones((8, 8), "f4"), chunks=(4, 8), **filter)
    with open_hdf5(path) as file:
        assert [array(file, name, path)[:].sum() for name in filters] == [64] * 3


@pytest.mark.parametrize("at", [4, 12])  # in the header of a Blosc chunk: the sizes before and after compression
def test_a_damaged_blosc_header_is_one_error(tmp_path: Path, at: int) -> None:
    """Or the header is not believed, and the jets are what they were. What the plug-in does, it does in a child process."""
    path = tmp_path / "a.h5"
    top_tagging(path, particles(50))
    convert(path, tmp_path / "sound.h5")
    with h5py.File(path) as file:
        place = file["table/table"].id.get_chunk_info(1).byte_offset
    content = bytearray(path.read_bytes())
    content[place + at + 2] = 1
    path.write_bytes(content)
    try:
        convert(path, tmp_path / "jets.h5")
    except DataFileError as error:
        told = str(error)
    else:
        before, after = (dict(open_jets(tmp_path / name).read().columns()) for name in ("sound.h5", "jets.h5"))
        told = str(path) if all(np.array_equal(before[name], after[name]) for name in before if name != "event") else ""
    assert str(path) in told
