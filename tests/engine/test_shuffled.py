"""Shuffled labels teach nothing: an AUC of one half within its error, which is small enough to mean something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.engine import execute
from jetbench.engine.prepare import prepare
from jetbench.jets import Jets, save_jets
from jetbench.suites.plan import CellKey, Plan
from jetbench.suites.planning import make_plan
from jetbench.suites.suite import find_suite, instantiate
from jetbench.tracking.ledger import Ledger
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

SEEDS, TEST_JETS, LABELS = 30, 1000, 100
SUITE = """
suite: shuffled
question: Do labels that say nothing teach something?
common:
  dataset: {{name: {dataset}}}
  view: {{image: {{pixels: 8}}}}
  varies: [regime]
  primary: {{arm: shuffled, baseline: scratch}}
  model_options: {{resnet15: {{stages: 8-16, dropout: 0.0}}}}
  arms:
    scratch: {{model: resnet15, regime: scratch}}
    shuffled: {{model: resnet15, regime: shuffled-labels}}
  recipes: {{supervised: {{base: supervised-small, passes: 320, epochs: 2}}}}
scales:
  quick: {{test_jets: {test_jets}, labels: [{labels}], seeds: {seeds}}}
"""


def mixed_channels(jets: Jets) -> Jets:
    """The same jets, of which each shares its pT among the channels in its own way, whatever its class. On jets that differ in
    their prongs alone any score is a score of the class or its opposite, and the AUC of random labels is anything from 0 to 1."""
    rng = np.random.default_rng(3)
    shares = rng.dirichlet([0.2] * 3, len(jets)).cumsum(axis=1)
    jet = np.repeat(np.arange(len(jets)), np.diff(jets.offsets))
    channel = (rng.random(len(jet))[:, None] > shares[jet, :2]).sum(axis=1)
    return replace(jets, values=np.eye(3, dtype=np.float32)[channel] * jets.values.sum(axis=1, keepdims=True))


def areas(plan: Plan, root: Path, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Test AUCs (seeds,) of an arm and their DeLong errors."""
    ledger = Ledger(root / "work")
    metrics = [ledger.tested(plan.cells[CellKey(arm, LABELS, seed)]) for seed in range(SEEDS)]
    return np.array([m["test/auc"] for m in metrics]), np.array([m["test/auc_se"] for m in metrics])


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(
    tmp_path: Path, pronged_jets: Callable[[int, int], Jets], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JETBENCH_CACHE", str(tmp_path / "cache"))
    jets, suite = tmp_path / "jets.h5", tmp_path / "shuffled.yaml"
    save_jets(jets, [mixed_channels(pronged_jets(TEST_JETS + LABELS, 2))])
    suite.write_text(SUITE.format(dataset=jets, test_jets=TEST_JETS, labels=LABELS, seeds=SEEDS))
    plan = make_plan(instantiate(find_suite(str(suite))))
    (tmp_path / "work").mkdir()
    prepared = prepare(plan, 2, lambda *told: None)
    events = list(execute(plan, Store(tmp_path), MemoryTracker(), lambda: [None] * 2, lambda _: prepared))
    assert not [event for event in events if event.kind == "failed"]

    found, errors = areas(plan, tmp_path, "shuffled")
    # the error of the seeds shrinks with their number, that of the test jets does not: they are the same for all
    error = np.hypot(found.std(ddof=1) / SEEDS**0.5, np.sqrt(np.mean(errors**2)))
    assert abs(found.mean() - 0.5) < 3 * error
    true, _ = areas(plan, tmp_path, "scratch")
    assert true.mean() - 0.5 > 6 * error  # what true labels teach would not pass
