"""A suite from plan to report where masses are predicted, by networks on images and on constituents and by trees."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.report.collect import collect
from jetbench.report.results import Results
from jetbench.report.sections import columns_of, contents_of
from jetbench.report.sentences import answer, remarks
from jetbench.report.table import print_table
from jetbench.report.warnings import warnings
from jetbench.statistics.comparison import Verdict
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.views.pixels_mass import PixelsMass

ARMS = """
    sets: {{model: deep-sets, regime: scratch}}
    class-prior: {{model: class-prior, regime: fit}}
    mass-likelihood: {{model: mass-likelihood, regime: fit}}
    analytic-mass: {{model: analytic-mass, regime: fit}}
    class-mean: {{model: class-mean, regime: fit}}
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
    told = execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda crew: prepare(plan, 2, lambda *seen: None))
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
    check_floors(plan, results, tmp_path / "jets.h5")
    assert {cell.arm for cell in plan.tuned} == {"scratch", "simclr", "boosted-trees", "sets"}
    assert set(results.winners) == set(plan.studies)
    assert results.comparisons["boosted-trees", 100].difference < 0
    assert results.cells[CellKey("boosted-trees", 100, 0)]["test/rmse"] < 30
    assert "RMSE" in answer(results)
    remark = next(text for text in remarks(results) if text.startswith("The floor analytic-mass"))
    assert "has below it" in remark or "is cleared by" in remark or "is not shown to be cleared by" in remark
    check_report(results)


def check_floors(plan: Plan, results: Results, file: Path) -> None:
    """One predicts the mass of the very pixels that images show, the other, without classes, the mean of its training jets."""
    cells, jets = {arm: CellKey(arm, 100, 0) for arm in ("analytic-mass", "class-mean", "scratch")}, open_jets(file).read()
    rows, truth, masses = results.scores(cells["analytic-mass"])
    pixels = dict(plan.runs[plan.cells[cells["analytic-mass"]]].spec.view.options)
    assert pixels == dict(plan.runs[plan.cells[cells["scratch"]]].spec.view.options) == {"pixels": 8, "extent": 0.8}
    np.testing.assert_array_equal(masses, PixelsMass.rows(jets.take(rows), tuple(pixels.items()))[:, 0])
    _, _, means = results.scores(cells["class-mean"])
    assert len(set(means.tolist())) == 1
    assert abs(means[0] - truth.mean()) < 20
    floors = {floor for _, floor, _ in results.clearings}
    assert floors == {"analytic-mass", "class-mean"}
    found = results.clearings["boosted-trees", "class-mean", 100]
    assert found.difference < 0
    assert found.verdict is not Verdict.WORSE


def check_report(results: Results) -> None:
    """The task's own sections are there, and their plots can be drawn."""
    contents = {content.anchor: content for content in contents_of(results)}
    names = [plot.name for anchor in ("prediction", "residuals", "bins") for plot in contents[anchor].plots]
    assert names == ["prediction_100", "residuals_100", "bins_100"]
    for anchor in ("prediction", "residuals", "bins"):
        (plot,) = contents[anchor].plots
        assert plot.digest()
        assert len(plot.draw(*plot.given).axes) >= 2
    (columns,) = columns_of(results)
    assert [column.heading for column in columns.columns] == [
        *("MAE [GeV]", "R²", "median bias [GeV]", "resolution [%]", "tails [%]")
    ]
    mae = results.cells[CellKey("boosted-trees", 100, 0)]["test/mae"]
    assert columns.columns[0].cells["boosted-trees", 100].text == f"{mae:.2f}"
    headings = re.findall(r"<th[^>]*>(.*?)</?(?:th|span)", contents["comparison"].body)
    assert headings[:5] == ["arm", "seeds", "test RMSE [GeV]", "MAE [GeV]", "RMSE minus scratch"]
    printed = io.StringIO()
    print_table(results, Console(file=printed, width=60))
    assert re.search(r"lower is better\s+MAE \[GeV\]\s+minus scratch", printed.getvalue())
    assert re.search(rf"boosted-trees.* {mae:.2f} ", printed.getvalue())
    assert any("contradicts the target 'gen_mass'" in text for text in warnings(results))
