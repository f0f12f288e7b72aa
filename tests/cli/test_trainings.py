"""Trainings that no shipped suite has at a small scale, from the command line to the results."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.program import command, wait
from formats.files import jetclass, particles, top_tagging
from ruamel.yaml import YAML

from jetbench.jets import Jets, open_jets, save_jets
from jetbench.tracking.ledger import Ledger

SUPERVISED, SIMCLR = 320, 512  # passes of the recipes of the small suite
ARMS = "arms={scratch: {model: resnet15, regime: scratch}, simclr: {model: resnet15, regime: simclr}, %s}"
POOL_JETS = 150
SCALE = Path(__file__).parents[2] / "benchmarks" / "pretraining-scale.yaml"


@dataclass(frozen=True)
class Finished:
    """A finished suite: its store, and the rows of its results."""

    store: Path
    rows: list[dict[str, Any]]

    def values(self, metric: str, **of: Any) -> dict[str, list[float]]:
        """The values of a metric by arm, in the order of budgets and seeds."""
        found: dict[str, list[float]] = {}
        for row in self.rows:
            if row["metric"] == metric and all(row[name] == value for name, value in of.items()):
                found.setdefault(row["arm"], []).append(row["value"])
        return found

    def runs(self) -> dict[str, tuple[dict[str, Any], dict[str, float]]]:
        """What every run was told and what it says of itself, by key."""
        ledger = Ledger(self.store / "work")
        keys = [json.loads(path.read_text())["key"] for path in ledger.work.glob("*/done.json")]
        return {k: (YAML(typ="safe").load(ledger.folder(k) / "spec.yaml"), ledger.metrics(k)) for k in keys}


def run(folder: Path, suite: Path, *options: str | Path, seconds: float) -> Finished:
    process = command("run", "--suite", suite, *options, cwd=folder)
    output = wait(process, seconds)
    assert process.returncode == 0, output
    assert "Traceback" not in output
    rows = json.loads(wait(command("results", suite.stem, "--format", "json", cwd=folder), 60))
    return Finished(folder / "mlruns", rows)


@pytest.fixture(scope="module")
def pool_file(tmp_path_factory: pytest.TempPathFactory, pronged_jets: Callable[[int, int], Jets]) -> Path:
    """Unlabelled jets of elsewhere: three kinds of them, and nobody knows which is which."""
    jets = pronged_jets(POOL_JETS, 3)
    path = tmp_path_factory.mktemp("pool") / "pool.h5"
    save_jets(path, [replace(jets, targets={name: column for name, column in jets.targets.items() if name != "label"})])
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, toy_file: Path, pool_file: Path, suite_text: str) -> Finished:
    """Scratch, SimCLR on a foreign pool, and scratch with the passes of both."""
    folder = tmp_path_factory.mktemp("trainings")
    suite = folder / "mini.yaml"
    suite.write_text(suite_text.format(dataset=toy_file))
    arms = ARMS % "scratch-long: {model: resnet15, regime: scratch-long}"
    return run(folder, suite, "--unlabelled", pool_file, "--set", arms, "--set", "labels=[50]", seconds=300)


@pytest.mark.slow
def test_a_foreign_pool_is_what_the_encoder_sees(finished: Finished, pool_file: Path) -> None:
    runs = finished.runs()
    pretrained = {key for key, (spec, _) in runs.items() if spec.get("unlabelled")}
    assert len(pretrained) == 2 + 1  # one for each seed, and one for all trials
    for spec, metrics in map(runs.get, pretrained):
        assert spec["unlabelled"]["sha256"] == open_jets(pool_file).digest
        assert spec["objective"]["name"] == "simclr"
        assert metrics["train/jets"] == POOL_JETS  # the dataset's own pool would have 300
        assert (metrics["cost/unlabelled_passes"], metrics["cost/labelled_passes"]) == (SIMCLR, 0)
    assert {spec["start"] for spec, _ in runs.values() if spec.get("start")} == pretrained
    areas = finished.values("test/auc")
    assert len(areas["simclr"]) == 2
    assert areas["simclr"] != areas["scratch"]


@pytest.mark.slow
def test_the_long_training_has_the_passes_of_both_stages(finished: Finished) -> None:
    passes = finished.values("cost/labelled_passes")
    assert passes["scratch"] == passes["simclr"] == [SUPERVISED] * 2
    assert passes["scratch-long"] == [SUPERVISED + SIMCLR] * 2
    assert finished.values("cost/unlabelled_passes")["scratch-long"] == [0, 0]
    areas = finished.values("test/auc")
    assert areas["scratch-long"] != areas["scratch"]
    assert np.mean(areas["scratch-long"]) > 0.5


@pytest.mark.slow
def test_top_tagging_jets_are_fine_tuned_on_after_jetclass_ones(tmp_path: Path) -> None:
    """The documented way from published files to the exponent; the pool is left with the channels that the target has."""
    jetclass(tmp_path / "jets.root", particles(300, seed=1))
    top_tagging(tmp_path / "table.h5", particles(600))
    for source, *options in (("jets.root", "--channels", "pt,energy", "-o", "jc.h5"), ("table.h5", "-o", "tt.h5")):
        process = command("data", "convert", source, *options, cwd=tmp_path)
        output = wait(process, 120)
        assert process.returncode == 0, output
    pool, target = (open_jets(tmp_path / name) for name in ("jc.h5", "tt.h5"))
    assert (len(pool), len(target)) == (300, 600)
    found = run(tmp_path, SCALE, "--scale", "smoke", "--dataset", "tt.h5", "--unlabelled", "jc.h5", seconds=500)
    seen = {}
    for spec, metrics in found.runs().values():
        if spec["objective"]["name"] == "simclr":
            assert spec["unlabelled"]["sha256"] == pool.digest
            seen[metrics["train/jets"]] = seen.get(metrics["train/jets"], 0) + 1
        else:
            assert spec["dataset"]["sha256"] == target.digest
    assert seen == {100: 2, 200: 2, 300: 2}
    assert {len(found.values("test/auc")[arm]) for arm in ("scratch", "simclr-100", "simclr-200", "simclr")} == {2}
    (page,) = found.store.glob("reports/pretraining-scale.smoke.*/comparisons.json")
    told = json.loads(page.read_text())
    assert not told["missing"]
    (curve,) = told["pool_sizes"]
    assert list(curve["arms"]) == ["100", "200", "300"]
    exponent = curve["law"]["exponent"]
    assert exponent["n"] == 2
    assert exponent["low"] < exponent["mean"] < exponent["high"]
    assert exponent["test_error"] > 0
