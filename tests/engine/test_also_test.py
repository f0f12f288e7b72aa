"""A suite with a second test set, from plan to scores, for networks and fitted models alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from engine.small_suite import run, write_suite

from jetbench.evaluation.artifacts import read_scores
from jetbench.jets import Jets, save_jets
from jetbench.report.collect import collect
from jetbench.statistics.delong import auc, delong
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

CHANGES = ("labels=[50]", "seeds=1", "tuning=null", "view.image.channels=pt")
PRIOR = "arms.class-prior={model: class-prior, regime: fit}"


@dataclass(frozen=True)
class Scored:
    """A finished store, and what the tracker was told."""

    plan: Plan
    store: Store
    tracker: MemoryTracker


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, toy_jets: Jets, suite_text: str) -> Scored:
    """The second test set are the test jets themselves, as a detector would give them that knows pT alone."""
    folder = tmp_path_factory.mktemp("also")
    suite, jets = write_suite(folder, toy_jets, suite_text)
    other = Jets(**{**vars(jets), "meta": jets.meta.summed(), "values": jets.pt()[:, None]})
    save_jets(folder / "other.h5", [other])
    plan = make_plan(instantiate(suite, also_test=str(folder / "other.h5"), overrides=(*CHANGES, PRIOR)))
    made = Scored(plan, Store(folder / "store"), MemoryTracker())
    assert run(plan, made.store, made.tracker, folder / "cache") == {"done": 5}
    return made


@pytest.mark.parametrize("arm", ["scratch", "simclr", "boosted-trees", "class-prior"])
def test_equal_jets_have_equal_scores_on_both_test_sets(scored: Scored, arm: str) -> None:
    """Whatever shows, scales and predicts the one shows, scales and predicts the other."""
    key = scored.plan.cells[CellKey(arm, 50, 0)]
    folder = Ledger(scored.store.work).run(key)
    (_, truth, own), (rows, labels, there) = (read_scores(path) for path in (folder.scores, folder.also_scores("")))
    np.testing.assert_allclose(there, own, rtol=1e-5)
    assert rows.tolist() == list(range(100))
    assert labels.tolist() == truth.tolist()
    metrics = Ledger(scored.store.work).tested(key)
    assert metrics["also/auc"] == auc(labels, there)
    assert metrics["also/auc_se"] == pytest.approx(np.sqrt(delong(labels, there[None])[1][0, 0]))
    assert {name.removeprefix("test/") for name in metrics if name.startswith("test/")} == {
        name.removeprefix("also/") for name in metrics if name.startswith("also/")
    }


def test_only_the_last_runs_are_scored_and_their_scores_are_shipped(scored: Scored) -> None:
    ledger = Ledger(scored.store.work)
    final, pretrained = ({k for k, run in scored.plan.runs.items() if run.kind == kind} for kind in ("final", "pretrain"))
    assert all(ledger.run(key).also_scores("") in ledger.run(key).artifacts() for key in final)
    assert not any(ledger.run(key).also_scores("").exists() for key in pretrained)
    assert not any(ledger.tested(key) for key in pretrained)
    told = {name for key in final for name in json.loads(scored.tracker.artifacts[key]["test.json"])}
    assert {"also/auc", "also/auc_se", "also/accuracy"} <= told
    rows = collect(scored.plan, scored.store).tidy()
    assert {row["arm"] for row in rows if row["metric"] == "also/auc"} == {"scratch", "simclr", "boosted-trees", "class-prior"}


def test_a_run_whose_second_scores_are_lost_is_made_again(scored: Scored, tmp_path: Path) -> None:
    assert run(scored.plan, scored.store, scored.tracker, tmp_path) == {"skipped": 5}
    lost = Ledger(scored.store.work).run(scored.plan.cells[CellKey("boosted-trees", 50, 0)]).also_scores("")
    content = lost.read_bytes()
    lost.unlink()
    assert run(scored.plan, scored.store, MemoryTracker(), tmp_path) == {"skipped": 4, "done": 1}
    assert lost.read_bytes() == content
