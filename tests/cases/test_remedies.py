"""What a new user mistakes is one sentence with what to type instead."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from formats.image_files import nested

from jetbench.errors import DataFileError, SuiteError
from jetbench.formats.cards import parse_card
from jetbench.formats.containers import open_table
from jetbench.formats.conversion import convert
from jetbench.suites.choices import TaskChoice
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate

NUMBERS = np.arange(60.0).reshape(20, 3)
CALLED = {
    "hdf5": "an HDF5 file",
    "npz": "an npz file",
    "npy": "an npy file",
    "parquet": "a parquet file",
    "root": "a ROOT file",
    "csv": "text, as CSV is",
}


def write(folder: Path) -> dict[str, Path]:
    """A file of each container, all of the same name but for what it ends with, which tells nothing."""
    paths = {kind: folder / f"{kind}.dat" for kind in CALLED}
    with h5py.File(paths["hdf5"], "w") as file:
        file["x"] = NUMBERS
    np.savez(folder / "a.npz", x=NUMBERS)
    np.save(folder / "a.npy", NUMBERS)
    for name in ("npz", "npy"):
        shutil.move(folder / f"a.{name}", paths[name])
    pq.write_table(pa.table({"x": NUMBERS.tolist()}), paths["parquet"])
    with uproot.recreate(paths["root"]) as tree:
        tree.mktree("Events", {"x": "float64"})
        tree["Events"].extend({"x": NUMBERS[:, 0]})
    paths["csv"].write_text("pt,eta,phi\n1,2,3\n")
    return paths


def card(kind: str) -> str:
    lists = kind in ("parquet", "root")
    column = "" if lists else ":0"
    tree = "tree: Events\n" if kind == "root" else ""
    key = "array" if kind == "npy" else "x"
    return (
        f"kind: constituents\nsource: me\nformat: {kind}\n{tree}layout: {'lists' if lists else 'padded'}\n"
        f'momentum: {{pt: "{key}{column}", eta: "{key}{column}", phi: "{key}{column}"}}\n'
    )


@pytest.mark.parametrize("expected", [kind for kind in CALLED if kind != "csv"])
def test_a_card_for_another_container_is_told_what_the_file_is(expected: str, tmp_path: Path) -> None:
    read = parse_card(card(expected), "card")
    for kind, path in write(tmp_path).items():
        key = "array" if expected == "npy" else "x"
        if kind == expected:
            open_table(path, read, [key])[0].close()
            continue
        with pytest.raises(DataFileError) as caught:
            open_table(path, read, [key])
        a_card = "a card of constituents" if kind == "root" else "a card"  # images have no tree
        remedy = (
            "write its numbers with numpy.savez or h5py" if kind == "csv" else f"{a_card} for this file says `format: {kind}`"
        )
        told = f"by its first bytes it is {CALLED[kind]}, where {CALLED[expected]} is expected; {remedy}"
        assert str(caught.value) == f"{path}: {told}"


@pytest.mark.parametrize("text", ["pt,η,φ\n", "\ufeffpt,eta\n" + "µ" * 300])
def test_text_of_any_language_is_told_as_text(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match="by its first bytes it is text, as CSV is, where a parquet file is expected"):
        open_table(tmp_path / "a.csv", parse_card(card("parquet"), "card"), ["x"])


def test_a_card_is_told_whether_pandas_has_written_a_file(tmp_path: Path) -> None:
    pandas = parse_card(card("hdf5").replace("hdf5", "pandas").replace("x:0", "x"), "card")
    with pytest.raises(DataFileError, match="pandas has not written it, and a card for this file says `format: hdf5`"):
        open_table(write(tmp_path)["hdf5"], pandas, ["x"])
    pd.DataFrame({"x": [1.0, 2.0]}).to_hdf(tmp_path / "frame.h5", key="frame", format="table")
    with pytest.raises(DataFileError, match=r"'x'.*pandas has written it, and a card for this file says `format: pandas`"):
        open_table(tmp_path / "frame.h5", parse_card(card("hdf5"), "card"), ["x"])


def test_hdf5_behind_a_block_of_text_is_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["x"] = NUMBERS
    with open(tmp_path / "a.h5", "r+b") as stream:
        stream.write(b"the owner's words\n".ljust(512))
    with closing(open_table(tmp_path / "a.h5", parse_card(card("hdf5"), "card"), ["x"])[0]) as table:
        assert np.array_equal(next(table.blocks(["x"], 0, len(NUMBERS)))["x"], NUMBERS)


def test_masses_of_another_name_are_told_as_they_are_typed(tmp_path: Path) -> None:
    """The suite asks for a groomed mass, and ML4SCI's jets have one mass beside places on the detector."""
    pixels = np.zeros((30, 2, 125, 125))
    pixels[:, 0, 62, 60:64] = 1 + np.arange(30)[:, None]
    numbers = {name: np.arange(30.0) + 100 for name in ("am", "pt", "iphi", "ieta")}
    pq.write_table(pa.table({"X_jet": nested(pixels), **numbers}), tmp_path / "boosted_tops.parquet")
    convert(tmp_path / "boosted_tops.parquet", tmp_path / "jets.h5")
    sizes = ("test_jets=10", "labels=[10]", "tuning=null")

    def plan(*given: str) -> TaskChoice:
        suite = find_suite("mass-regression")
        instance = instantiate(suite, "smoke", str(tmp_path / "jets.h5"), overrides=(*sizes, *given))
        return make_plan(instance).instance.settings.task

    with pytest.raises(SuiteError, match=r"have no 'gen_sdmass' to predict; .*: ieta, iphi, mass, pt") as caught:
        plan()
    (typed,) = re.findall(r"--set (\S+) takes that", str(caught.value))
    assert typed == "task.options.target=mass"
    assert plan(typed).options == {"target": "mass"}
