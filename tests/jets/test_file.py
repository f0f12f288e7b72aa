from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Jets, concatenate, open_jets, save_jets


def test_a_file_gives_back_every_column(toy_jets: Jets, tmp_path: Path) -> None:
    path = tmp_path / "jets.h5"
    digest = save_jets(path, [toy_jets[:150], toy_jets[150:]])
    stored = open_jets(path)
    assert stored.meta == toy_jets.meta
    assert digest == stored.digest == stored.content_digest() == toy_jets.digest
    for (name, a), (_, b) in zip(stored.columns(), toy_jets.columns(), strict=True):
        assert np.array_equal(a[:], b), name


@pytest.mark.parametrize("later", [255.0, 0.5, -0.0, 256.0, -1.0])
def test_whole_numbers_are_bytes_on_disk_and_floats_in_memory(toy_jets: Jets, tmp_path: Path, later: float) -> None:
    """A number that is no byte may come after many that are."""
    values = np.floor(toy_jets.values).clip(0, 255)
    part, path = toy_jets[200:], tmp_path / "jets.h5"
    last = part.values.copy().clip(0, 0)
    last[7, 1] = later
    parts = [replace(toy_jets, values=values), replace(part, values=last)]
    digest = save_jets(path, parts)
    stored, whole = open_jets(path), concatenate(parts)
    assert stored.digest == digest == stored.content_digest() == whole.digest
    assert stored.values.dtype == stored.values[:2].dtype == np.float32
    assert np.array_equal(stored.values[:].view(np.uint32), whole.values.view(np.uint32))
    with h5py.File(path) as file:
        assert file["values"].dtype == (np.uint8 if later == 255 else np.float32)
        assert file["eta"].dtype == np.float32
        assert not [name for name in file if name.endswith(".packed")]


def test_a_path_may_be_text(toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = save_jets(str(tmp_path / "jets.h5"), [toy_jets])
    assert open_jets(str(tmp_path / "jets.h5")).digest == open_jets([str(tmp_path / "jets.h5")]).digest == digest
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_jets("~/jets.h5").digest == digest
    with pytest.raises(DataFileError, match="name at least one"):
        open_jets([])


def test_a_slice_reads_nothing_else(toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jets.h5"
    save_jets(path, [toy_jets])
    stored, rows = open_jets(path), []
    original = h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda self, args, **k: rows.append(args) or original(self, args, **k))
    stored[5:7]
    assert {r.stop - r.start for r in rows} <= {2, int(toy_jets.offsets[7] - toy_jets.offsets[5])}


@pytest.mark.parametrize("keep", [0, 100, 0.5, 0.99])
def test_a_truncated_file_is_one_clear_error(toy_file: Path, tmp_path: Path, keep: float) -> None:
    whole = toy_file.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(whole[: int(keep if keep > 1 else keep * len(whole))])
    with pytest.raises(DataFileError, match=r"cut\.h5"):
        open_jets(path).read()


def test_flipped_bytes_never_pass_unseen(toy_file: Path, tmp_path: Path) -> None:
    """Each damage raises, or leaves the content as it was (unused space of the file)."""
    whole, digest = toy_file.read_bytes(), open_jets(toy_file).digest
    rng = np.random.default_rng(1)
    raised = 0
    for place in rng.integers(0, len(whole), 200):
        path = tmp_path / f"{place}.h5"  # HDF5 shares an open file of the same name
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            jets = open_jets(path)
            assert jets.content_digest() == jets.digest == digest
        except DataFileError:
            raised += 1
    assert raised > 100


def group(file: h5py.File, name: str) -> None:
    del file[name]
    file.create_group(name)


def put(file: h5py.File, name: str, value: object) -> None:
    del file[name]
    file[name] = value


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: group(file, "eta"),
        lambda file: group(file, "offsets"),
        lambda file: group(file, "targets/label"),
        lambda file: put(file, "targets", [1, 2]),
        lambda file: put(file, "targets/label", file["targets/label"][:3]),
        lambda file: file["targets"].move("label", b"\xff"),
        lambda file: put(file, "eta", 3.0),
        lambda file: put(file, "offsets", 3),
        lambda file: put(file, "offsets", h5py.Empty("i8")),
        lambda file: put(file, "offsets", np.zeros(0, np.int64)),
        lambda file: put(file, "offsets", np.zeros((5, 2), np.int64)),
        lambda file: put(file, "offsets", np.linspace(0, 1, 401)),
        lambda file: put(file, "values", file["values"][:, 0]),
        lambda file: put(file, "event", np.arange(3)),
        lambda file: file.attrs.pop("meta"),
        lambda file: file.attrs.pop("digest"),
        lambda file: file.attrs.update(meta=b"\xff"),
        lambda file: file.attrs.update(meta=3),
        lambda file: file.attrs.update(format=[1, 2]),
    ],
)
def test_a_file_of_another_shape_is_damaged(toy_jets: Jets, tmp_path: Path, damage: Callable[[h5py.File], None]) -> None:
    path = tmp_path / "jets.h5"
    save_jets(path, [toy_jets])
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(DataFileError, match=r"jets\.h5: damaged .* convert it again"):
        open_jets(path)


def test_a_fault_of_this_program_is_not_taken_for_a_damaged_file(toy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jetbench.jets.file.packing", None)
    with pytest.raises(TypeError, match="not callable"):
        open_jets(toy_file)


def test_foreign_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file"):
        open_jets(tmp_path / "missing.h5")
    (tmp_path / "void.h5").touch()
    with pytest.raises(DataFileError, match=r"void\.h5 is empty; make or fetch"):
        open_jets(tmp_path / "void.h5")
    text = tmp_path / "text.h5"
    text.write_text("pt,eta,phi")
    with pytest.raises(DataFileError, match="not a readable HDF5 file"):
        open_jets(text)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(DataFileError, match="not one of jetbench's"):
        open_jets(tmp_path / "other.h5")


def test_a_failed_write_leaves_what_was_there(toy_jets: Jets, tmp_path: Path) -> None:
    path = tmp_path / "jets.h5"
    digest = save_jets(path, [toy_jets[:10]])
    with pytest.raises(DataFileError, match="differ in channels"):
        save_jets(path, [toy_jets[:10], Jets(**{**vars(toy_jets[:10]), "targets": {}})])
    assert open_jets(path).digest == digest
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, signal, sys
from pathlib import Path
from jetbench.errors import DataFileError
from jetbench.jets import open_jets, save_jets
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
jets = open_jets(Path(sys.argv[1])).read()
try:
    save_jets(Path(sys.argv[2]), [jets, jets])
except DataFileError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 3000, 60_000])
def test_a_full_disk_is_one_clear_error(toy_file: Path, tmp_path: Path, limit: int) -> None:
    """A limit on the size of files stands for the disk: beyond it a write fails as there."""
    arguments = [sys.executable, "-c", FULL, str(toy_file), str(tmp_path / "full.h5"), str(limit)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "full.h5: cannot be written" in done.stdout
    assert not done.stderr
    assert list(tmp_path.iterdir()) == []
