"""`jetbench model export` and `register`: a file with its card, a version of a model, or one error and nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jetbench.cli import main
from jetbench.report.collect import collect
from jetbench.report.exporting import card_path
from jetbench.report.rejections import UNRESOLVED
from jetbench.report.words import mean_limits, number
from jetbench.tracking import backend
from jetbench.tracking.mlflow_tracker import MlflowTracker
from jetbench.tracking.store import Store

Make = Callable[..., Any]


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_a_run_is_exported_with_its_card(toys_of: Make, tmp_path: Path) -> None:
    toys = toys_of()
    for seed in (0, 1):
        toys.run("sets", seed=seed)
    path = tmp_path / "tagger.pt2"
    done = call("model", "export", "sets/n60/s0", "--format", "pt2", "-o", path, "--store", toys.store)
    assert done.exit_code == 0, done.output
    assert "inputs constituents, mask; checked on 240 jets, largest difference" in done.output
    card = (tmp_path / "tagger.pt2.md").read_text()
    for part in (
        "# sets/n60/s0\n",
        "the probability of 'top' against 'qcd'",
        "- `outputs` (n, 2) float32: the logits of the classes in the order qcd, top",
        "`constituents` (n, 80, 8) float32",
        "`mask` (n, 80) bool",
        "The jet axis is the direction of the summed four-vector of all deposits",
        "`jets`, 240 jets, digest",
        "- source: toy",
        "1. `supervised` on 60 labels, a fifth of them to validate on: recipe `supervised-small`",
        "learning_rate 0.01",
        "batch_size 32",
        "| metric | this run | mean of 2 seeds |",
        "| auc | ",
        "largest difference to the network is",
    ):
        assert part in card, part
    results = collect(toys.plan, Store(toys.store))
    mean = results.mean("sets", 60)
    assert mean is not None
    assert mean.high is not None
    assert mean.high > 1  # of two seeds, Student's interval knows no limits
    shown = f"{number(results.metric, mean.mean)} {mean_limits(results.metric, mean)}"
    assert re.search(rf"^\| auc \| \S+ ± \S+ \| {re.escape(shown)} \|$", card, re.MULTILINE)
    assert re.search(r"^\| accuracy \| [\d.]+ \| [\d.]+ \|$", card, re.MULTILINE)  # the report has no interval of it
    assert card_path(path) == tmp_path / "tagger.pt2.md" != card_path(path.with_suffix(".onnx"))
    assert f"card: {card_path(path)}" in done.output
    assert re.search(r"^\| background_rejection_30 \| >\d+ \(\d left\) \| >\d+ \(\d left\) \|$", card, re.MULTILINE)
    assert UNRESOLVED in card
    again = call("model", "export", "sets/n60/s0", "--format", "pt2", "-o", path, "--store", toys.store)
    assert again.exit_code == 1
    assert "is there already; name another output, or remove it" in again.output


@pytest.mark.parametrize(
    ("run", "more", "message"),
    [
        ("sets/n60", (), "'sets/n60' has 2 networks; name one of them: sets/n60/s0, sets/n60/s1"),
        ("boosted-trees/n60/s0", (), "is fitted to a table of observables"),
        ("sets/n60/s0", ("--check", "nothing.h5"), "nothing.h5: there is no such file"),
        ("nothing", (), "or key 'nothing'"),
    ],
)
def test_nothing_is_left_by_an_error(toys_of: Make, tmp_path: Path, run: str, more: tuple[str, ...], message: str) -> None:
    toys = toys_of()
    toys.run("boosted-trees")
    for seed in (0, 1):
        toys.run("sets", seed=seed)
    done = call("model", "export", run, "--format", "pt2", "-o", tmp_path / "x.pt2", "--store", toys.store, *more)
    assert done.exit_code == 1
    assert message in done.output
    assert not list(tmp_path.iterdir())


def test_a_registered_model_predicts_alike_in_a_fresh_process(toys_of: Make, tmp_path: Path) -> None:
    """By its alias, through MLflow alone; the same runs make no second version, others move the alias."""
    toys = toys_of()
    for seed in (0, 1):
        toys.run("boosted-trees", seed=seed)
    first = call("model", "register", "boosted-trees/n60/s0", "trees", "--alias", "best", "--store", toys.store)
    assert first.exit_code == 0, first.output
    assert "trees: version 1 is new; alias best; in sqlite:///" in first.output
    assert "models:/trees@best" in first.output
    again = call("model", "register", "boosted-trees/n60/s0", "trees", "--store", toys.store)
    assert "trees: version 1 was there already, with the same weights; in sqlite:///" in again.output
    both = call("model", "register", "boosted-trees/n60", "trees", "--alias", "best", "--store", toys.store)
    assert "trees: version 2 is new; alias best; in " in both.output
    code = f"""
import sys, mlflow, numpy
model = mlflow.pyfunc.load_model("models:/trees@best")
numpy.save(sys.argv[1], model.predict({str(toys.folder / "jets.h5")!r}))
"""
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{toys.store / 'mlflow.db'}"}
    ran = subprocess.run([sys.executable, "-c", code, tmp_path / "p.npy"], cwd=tmp_path, env=environment, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), toys.ensemble("boosted-trees", 0, 1).predict(toys.jets))


def test_a_model_outlives_the_suite_that_it_comes_from(toys_of: Make) -> None:
    """In a suite of its own, which no other test needs."""
    toys = toys_of(2, "labels=[80]")
    folder = toys.run("boosted-trees")
    MlflowTracker(Store(toys.store), toys.plan.instance.name).connect()
    assert call("model", "register", "boosted-trees/n80/s0", "trees", "--alias", "best", "--store", toys.store).exit_code == 0
    assert call("store", "gc", toys.plan.instance.name, "--store", toys.store).exit_code == 0
    assert not folder.exists()
    version = backend.client(Store(toys.store).uri).get_model_version_by_alias("trees", "best")
    assert (Path(version.source.removeprefix("file://")) / "MLmodel").is_file()


@pytest.mark.parametrize(
    ("run", "name", "more", "message"),
    [
        ("boosted-trees/n60/s0", "tr/ees", (), "'tr/ees' is no name for a model"),
        ("boosted-trees/n60/s0", "trees", ("--alias", "a.b"), "'a.b' is no alias: letters, digits, '-' and '_' make one"),
        ("boosted-trees/n60/s0", "trees", ("--alias", "v1"), "MLflow keeps the alias 'v1' for itself"),
        ("boosted-trees/n60/s0", "trees", ("--alias", "Latest"), "MLflow keeps the alias 'Latest' for itself"),
        ("pretraining", "encoder", (), "a run of resnet15 without labels predicts nothing"),
    ],
)
def test_what_cannot_be_registered_says_why(toys_of: Make, run: str, name: str, more: tuple[str, ...], message: str) -> None:
    toys = toys_of()
    toys.run("boosted-trees")
    key = toys.run("simclr", "pretrain").name if run == "pretraining" else run
    done = call("model", "register", key, name, *more, "--store", toys.store)
    assert done.exit_code == 1
    assert message in done.output
    assert "later" not in done.output  # nothing ships it
