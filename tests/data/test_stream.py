"""Jets on file instead of in memory: the same batches, and memory that the size of the file does not touch."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from jetbench.data import batch as module
from jetbench.data.batch import Batch, JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.jets.selection import deposit_bytes
from jetbench.tracking.journal import read

ROWS = np.random.default_rng(0).permutation(400)[:300]


def equal(a: Batch, b: Batch) -> bool:
    names = ("jet", "eta", "phi", "values", "jet_eta")
    return all(torch.equal(getattr(a, name), getattr(b, name)) for name in names) and all(
        torch.equal(column, b.targets[name]) for name, column in a.targets.items()
    )


@pytest.fixture
def cap(toy_jets: Jets) -> int:
    return int(deposit_bytes(toy_jets, ROWS).sum()) // 5


def test_batches_from_a_file_are_those_from_memory(toy_jets: Jets, toy_file: Path, cap: int) -> None:
    memory, stored = JetTensors(toy_jets), JetTensors(open_jets(toy_file))
    for buffer_bytes in (cap, 1 << 28):
        batches = Batches(stored, ROWS, 32, 1, buffer_bytes)
        for step in range(25):
            assert equal(batches.batch(step), memory.batch(batches.indices(step)))


def test_a_batch_asked_for_alone_is_the_same(toy_file: Path, cap: int) -> None:
    stored = JetTensors(open_jets(toy_file))
    straight = Batches(stored, ROWS, 32, 1, cap)
    steps = [straight.batch(step) for step in range(20)]
    for step in (19, 9, 3):
        assert equal(Batches(stored, ROWS, 32, 1, cap).batch(step), steps[step])


def test_no_more_than_a_buffer_is_held_and_each_is_read_once(toy_file: Path, cap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stored, held = JetTensors(open_jets(toy_file)), []
    hold = JetTensors.hold
    monkeypatch.setattr(JetTensors, "hold", lambda self, rows: held.append(rows) or hold(self, rows))
    batches = Batches(stored, ROWS, 32, 1, cap)
    for step in range(9):  # 288 of 300 jets
        batches.batch(step)
    assert all(deposit_bytes(stored.jets, rows).sum() <= cap for rows in held)
    assert np.array_equal(np.sort(np.concatenate(held)), np.sort(ROWS))


def test_labels_that_were_changed_in_memory_are_those_of_the_batches(toy_file: Path) -> None:
    stored = JetTensors(open_jets(toy_file))
    stored.targets["label"] = 1 - stored.targets["label"]
    before = JetTensors(open_jets(toy_file)).batch(torch.from_numpy(ROWS[:32])).targets["label"]
    assert torch.equal(stored.batch(torch.from_numpy(ROWS[:32])).targets["label"], 1 - before)


def test_a_sweep_meets_every_jet_once(toy_jets: Jets, toy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SWEEP_BYTES", 20_000)
    memory, stored = JetTensors(toy_jets), JetTensors(open_jets(toy_file))
    for jets in (memory, stored):
        places = []
        for place, part in jets.sweep(ROWS, 16):
            assert part.size <= 16
            assert equal(part, memory.batch(torch.from_numpy(ROWS[place])))
            places.append(place)
        assert np.array_equal(np.sort(np.concatenate(places)), np.arange(300))


ALLOWED, BUFFER = 64_000_000, 20_000_000  # bytes: a child may take so much once it has warmed up; deposits that it holds

CHILD = """
import resource, sys, threading
import numpy as np, torch
from pathlib import Path
from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.jets import open_jets
from jetbench.models.network import build_network
from jetbench.objectives.base import build_objective
from jetbench.spec import Component, Recipe, options
from jetbench.tasks import build_task
from jetbench.tracking.journal import Journal
from jetbench.training.bundle import fit_preprocessing
from jetbench.training.loop import fit
from jetbench.training.validation import validator

torch.set_num_threads(1)
path, folder, allowed, buffer_bytes, streams = Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:])

def train(jets, rows, name, passes):
    view = Component(name="image", options=options({"pixels": 12, "extent": 0.8}))
    fitted, task = fit_preprocessing(view, jets, rows[:100]).fitted, build_task(Component(name="classification"))
    network = build_network(Component(name="resnet15", options=options({"stages": "4-8"})), fitted.shapes, 2, 0)
    objective = build_objective(Component(name="supervised"), network, task, lambda batch, rng: fitted(batch), 0)
    recipe = Recipe(name="t", learning_rate=1e-3, passes=passes, batch_size=500)
    (folder / name).mkdir()
    validate = validator(network, fitted, task, jets, rows[:1000], "fp32")
    with Journal(folder / name / "metrics.jsonl") as journal:
        fit(recipe, network, objective, Batches(jets, rows, 500, 0, buffer_bytes), journal, folder / name,
            threading.Event(), seed=0, precision="fp32", validate=validate)

def in_use():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmData"))
    return 1024 * int(line.split()[1])

stored = open_jets(path)
train(JetTensors(stored), np.arange(1000), "warm-up", 1000)  # libraries take what they take
resource.setrlimit(resource.RLIMIT_DATA, (in_use() + allowed, -1))
train(JetTensors(stored if streams else stored.read()), np.arange(len(stored)), "training", len(stored))
"""


@pytest.fixture(scope="module")
def big_file(toy_jets: Jets, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """16 000 jets of 500 deposits: 160 MB in memory."""
    n, jet = 400, np.tile(np.arange(500), 400)
    values = np.zeros((500 * n, 3), np.float32)
    values[:, 0] = 1 + jet % 7
    eta, phi = (0.5 * np.sin(jet * k).astype(np.float32) for k in (1, 2))
    part = replace(toy_jets, offsets=500 * np.arange(n + 1), eta=eta, phi=phi, values=values)
    path = tmp_path_factory.mktemp("big") / "big.h5"
    save_jets(path, itertools.repeat(part, 40))
    return path


def run_child(path: Path, folder: Path, *, streams: bool) -> subprocess.CompletedProcess[str]:
    limits = [str(ALLOWED), str(BUFFER), str(int(streams))]
    command = [sys.executable, "-c", CHILD, str(path), str(folder), *limits]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_a_file_larger_than_the_allowed_memory_is_trained_on(big_file: Path, tmp_path: Path) -> None:
    done = run_child(big_file, tmp_path, streams=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(read(tmp_path / "training" / "metrics.jsonl")[0]) == 1


@pytest.mark.slow
def test_the_same_memory_is_too_little_for_the_whole_file(big_file: Path, tmp_path: Path) -> None:
    done = run_child(big_file, tmp_path, streams=False)
    assert done.returncode != 0
    assert "MemoryError" in done.stderr or "allocate memory" in done.stderr
