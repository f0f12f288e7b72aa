from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Channel, Grid, Jets, Meta, Provenance, container, open_jets, save_jets, verify
from jetbench.jets.file import open_file
from jetbench.values import Value


@pytest.fixture
def path(toy_jets: Jets, tmp_path: Path) -> Path:
    save_jets(tmp_path / "jets.h5", [toy_jets[:100]])
    return tmp_path / "jets.h5"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if no file had changed a moment ago."""
    monkeypatch.setattr("jetbench.jets.verification.SETTLED", -1)


def relabel(path: Path, row: int = 7) -> None:
    with h5py.File(path, "r+") as file:
        label = file["targets/label"]
        label[row] = 1 - label[row]


def test_files_hold_what_they_say(path: Path, toy_jets: Jets) -> None:
    save_jets(path.with_name("other.h5"), [toy_jets[100:150]])
    assert verify(path) == open_jets(path).digest == toy_jets[:100].content_digest()
    assert verify(str(path)) == verify([path])
    assert verify(path.parent) == open_jets(path.parent).digest
    assert (
        verify([path.with_name("other.h5"), path]) == open_jets([path.with_name("other.h5"), path]).digest != verify(path.parent)
    )


def test_one_label_that_was_changed_afterwards_is_found(path: Path, toy_jets: Jets) -> None:
    before = open_jets(path).digest
    relabel(path)
    assert open_jets(path).digest == before, "the file still says so"
    with pytest.raises(DataFileError, match=r"jets\.h5: its content .* was changed after it was written; .* convert it again"):
        verify(path)
    save_jets(path.with_name("a.h5"), [toy_jets[100:150]])
    with pytest.raises(DataFileError, match=r"jets\.h5: its content"):
        verify(path.parent)


@pytest.mark.parametrize("column", ["values", "eta", "event", "jet_pt", "targets/mass", "offsets"])
def test_any_column_counts(path: Path, column: str) -> None:
    with h5py.File(path, "r+") as file:
        file[column][3] = np.asarray(file[column][3]) + 1
    with pytest.raises(DataFileError, match="was changed after it was written"):
        verify(path)


def test_names_of_classes_count(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["meta"] = file.attrs["meta"].replace('"qcd","top"', '"top","qcd"')
    assert open_jets(path).meta.class_names == ("top", "qcd")
    with pytest.raises(DataFileError, match="was changed after it was written"):
        verify(path)


class LaterChannel(Channel):
    added: tuple[str, ...] = ()


class LaterGrid(Grid):
    added: float | None = None


class LaterProvenance(Provenance):
    added: str = ""


class LaterMeta(Meta):
    channels: tuple[LaterChannel, ...]
    grid: LaterGrid | None = None
    provenance: LaterProvenance = LaterProvenance(source="unknown")
    added: int = 3


@pytest.mark.parametrize("canonical", [Meta.canonical, Value.canonical], ids=["lean", "with every default"])
def test_a_field_that_is_added_later_with_a_default_changes_no_file(
    canonical: Callable[[Meta], str], toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier versions wrote the defaults too; their files hold what they say all the same."""
    meta = toy_jets.meta.replace(grid=Grid(rows=8, columns=8, eta_extent=0.8, phi_extent=0.8))
    path = tmp_path / "jets.h5"
    with monkeypatch.context() as patch:
        patch.setattr(Meta, "canonical", canonical)
        digest = save_jets(path, [replace(toy_jets, meta=meta)])
    monkeypatch.setattr("jetbench.jets.file.Meta", LaterMeta)
    stored = open_jets(path)
    assert isinstance(stored.meta, LaterMeta)
    assert stored.meta.channels[0].added == ()
    assert verify(path) == digest == stored.content_digest() == stored.read().content_digest()
    path.with_name("again").mkdir()
    again = save_jets(path.with_name("again") / "jets.h5", [stored.read()])
    assert again == replace(toy_jets, meta=meta).digest
    changed = replace(stored[:], meta=stored.meta.replace(added=4))
    assert changed.digest != again


@pytest.mark.usefixtures("settled")
def test_a_verified_file_is_not_read_again_until_it_changes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = path.parent / "cache"
    assert verify(path, cache=cache) == open_file(path).digest

    def refuse(*arguments: object) -> None:
        raise AssertionError("the file is read again")

    with monkeypatch.context() as patch:
        patch.setattr(container, "update_hashes", refuse)
        assert verify(path, cache=cache) == open_file(path).digest
        os.utime(path)
        with pytest.raises(AssertionError):
            verify(path, cache=cache)
    verify(path, cache=cache)
    relabel(path)
    with pytest.raises(DataFileError, match="was changed"):
        verify(path, cache=cache)


@pytest.mark.usefixtures("settled")
def test_a_change_that_hides_its_time_is_found(path: Path) -> None:
    cache, times = path.parent / "cache", path.stat()
    verify(path, cache=cache)
    relabel(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(DataFileError, match="was changed"):
        verify(path, cache=cache)


def test_a_file_of_this_moment_is_not_noted(path: Path) -> None:
    """It could change again within a tick of the clock."""
    verify(path, cache=path.parent / "cache")
    assert not list((path.parent / "cache").glob("**/*.json"))


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("note", ["", "[]", "{}"])
def test_a_damaged_note_and_a_cache_that_cannot_be_written_cost_time_alone(path: Path, note: str) -> None:
    cache = path.parent / "cache"
    verify(path, cache=cache)
    (noted,) = cache.glob("verified/*.json")
    noted.write_text(note)
    assert verify(path, cache=cache) == open_file(path).digest
    assert verify(path, cache=path / "no folder") == open_file(path).digest


def test_progress_counts_the_jets_of_all_files(path: Path, toy_jets: Jets, monkeypatch: pytest.MonkeyPatch) -> None:
    save_jets(path.with_name("other.h5"), [toy_jets[100:150]])
    monkeypatch.setattr("jetbench.jets.selection.BLOCK_JETS", 40)
    heard: list[tuple[int, int]] = []
    verify(path.parent, progress=lambda done, total: heard.append((done, total)))
    assert [done for done, _ in heard] == [40, 80, 100, 100, 140, 150, 150]
    assert {total for _, total in heard} == {150}
