"""A regression of fitted models alone from plan to verdict: trees are better than the mean of the class and below the formula."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.data.splits import split_jets
from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.report.collect import collect
from jetbench.report.results import Results
from jetbench.report.sentences import answer, remarks
from jetbench.report.warnings import warnings
from jetbench.statistics.comparison import Verdict
from jetbench.suites.plan import CellKey
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker
from jetbench.views.observables import simple_observables

SUITE = """
suite: masses
question: Do trees predict a mass better than the mean of the class?
common:
  dataset: {{name: {dataset}}}
  task: {{name: regression, options: {{target: gen_mass}}}}
  view: {{image: {{pixels: 32}}}}
  varies: [model]
  primary: {{arm: boosted-trees, baseline: class-mean}}
  recipes: {{}}
  model_options: {{boosted-trees: {{trees: 20}}}}
  arms:
    class-mean: {{model: class-mean, regime: fit}}
    analytic-mass: {{model: analytic-mass, regime: fit}}
    boosted-trees: {{model: boosted-trees, regime: fit}}
scales:
  quick: {{test_jets: 100, labels: [50], seeds: 5}}
"""


@pytest.fixture
def results(toy_jets: Jets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """The target is the mass of the jets, to 2 %."""
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    mass = simple_observables(toy_jets)[:, 0] * (1 + 0.02 * np.random.default_rng(1).normal(size=len(toy_jets)))
    jets = replace(toy_jets, targets={"label": toy_jets.targets["label"], "gen_mass": mass.astype(np.float32)})
    save_jets(tmp_path / "jets.h5", [jets])
    (tmp_path / "masses.yaml").write_text(SUITE.format(dataset=tmp_path / "jets.h5"))
    plan, store = make_plan(instantiate(find_suite(str(tmp_path / "masses.yaml")))), Store(tmp_path)
    store.work.mkdir()
    told = execute(plan, store, MemoryTracker(), lambda: [None] * 2, lambda crew: prepare(plan, 2, lambda *seen: None))
    assert {event.kind for event in told} <= {"tick", "done"}
    return collect(plan, store)


def test_a_verdict_in_gev_and_arms_below_a_floor(results: Results) -> None:
    found = results.comparisons["boosted-trees", 50]
    assert (found.verdict, found.seeds) == (Verdict.BETTER, 5)
    assert found.high is not None
    assert found.difference < found.high < 0
    assert answer(results).startswith("boosted-trees is better than class-mean at 50 labels: test RMSE ")
    assert found.margin == pytest.approx(0.03 * found.baseline.mean)
    below = results.clearings["boosted-trees", "analytic-mass", 50]
    assert below.difference > 0
    assert any("analytic-mass (below it " in warning for warning in warnings(results))
    assert any("analytic-mass has below it" in remark for remark in remarks(results))
    check_means(results)


def check_means(results: Results) -> None:
    """Each class has the mean of its training jets."""
    plan = results.plan
    jets = open_jets(plan.instance.find_dataset().path)
    label, mass = (np.asarray(jets.targets[name][:], np.float64) for name in ("label", "gen_mass"))
    for seed in range(5):
        split = split_jets(label.astype(int), jets.event[:], 100, 50, seed, plan.instance.dataset.sha256)
        rows, _, predicted = results.scores(CellKey("class-mean", 50, seed))
        for one in (0, 1):
            train = split.train[label[split.train] == one]
            assert predicted[label[rows] == one] == pytest.approx(mass[train].mean())
