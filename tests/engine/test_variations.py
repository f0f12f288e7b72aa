"""A suite with several other test sets, from plan to scores: varied own jets are what a file of varied jets would be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from engine.small_suite import run, write_suite

from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, save_jets
from jetbench.jets.scaling import scaled
from jetbench.report.collect import collect
from jetbench.report.losses import loss_table
from jetbench.statistics.delong import auc
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

CHANGES = ("labels=[50]", "seeds=1", "tuning=null")
ARMS = ["scratch", "simclr", "boosted-trees"]


@dataclass(frozen=True)
class Scored:
    plan: Plan
    store: Store


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets, suite_text: str) -> Scored:
    """The own test jets by 1.1, once by the suite and once as a file that somebody has scaled; and one top in ten."""
    folder = tmp_path_factory.mktemp("variations")
    suite, own = write_suite(folder, toy_jets, suite_text)
    save_jets(folder / "scaled.h5", [scaled(own, 1.1)])
    tests = f"{{up: {{energy_scale: 1.1}}, file: {{name: {folder / 'scaled.h5'}}}, few: {{shares: {{top: 0.1, qcd: 0.9}}}}}}"
    plan, store = make_plan(instantiate(suite, overrides=(*CHANGES, f"also_test={tests}"))), Store(folder / "store")
    assert run(plan, store, MemoryTracker(), folder / "cache") == {"done": 4}
    return Scored(plan, store)


@pytest.mark.parametrize("arm", ARMS)
def test_scaled_own_jets_are_predicted_as_a_file_of_them_is(scored: Scored, arm: str) -> None:
    folder = Ledger(scored.store.work).run(scored.plan.cells[CellKey(arm, 50, 0)])
    (rows, truth, own), (up_rows, up_truth, up), (_, _, file) = (
        read_scores(path) for path in (folder.scores, folder.also_scores("up"), folder.also_scores("file"))
    )
    np.testing.assert_array_equal(up, file)
    np.testing.assert_array_equal(up_rows, rows)
    np.testing.assert_array_equal(up_truth, truth)
    if arm != "boosted-trees":  # which ask these jets for angles alone
        assert np.abs(up - own).max() > 1e-4


@pytest.mark.parametrize("arm", ARMS)
def test_thinned_own_jets_are_some_of_them(scored: Scored, arm: str) -> None:
    key = scored.plan.cells[CellKey(arm, 50, 0)]
    folder = Ledger(scored.store.work).run(key)
    (rows, truth, own), (some, labels, scores) = (read_scores(path) for path in (folder.scores, folder.also_scores("few")))
    place = np.searchsorted(rows, some)
    np.testing.assert_array_equal(rows[place], some)
    np.testing.assert_array_equal(scores, own[place])
    np.testing.assert_array_equal(labels, truth[place])
    assert Counter(labels.tolist()) == {0: 50, 1: 5}  # of 50 tops and 50 others
    assert Ledger(scored.store.work).tested(key)["also/few/auc"] == auc(labels, scores)


def test_which_tops_are_left_is_the_same_for_all_runs(scored: Scored) -> None:
    ledger = Ledger(scored.store.work)
    left = [read_scores(ledger.run(scored.plan.cells[CellKey(arm, 50, 0)]).also_scores("few"))[0].tolist() for arm in ARMS]
    assert left[0] == left[1] == left[2]


def test_losses_are_those_of_the_metrics(scored: Scored) -> None:
    results = collect(scored.plan, scored.store)
    losses = loss_table(results).losses
    assert set(losses) == {(arm, 50, name) for arm in ARMS for name in ("up", "file", "few")}
    for (arm, labels, name), loss in losses.items():
        metrics = results.cells[CellKey(arm, labels, 0)]
        assert loss.mean == pytest.approx(metrics["test/auc"] - metrics[f"also/{name}/auc"])
