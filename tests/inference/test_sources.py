"""Jets come from memory, from files of jetbench's and of the field, and from simulations, and are the same ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from formats import files

from jetbench.data.catalog import find_dataset
from jetbench.errors import DataFileError, SuiteError, UnknownNameError
from jetbench.formats.conversion import Request, convert
from jetbench.formats.files import find_sources
from jetbench.formats.reading import Source
from jetbench.inference.sources import JetSource, find_source
from jetbench.jets import Jets, concatenate, open_jets, save_jets, verify


def read(source: JetSource) -> Jets:
    jets = concatenate([part.read() for part in source.parts()])
    assert len(jets) == source.jets
    return jets


def test_jets_and_their_file_are_one_source(toy_jets: Jets, toy_file: Path) -> None:
    memory, stored = find_source(toy_jets), find_source(str(toy_file))
    assert memory.digest == stored.digest == toy_jets.digest == find_dataset(toy_file).ref.sha256
    assert read(stored).content_digest() == read(memory).content_digest()
    assert (stored.name, stored.meta) == ("toy", toy_jets.meta)


def test_a_folder_and_a_glob_are_read_in_the_order_of_names(toy_jets: Jets, tmp_path: Path) -> None:
    for i in range(3):
        save_jets(tmp_path / f"part-{i}.h5", [toy_jets[10 * i : 10 * i + 10]])
    for name in (tmp_path, tmp_path / "part-*.h5"):
        source = find_source(name)
        assert read(source).event.tolist() == toy_jets.event[:30].tolist()
        assert source.digest == open_jets(name).digest


def test_a_changed_file_is_not_predicted_unseen(toy_jets: Jets, tmp_path: Path) -> None:
    import h5py

    save_jets(tmp_path / "jets.h5", [toy_jets[:20]])
    with h5py.File(tmp_path / "jets.h5", "r+") as file:
        del file["event"]
        file["event"] = np.arange(20)
    with pytest.raises(DataFileError, match="it was changed after it was written"):
        find_source(tmp_path / "jets.h5")


def test_a_file_of_the_field_is_read_without_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of the reader's size, in the order of the file, with its labels; a conversion holds the same jets."""
    path = tmp_path / "top.h5"
    files.top_tagging(path, files.particles(20))

    def small(*asked: Any) -> list[Source]:
        return [replace(source, block=7) for source in find_sources(*asked)]

    monkeypatch.setattr("jetbench.inference.sources.find_sources", small)
    source = find_source(path)
    parts = list(source.parts())
    assert [len(part) for part in parts] == [7, 7, 6]
    jets = concatenate(parts)
    assert jets.targets["label"].tolist() == [0, 1] * 10
    convert(path, tmp_path / "jets.h5", Request())
    converted = open_jets(tmp_path / "jets.h5").read()
    order = np.argsort(converted.event & 0xFFFFFFFF)
    np.testing.assert_array_equal(converted.take(order).values, jets.values)
    assert source.digest == converted.meta.provenance.files[0].sha256


def test_what_is_neither_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no jets")
    for name, error, message in (
        (tmp_path / "missing.h5", DataFileError, "there is no such file"),
        (tmp_path / "text.h5", DataFileError, "not a readable HDF5 file"),
        ("top-vs-qdc", UnknownNameError, "neither a dataset nor a file.*top-vs-qcd"),
        ("top-vs-qcd", SuiteError, "say how many jets"),
    ):
        with pytest.raises(error, match=message):
            find_source(name)


def test_a_simulation_is_made_where_it_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path))
    seen: list[str] = []
    source = find_source("electron-vs-photon", jets=20, seed=3, progress=lambda what, done, total: seen.append(what))
    assert (len(read(source)), set(seen)) == (20, {"simulating jets"})
    assert source.digest == find_dataset("electron-vs-photon", 20, 3).ref.sha256
    assert verify(find_dataset("electron-vs-photon", 20, 3).path)
