"""Whatever happens to a file, its reader raises a `JetbenchError` or reads valid jets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from formats.files import energyflow, jetclass, jetnet, particles, top_tagging
from formats.fuzz import damaged, survives
from hypothesis import given, settings
from hypothesis import strategies as st

from jetbench.formats.card import ConstituentCard

JETS = particles(8)
CARD = ConstituentCard(
    kind="constituents", source="toys", format="parquet", layout="lists", momentum={"px": "x", "py": "y", "pz": "z"}
)


def lists(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: JETS.lists(column) for name, column in zip("xyz", JETS.momentum.T[:3], strict=True)}
    pq.write_table(pa.table(columns), path, row_group_size=3)


ROOT = CARD.replace(
    format="root",
    tree="tree",
    momentum={name: f"part_{name}" for name in ("px", "py", "pz", "energy")},
    label=("label_QCD", "label_Tbqq | label_Hbb"),
    selection="jet_pt > 1",
)
NPY = CARD.replace(
    format="npy", layout="padded", momentum={name: f"array:{i}" for i, name in enumerate(("px", "py", "pz", "energy"))}
)


def one_array(path: Path) -> None:
    np.save(path, JETS.padded(JETS.momentum, 12))


Case = tuple[str, Callable[[Path], object], str, ConstituentCard | None]
CASES: dict[str, Case] = {
    "top-tagging": ("a.h5", lambda path: top_tagging(path, JETS), "top-tagging", None),
    "jetclass": ("a.root", lambda path: jetclass(path, JETS), "jetclass", None),
    "energyflow": ("a.npz", lambda path: energyflow(path, JETS), "energyflow", None),
    "energyflow-stored": ("a.npz", lambda path: energyflow(path, JETS, compressed=False), "energyflow", None),
    "jetnet": ("t.hdf5", lambda path: jetnet(path, JETS), "jetnet", None),
    "parquet": ("a.parquet", lists, "constituents", CARD),
    "root-card": ("a.root", lambda path: jetclass(path, JETS), "constituents", ROOT),
    "npy": ("a.npy", one_array, "constituents", NPY),
}


def fuzz(name: str, folder: Path, examples: int) -> None:
    file, write, format, card = CASES[name]
    path = folder / file
    write(path)
    content = path.read_bytes()

    @settings(max_examples=examples)
    @given(damaged(content))
    def run(changed: bytes) -> None:
        survives(path, changed, format, card)

    run()


@pytest.mark.parametrize("name", CASES)
def test_a_little_damage(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, 60)


@pytest.mark.soak
@pytest.mark.parametrize("name", CASES)
def test_much_damage(name: str, tmp_path: Path) -> None:
    fuzz(name, tmp_path, 500)


@given(st.lists(st.tuples(st.integers(0, 95), st.floats(width=32)), min_size=1, max_size=5))
def test_any_numbers_in_a_sound_file(tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, float]]) -> None:
    def put(values: np.ndarray) -> np.ndarray:
        for place, value in changes:
            values[place % len(values), place % values.shape[1]] = value
        return values

    path = tmp_path_factory.mktemp("numbers") / "a.h5"
    top_tagging(path, JETS, floats=put)
    survives(path, path.read_bytes(), "top-tagging")
