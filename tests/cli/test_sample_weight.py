"""Weights of jets, from the command line to the numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli.program import command, wait
from ruamel.yaml import YAML

from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, save_jets
from jetbench.tracking.ledger import Ledger

SETTINGS = (
    "labels=[60]",
    "seeds=1",
    "tuning=null",
    "model_options.boosted-trees.trees=20",
    "recipes.supervised={base: supervised-small, passes: 640, epochs: 1, learning_rate: 0.01}",
    "varies=[model, regime]",
    "primary={arm: mixup, baseline: scratch}",
    "arms={simclr: null, mixup: {model: resnet15, regime: mixup}, prior: {model: class-prior, regime: fit}}",
)
SET = [part for text in SETTINGS for part in ("--set", text)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets, suite_text: str) -> Path:
    """Toy jets, of which the first class has nine tenths of the weight."""
    folder = tmp_path_factory.mktemp("weights")
    weight = np.where(np.asarray(toy_jets.targets["label"]) == 0, 9.0, 1.0).astype(np.float32)
    save_jets(folder / "jets.h5", [replace(toy_jets, targets={**toy_jets.targets, "weight": weight})])
    (folder / "mini.yaml").write_text(suite_text.format(dataset=folder / "jets.h5"))
    return folder


def jetbench(folder: Path, *arguments: str) -> str:
    process = command(*arguments, cwd=folder)
    output = wait(process, 300)
    assert process.returncode == 0, output
    return output


def test_a_suite_with_weights_says_so_and_every_arm_follows_them(folder: Path) -> None:
    weighted = (*SET, "--set", "sample_weight=weight")
    told = "weighs the jets by 'weight' (sample_weight)"
    assert told in " ".join(jetbench(folder, "run", "--suite", "mini.yaml", *weighted, "--dry-run").split())
    assert told in " ".join(jetbench(folder, "run", "--suite", "mini.yaml", *weighted).split())
    pages = [path.read_text() for path in (folder / "mlruns").glob("**/report.html")]
    assert any("jets weighted by weight" in text for text in pages)
    assert any("The supervised loss of every arm weighs the jets by" in text for text in pages)
    found = _scores(folder)
    assert found["class-prior"] == pytest.approx(0.1, abs=0.01)
    assert max(found[arm] for arm in ("supervised", "mixup", "boosted-trees")) < 0.45  # classes are as frequent as each other


def _scores(folder: Path) -> dict[str, float]:
    """The mean score of the test jets by the fitted model or the objective of a run."""
    ledger, found = Ledger(folder / "mlruns" / "work"), {}
    for path in ledger.work.glob("*/done.json"):
        spec = YAML(typ="safe").load(path.parent / "spec.yaml")
        assert spec["sample_weight"] == "weight"
        model, objective = spec["model"]["name"], spec["objective"]["name"]
        found[objective if model == "resnet15" else model] = float(read_scores(path.parent / "scores.h5")[2].mean())
    return found
