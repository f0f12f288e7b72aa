"""JetClass trees as today's tools write them hold the same jets: TTree and RNTuple, in any folder, cycle and compression."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from formats.files import LABELS, Particles, jetclass, particles, whole

from jetbench.errors import DataFileError
from jetbench.formats import formats
from jetbench.formats.reader import Reader
from jetbench.jets import Jets

JETS = particles(60)
JETCLASS: type[Reader] = formats["jetclass"].load()


def branches(jets: Particles = JETS, kind: str = "f4", flag: str = "?") -> dict[str, Any]:
    columns = zip(("px", "py", "pz", "energy"), jets.momentum.T.astype(kind), strict=True)
    jagged = {f"part_{name}": ak.unflatten(column, jets.counts) for name, column in columns}
    labels = {f"label_{name}": (np.arange(len(jets.counts)) % 10 == i).astype(flag) for i, name in enumerate(LABELS)}
    return {**jagged, **labels, "jet_nparticles": jets.counts.astype("f4")}


def tree(file: Any, parts: list[dict[str, Any]]) -> None:
    types = {name: x.dtype if isinstance(x, np.ndarray) else x.type.content for name, x in parts[0].items()}
    file.mktree("tree", types)
    for part in parts:
        file["tree"].extend(part)


def assigned(name: str) -> Callable[[Any], None]:
    return lambda file: file.__setitem__(name, branches())


def cycles(file: Any) -> None:
    file["tree"] = branches(particles(20, seed=5))
    file["tree"] = branches()


def beside_others(file: Any) -> None:
    for name in ("Trees", "events", "folder/other"):
        file[name] = {"x": np.arange(3.0)}
    file["folder/deeper/tree"] = branches()


WAYS: dict[str, Callable[[Any], None]] = {
    "one TTree": lambda file: tree(file, [branches()]),
    "several baskets": lambda file: tree(file, [{name: x[i : i + 20] for name, x in branches().items()} for i in (0, 20, 40)]),
    "whole flags": lambda file: tree(file, [branches(flag="i4")]),
    "float64": lambda file: tree(file, [branches(kind="f8", flag="f8")]),
    "RNTuple": assigned("tree"),
    "in a folder": assigned("folder/tree"),
    "the last of two cycles": cycles,
    "beside other trees": beside_others,
}


def read(path: Path, block: int = 60) -> Jets:
    assert JETCLASS.recognises(path)
    with closing(JETCLASS(path)) as reader:
        reader.block = block
        jets = whole(reader)[0]
        assert not reader.remarks
        return jets


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Jets:
    path = tmp_path_factory.mktemp("root") / "a.root"
    jetclass(path, JETS, full=False)
    return read(path)


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_writing_a_tree(way: str, tmp_path: Path, expected: Jets) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        WAYS[way](file)
    for block in (60, 13):
        jets = read(tmp_path / "a.root", block)
        assert np.array_equal(jets.offsets, expected.offsets)
        assert np.allclose(jets.values, expected.values, rtol=1e-6)
        assert np.allclose(jets.eta, expected.eta, atol=1e-5)
        assert np.array_equal(jets.targets["label"], expected.targets["label"])


@pytest.mark.parametrize("compression", [uproot.LZ4(4), uproot.ZSTD(5), uproot.LZMA(1), None], ids=str)
def test_compressions(compression: Any, tmp_path: Path, expected: Jets) -> None:
    with uproot.recreate(tmp_path / "a.root", compression=compression) as file:
        file["tree"] = branches()
    assert read(tmp_path / "a.root").content_digest() == expected.content_digest()


def test_several_trees_of_the_name_are_one_clear_error(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        for i in range(2):
            file[f"folder{i}/tree"] = branches()
    with pytest.raises(DataFileError, match=r"a\.root: several trees named 'tree': folder0/tree, folder1/tree"):
        JETCLASS(tmp_path / "a.root")


def test_a_list_of_names_is_cut_after_ten(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "a.root") as file:
        for i in range(14):
            file[f"x{i:02}"] = {"x": np.arange(3.0)}
    with pytest.raises(DataFileError, match=r"no tree named 'tree'; the file has x00, .*, x09 and 4 more$"):
        JETCLASS(tmp_path / "a.root")
