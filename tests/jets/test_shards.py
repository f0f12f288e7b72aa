from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from jetbench.data.catalog import find_dataset
from jetbench.errors import DataFileError
from jetbench.jets import Jets, SourceFile, open_jets, save_jets
from jetbench.jets.shards import partition

CUTS = (0, 150, 151, 151, 400)  # one shard of a single jet, one of none


@pytest.fixture
def shards(toy_jets: Jets, tmp_path: Path) -> Path:
    for i, (a, b) in enumerate(itertools.pairwise(CUTS)):
        save_jets(tmp_path / f"jets-{i}.h5", [toy_jets[a:b]])
    return tmp_path


def same(a: Jets, b: Jets) -> bool:
    return np.array_equal(a.offsets, b.offsets) and all(
        np.array_equal(x[:], y[:]) for (_, x), (_, y) in zip(a.columns(), b.columns(), strict=True)
    )


@pytest.mark.parametrize("rows", [slice(0, 400), slice(140, 160), slice(150, 151), slice(151, 151), slice(160, 399)])
def test_shards_are_one_collection(shards: Path, toy_jets: Jets, rows: slice) -> None:
    joined = open_jets(shards / "jets-*.h5")
    assert joined.meta == toy_jets.meta
    assert same(joined[rows], toy_jets[rows])


def test_chosen_jets_come_from_their_shards(shards: Path, toy_jets: Jets) -> None:
    rows = np.array([399, 149, 150, 151, 3, 3])
    assert same(open_jets(shards).take(rows), toy_jets.take(rows))


def test_a_slice_reads_no_shard_that_it_does_not_cover(shards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joined, files = open_jets(shards), set()
    original = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset, "__getitem__", lambda self, *a, **k: files.add(Path(self.file.filename).name) or original(self, *a, **k)
    )
    joined[200:210]
    assert files == {"jets-3.h5"}


def test_the_digest_derives_from_the_shards_and_their_order(shards: Path) -> None:
    paths = [shards / f"jets-{i}.h5" for i in range(4)]
    digest = open_jets(shards).digest
    assert digest == open_jets(paths).digest == open_jets(shards / "jets-?.h5").digest
    assert digest != open_jets(paths[::-1]).digest
    assert digest != open_jets(paths[:3]).digest
    assert open_jets(paths[:1]).digest == open_jets(paths[0]).digest


def of_class(jets: Jets, label: int) -> Jets:
    """The jets of one class, as a conversion of them alone names it."""
    own = jets.take(np.flatnonzero(jets.targets["label"] == label))
    targets = {**own.targets, "label": np.zeros(len(own), np.int32)}
    return replace(own, meta=own.meta.replace(class_names=(jets.meta.class_names[label],)), targets=targets)


def test_files_of_one_class_each_are_joined_with_their_classes(toy_jets: Jets, tmp_path: Path) -> None:
    save_jets(tmp_path / "a.h5", [of_class(toy_jets, 1)])
    save_jets(tmp_path / "b.h5", [of_class(toy_jets, 0)])
    joined = open_jets(tmp_path / "*.h5")
    assert joined.meta.class_names == ("top", "qcd")
    assert joined.targets["label"][:].tolist() == [0] * 200 + [1] * 200
    assert joined[190:210].targets["label"].tolist() == [0] * 10 + [1] * 10
    save_jets(tmp_path / "c.h5", [toy_jets[:7]])
    joined = open_jets(tmp_path / "*.h5")
    assert joined.meta.class_names == ("qcd", "top")
    assert joined.targets["label"][:].tolist() == [1] * 200 + [0] * 200 + toy_jets.targets["label"][:7].tolist()
    other = toy_jets.meta.replace(class_names=("gluon", "top"))
    save_jets(tmp_path / "d.h5", [replace(toy_jets, meta=other)])
    with pytest.raises(DataFileError, match="class names"):
        open_jets(tmp_path / "*.h5")


def test_shards_that_differ_are_refused_by_what_differs(shards: Path, toy_jets: Jets) -> None:
    gev, *others = toy_jets.meta.channels
    channels = (gev.replace(unit="MeV"), *others)
    changed = {
        r"channels \(charged \[MeV, sum, pt\].* instead of \(charged \[GeV": {"meta": toy_jets.meta.replace(channels=channels)},
        r"class names \(qcd, w\) instead of \(qcd, top\)": {"meta": toy_jets.meta.replace(class_names=("qcd", "w"))},
        r"targets \(label\) instead of \(gen_mass": {"targets": {"label": toy_jets.targets["label"]}},
    }
    for message, change in changed.items():
        save_jets(shards / "jets-9.h5", [replace(toy_jets, **change)])
        with pytest.raises(DataFileError, match=rf"jets-9\.h5: does not fit .*jets-0\.h5: {message}"):
            open_jets(shards)


def test_each_shard_keeps_its_sources(shards: Path, toy_jets: Jets) -> None:
    source = SourceFile(name="more.root", sha256="0" * 64, jets=400)
    origin = toy_jets.meta.provenance.replace(source="more", files=(source,), repairs=(("clipped", 3),))
    save_jets(shards / "jets-9.h5", [replace(toy_jets, meta=toy_jets.meta.replace(provenance=origin))])
    merged = open_jets(shards).meta.provenance
    assert (merged.source, merged.files, merged.repairs) == ("toy + more", (source,), (("clipped", 3),))
    assert merged.seed == toy_jets.meta.provenance.seed


def test_a_glob_a_folder_or_a_file_name_a_dataset(shards: Path) -> None:
    whole, folder = find_dataset(str(shards / "jets-*.h5")), find_dataset(str(shards))
    assert (whole.jets, whole.ready) == (400, True)
    assert whole.ref.sha256 == folder.ref.sha256 == open_jets(whole.path).digest
    odd = shards / "odd[1].h5"
    save_jets(odd, [open_jets(shards)[:7]])
    assert find_dataset(str(odd)).jets == find_dataset(odd).jets == 7
    for name in ("none-*.h5", "missing.h5", "missing/"):
        with pytest.raises(DataFileError, match=r"no such file|no file of jets"):
            find_dataset(str(shards / "empty" / name))


@pytest.mark.parametrize("jets", [0, 1, 7, 400])
def test_workers_share_all_rows_without_overlap(jets: int) -> None:
    for workers in range(1, 12):
        parts = partition(jets, workers)
        assert len(parts) == workers
        assert [row for part in parts for row in part] == list(range(jets))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
