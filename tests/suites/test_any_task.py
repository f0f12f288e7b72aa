"""A suite from plan to report where masses are predicted, by networks on images and on constituents and by trees."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, save_jets
from jetbench.report.collect import collect
from jetbench.report.sentences import answer
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

ARMS = """
    sets: {{model: deep-sets, regime: scratch}}
    class-prior: {{model: class-prior, regime: fit}}
    mass-likelihood: {{model: mass-likelihood, regime: fit}}
"""
CHANGES = (
    "task={name: regression, options: {target: gen_mass}}",
    "labels=[100]",
    "seeds=1",
    "primary.arm=boosted-trees",
    "recipes.supervised.learning_rate=0.01",
    "model_options.boosted-trees.trees=20",
)


@pytest.fixture
def plan(suite_text: str, toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Jets without classes, whose mass rises with their momentum."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    label = np.asarray(toy_jets.targets["label"])
    masses = (80 + 90 * label + 5 * np.random.default_rng(1).standard_normal(len(label))).astype(np.float32)
    meta = toy_jets.meta.replace(class_names=())
    save_jets(tmp_path / "jets.h5", [replace(toy_jets, meta=meta, targets={"gen_mass": masses})])
    text = suite_text.replace("\n  recipes:", f"{ARMS}  recipes:", 1).format(dataset=tmp_path / "jets.h5")
    (tmp_path / "mini.yaml").write_text(text)
    return make_plan(instantiate(find_suite(str(tmp_path / "mini.yaml")), overrides=CHANGES))


def test_a_suite_predicts_masses(plan: Plan, tmp_path: Path) -> None:
    assert dict(plan.skipped) == {
        f"arm {name}": f"the model {name!r} does classification, not regression" for name in ("class-prior", "mass-likelihood")
    }
    store = Store(tmp_path)
    store.work.mkdir()
    told = execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda: prepare(plan, 2, lambda *seen: None))
    events = [event for event in told if event.kind != "tick"]
    assert Counter(event.kind for event in events) == {"done": len(plan.runs), "winner": 4}, [e.text for e in events]

    results = collect(plan, store)
    assert not results.missing
    for arm in plan.arms:
        rows, truth, predictions = read_scores(results.ledger.folder(plan.cells[CellKey(arm, 100, 0)]) / "scores.h5")
        metrics = results.cells[CellKey(arm, 100, 0)]
        assert predictions.shape == truth.shape == rows.shape == (100,)
        assert metrics["test/rmse"] == pytest.approx(np.sqrt(np.mean((predictions - truth) ** 2)))
        assert metrics["val/rmse"] > 0
    trials = [results.metrics(key) for keys in results.trials.values() for key in keys]
    assert len(trials) == 8
    assert all({"val/rmse", "val/rmse_se", "val/loss"} <= set(one) and "test/rmse" not in one for one in trials)
    assert {cell.arm for cell in plan.tuned} == {"scratch", "simclr", "boosted-trees", "sets"}
    assert set(results.winners) == set(plan.studies)
    assert results.comparisons["boosted-trees", 100].difference < 0
    assert results.cells[CellKey("boosted-trees", 100, 0)]["test/rmse"] < 30
    assert "RMSE" in answer(results)
