"""`jetbench predict` and `jetbench.load` on a store that a suite has left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import jetbench
from jetbench.cli import main
from jetbench.errors import StoreError
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import save_jets
from jetbench.tracking.folder import RunFolder

Make = Callable[..., Any]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_an_arm_predicts_by_its_seeds_and_says_what_that_is(toys_of: Make, toy_jets: Any, tmp_path: Path) -> None:
    toys = toys_of()
    for seed in (0, 1):
        toys.run("boosted-trees", seed=seed)
    save_jets(tmp_path / "other.h5", [toy_jets[240:400]])
    done = call("predict", "boosted-trees/n60", tmp_path / "other.h5", "-o", tmp_path / "s.h5", "--store", toys.store)
    assert done.exit_code == 0, done.output
    assert "s.h5: 160 jets of other by boosted-trees/n60 of mini.quick" in done.output
    assert "the mean of the logits of 2 seeds" in done.output
    assert done.output.count("AUC 0.9") + done.output.count("AUC 1.0") == 2
    assert "note: left out, seed 2: not run yet" in done.output
    assert "note: each seed has 60 labels of its own" in done.output
    assert "the jets of the suite, some of which" not in done.output
    assert len(read_scores(tmp_path / "s.h5")[2]) == 160


def test_a_run_predicts_the_jets_of_its_suite_with_a_word_on_them(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of()
    toys.run("scratch")
    done = call("predict", "scratch/n60/s0", toys.folder / "jets.h5", "-o", tmp_path / "s.h5", "--store", toys.store)
    assert "note: these are the jets of the suite, some of which the runs were trained on" in done.output
    assert "seeds" not in done.output
    again = call("predict", "scratch/n60/s0", toys.folder / "jets.h5", "-o", tmp_path / "s.h5", "--store", toys.store)
    assert again.exit_code == 1
    assert "is there already; name another output, or remove it" in again.output


def test_a_run_predicts_the_jets_of_its_pool_with_a_word_on_them(toys_of: Make, toy_jets: Any, tmp_path: Path) -> None:
    toys = toys_of(2, "tuning=null", "seeds=1")
    pretraining = RunFolder(toys.run("simclr", "pretrain"))
    toys.run("simclr")
    digests = [save_jets(tmp_path / f"{name}.h5", [jets]) for name, jets in (("pool", toy_jets[240:300]), ("o", toy_jets[300:]))]
    told = pretraining.spec.read_text()
    assert "\nunlabelled: null\n" in told
    pretraining.spec.write_text(told.replace("\nunlabelled: null\n", f"\nunlabelled: {{name: pool, sha256: {digests[0]}}}\n"))
    done = {
        name: call("predict", "simclr/n60/s0", tmp_path / f"{name}.h5", "-o", tmp_path / f"s-{name}.h5", "--store", toys.store)
        for name in ("pool", "o")
    }
    assert [one.exit_code for one in done.values()] == [0, 0]
    assert "note: these are the jets of the pool, which the encoder was pretrained on" in done["pool"].output
    assert "of the pool" not in done["o"].output


def test_a_trial_that_has_not_won_says_nothing_of_the_jets_of_its_suite(toys_of: Make, toy_jets: Any, tmp_path: Path) -> None:
    toys = toys_of()
    key, jets = toys.run("sets", "trial", seed=-1).name, toys.folder / "jets.h5"
    refused = call("predict", key, jets, "-o", tmp_path / "s.h5", "--store", toys.store)
    assert refused.exit_code == 1
    assert "what it says of them stays sealed; predict other jets" in " ".join(refused.output.split())
    assert "AUC" not in refused.output
    assert not (tmp_path / "s.h5").exists()
    save_jets(tmp_path / "other.h5", [toy_jets[240:300]])
    done = call("predict", key, tmp_path / "other.h5", "-o", tmp_path / "s.h5", "--store", toys.store)
    assert done.exit_code == 0, done.output
    assert "AUC" in done.output
    assert "on the test jets of the suite" not in done.output


def test_a_run_is_loaded_by_its_name(toys_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    toys = toys_of()
    key = toys.run("scratch").name
    monkeypatch.setenv("JETBENCH_STORE", str(toys.store))
    loaded = jetbench.load("scratch/n60/s0")
    assert list(loaded.members) == ["scratch/n60/s0"]
    jets = toys.jets[:30]
    np.testing.assert_array_equal(loaded.predict(jets), toys.predictor("scratch").predict(jets))
    np.testing.assert_array_equal(jetbench.load(key, suite="mini").predict(jets), loaded.predict(jets))
    with pytest.raises(StoreError, match="or key 'nothing'"):
        jetbench.load("nothing")
    with pytest.raises(StoreError, match="no results of suite 'ssl-vs-scratch'"):
        jetbench.load("scratch", suite="ssl-vs-scratch")
