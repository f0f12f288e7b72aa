"""What every simulator promises: a recipe, the metadata of its jets, and chunks that depend on nothing but the recipe."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jetbench.simulation
from jetbench.data.catalog import datasets
from jetbench.jets import Jets
from jetbench.simulation.chunks import plan
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.simulation.simulators import Simulator, simulate_chunk, simulators

GOLDEN = Path(__file__).with_name("golden.json")
SMALL = 10  # jets of a chunk


@pytest.fixture(params=list(simulators), ids=lambda simulator: simulator.name)
def simulator(request: pytest.FixtureRequest) -> Simulator:
    return request.param


@pytest.fixture
def recipe(simulator: Simulator) -> SimulationRecipe:
    kind = simulator.load()
    return kind(jets=SMALL * len(kind.class_names), seed=11)


def recipes_in_the_package() -> set[type[SimulationRecipe]]:
    """All recipes that can be made, wherever they are defined."""
    found: set[Any] = set()
    for module in pkgutil.walk_packages(jetbench.simulation.__path__, "jetbench.simulation."):
        members = vars(importlib.import_module(module.name)).values()
        found |= {m for m in members if inspect.isclass(m) and issubclass(m, SimulationRecipe) and not inspect.isabstract(m)}
    return found


def test_every_recipe_has_its_row_and_there_is_one_table() -> None:
    assert {simulator.load() for simulator in simulators} == recipes_in_the_package()
    assert datasets is simulators


def test_a_chunk_is_as_it_was(recipe: SimulationRecipe) -> None:
    golden = json.loads(GOLDEN.read_text())
    jets = simulate_chunk(plan(recipe)[-1])
    key, found = " ".join([f"{recipe.name}@{recipe.revision}", jets.meta.provenance.version]).strip(), jet_by_jet(jets)
    assert key in golden, f"a new revision or generator: add {json.dumps({key: found})} to {GOLDEN.name}"
    for name, expected in golden[key].items():
        # another processor may round otherwise
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-5, err_msg=f"{key}: {name}; raise the revision")


def jet_by_jet(jets: Jets) -> dict[str, list[float]]:
    """Deposits and events of each jet, and its sum of each column's absolute values to six digits."""
    sums = {"deposits": np.diff(jets.offsets), "event": jets.event % 2**24}
    for name, column in jets.columns():
        rows = np.abs(np.asarray(column, np.float64).reshape(len(column), -1)).sum(axis=1)
        if name != "event":
            sums[name] = rows if len(rows) == len(jets) else np.add.reduceat(rows, jets.offsets[:-1])
    return {name: [float(f"{number:.6g}") for number in numbers] for name, numbers in sums.items()}


def test_the_whole_table_costs_nothing_to_read() -> None:
    code = "import sys, jetbench.data.catalog; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pythia8mc", "fastjet", "awkward", "scipy", "torch", "h5py"} & set(loaded)
