"""A run's folder predicts what the run has predicted, for every kind of model and task."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jetbench.errors import DataFileError, MissingPackageError, RunError
from jetbench.evaluation.artifacts import read_scores
from jetbench.inference import load_predictor
from jetbench.jets import selection
from jetbench.models import models
from jetbench.tracking.ledger import Ledger
from jetbench.views.inputs import Inputs

BCE = "task={name: classification, options: {loss: bce}}"
REGRESSION = "task={name: regression, options: {target: gen_sdmass}}"
Make = Callable[..., Any]
CASES = [
    *((classes, arm) for classes in (2, 4) for arm in ("scratch", "sets", "boosted-trees", "mass-likelihood")),
    (2, "scratch", BCE),
    (2, "scratch", "model_options.resnet15.head=ensemble"),
    *((2, arm, REGRESSION) for arm in ("scratch", "sets", "boosted-trees")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_a_run_predicts_its_test_jets_as_it_has_scored_them(toys_of: Make, case: tuple) -> None:
    classes, arm, *overrides = case
    toys = toys_of(classes, *overrides)
    folder = toys.run(arm)
    predictor = load_predictor(folder)
    rows, _, scores = read_scores(folder / "scores.h5")
    found = predictor.predict(toys.jets.take(rows))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, scores, rtol=1e-4 if predictor.network else 1e-6)


@pytest.mark.parametrize("arm", ["scratch", "sets", "boosted-trees"])
def test_jets_of_a_file_are_predicted_block_by_block(toys_of: Make, arm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    predictor = toys.predictor(arm)
    whole = predictor.predict(toys.jets.read())
    monkeypatch.setattr(selection, "BLOCK_JETS", 7)
    np.testing.assert_allclose(predictor.predict(toys.jets), whole, rtol=1e-4)


def test_the_inputs_are_what_the_model_sees(toys_of: Make) -> None:
    """The network maps them to the outputs that the task reads; a fitted model has its table."""
    toys = toys_of()
    jets = toys.jets[:20]
    for arm, shapes in {"scratch": [(20, 3, 8, 8)], "sets": [(20, 80, 8), (20, 80)], "boosted-trees": [(20, 12)]}.items():
        assert [tuple(tensor.shape) for tensor in toys.predictor(arm).inputs(jets)] == shapes
    predictor = toys.predictor("sets")
    constituents, mask = predictor.inputs(jets)
    outputs = predictor.network(Inputs({"constituents": constituents}, mask)).detach()
    np.testing.assert_allclose(predictor.task.predict(outputs), predictor.predict(jets), rtol=0.02)  # fp32 against bf16


def test_jets_without_deposits_are_predicted(toys_of: Make) -> None:
    toys = toys_of()
    jets = toys.jets[:3]
    empty = replace(jets, offsets=np.zeros(4, np.int64), eta=jets.eta[:0], phi=jets.phi[:0], values=jets.values[:0])
    for arm in ("scratch", "sets", "boosted-trees"):
        assert toys.predictor(arm).predict(empty).shape == (3,)
        with pytest.raises(DataFileError, match="there are no jets to predict"):
            toys.predictor(arm).predict(jets[:0])


def test_a_pretraining_has_an_encoder_and_predicts_nothing(toys_of: Make) -> None:
    toys = toys_of()
    predictor = load_predictor(toys.run("simclr", "pretrain"))
    assert predictor.network is not None
    assert not predictor.network.training
    with pytest.raises(RunError, match="a run of resnet15 without labels predicts nothing; name a run that starts from it"):
        predictor.predict(toys.jets)


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "run"))


@pytest.mark.parametrize(
    ("arm", "name"), [("scratch", "model.safetensors"), ("scratch", "bundle.json"), ("boosted-trees", "model.skops")]
)
def test_damaged_files_are_named(toys_of: Make, tmp_path: Path, arm: str, name: str) -> None:
    path = copied(toys_of().run(arm), tmp_path) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=f"{name}: is not what the run has written; train it again"):
        load_predictor(path.parent)
    path.unlink()
    with pytest.raises(DataFileError, match=f"{name}: cannot be read"):
        load_predictor(path.parent)


def test_runs_without_an_end_or_without_weights_are_told_apart(toys_of: Make, tmp_path: Path) -> None:
    folder = copied(toys_of().run("scratch"), tmp_path)
    key = json.loads((folder / "done.json").read_text())["key"]
    work = tmp_path / "work"
    work.mkdir()
    shutil.move(folder, Ledger(work).folder(key))
    Ledger(work).reclaim(key)
    with pytest.raises(DataFileError, match="its weights were removed to free the disk"):
        load_predictor(Ledger(work).folder(key))
    Ledger(work).declare_open(key)
    with pytest.raises(DataFileError, match="the run is not finished"):
        load_predictor(Ledger(work).folder(key))
    with pytest.raises(DataFileError, match="there is no such folder of a run"):
        load_predictor(tmp_path / "nothing")


def test_a_component_of_another_revision_computes_other_numbers(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    folder, later = toys.run("scratch"), replace(models["resnet15"], revision=9)
    monkeypatch.setitem(models._entries, "resnet15", later)
    with pytest.raises(
        DataFileError, match="trained with revision 2 of 'resnet15', and this version of jetbench computes revision 9"
    ):
        load_predictor(folder)


def test_a_model_of_an_extra_names_it(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    folder = toys.run("boosted-trees")
    monkeypatch.setitem(models._entries, "boosted-trees", replace(models["boosted-trees"], extra="no-such-package"))
    with pytest.raises(MissingPackageError, match=r"pip install 'jetbench\[no-such-package\]' installs it"):
        load_predictor(folder)
