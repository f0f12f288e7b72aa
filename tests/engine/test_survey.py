"""What state each run is in, as folders and locks tell it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from jetbench.engine.graph import graph_lines
from jetbench.engine.survey import Survey, survey, wanted_weights
from jetbench.files import file_lock, is_locked
from jetbench.suites.plan import CellKey, Plan, PlannedRun
from jetbench.tracking.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    (tmp_path / "work").mkdir()
    return Ledger(tmp_path / "work")


def finish(ledger: Ledger, key: str) -> None:
    """As a training does, with little in the files."""
    run = ledger.run(key)
    run.path.mkdir(exist_ok=True)
    run.weights.write_bytes(b"weights")
    run.metrics.write_text(json.dumps({"cost/seconds": 0.5}))
    np.save(run.losses, np.array([0.4, 0.6]))
    ledger.finish(key, [run.weights, run.metrics, run.losses])


def run_of(plan: Plan, kind: str, number: int = 0) -> PlannedRun:
    return [run for run in plan.runs.values() if run.kind == kind][number]


def test_every_state_is_told_and_nothing_is_changed(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of()
    trials, pretraining = [run for run in plan.runs.values() if run.kind == "trial"], run_of(plan, "pretrain")
    finish(ledger, pretraining.key)
    finish(ledger, trials[0].key)
    ledger.run(trials[0].key).weights.write_bytes(b"damaged")
    ledger.fail(trials[1].key, "the loss is not finite", "", {"cost/seconds": 1.0})
    ledger.fail(trials[2].key, "no memory", "")
    stopped = ledger.run(trials[3].key)
    stopped.path.mkdir()
    stopped.environment.write_text("{}")
    final = run_of(plan, "final")
    with file_lock(ledger.run(final.key).lock):
        states = survey(plan, ledger).states
    expected = {
        pretraining.key: "done",
        trials[0].key: "stale",
        trials[1].key: "diverged",
        trials[2].key: "failed",
        trials[3].key: "stopped",
        final.key: "running",
    }
    assert {key: states[key] for key in expected} == expected
    assert Counter(states.values())["planned"] == len(plan.runs) - len(expected)
    assert {path.name for path in ledger.work.iterdir()} == {key[:16] for key in expected}
    assert survey(plan, ledger).states[final.key] == "planned", "its owner has gone"


def test_a_look_at_a_lock_keeps_nobody_out(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    assert not path.exists()
    with file_lock(path):
        assert is_locked(path)
    assert not is_locked(path)
    with file_lock(path, wait=False) as mine:
        assert mine


def test_what_starts_from_a_failed_run_is_blocked(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of()
    pretraining = run_of(plan, "pretrain")
    ledger.fail(pretraining.key, "no memory", "")
    found = survey(plan, ledger)
    assert found.blocked == {key for key, run in plan.runs.items() if run.spec.start == pretraining.key}
    assert found.blocked


def test_weights_are_wanted_as_long_as_something_starts_from_them(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of("tuning=null")
    pretraining = run_of(plan, "pretrain")
    after = [key for key, run in plan.runs.items() if run.spec.start == pretraining.key]
    finish(ledger, pretraining.key)
    finish(ledger, after[0])
    assert pretraining.key in wanted_weights(survey(plan, ledger), ledger)
    ledger.reclaim(pretraining.key)
    assert ledger.done(pretraining.key)
    assert survey(plan, ledger).states[pretraining.key] == "stale", "the others have nothing to start from"
    for key in after[1:]:
        finish(ledger, key)
    found = survey(plan, ledger)
    assert pretraining.key not in wanted_weights(found, ledger)
    assert found.states[pretraining.key] == "done"


def test_trials_of_a_search_count_before_they_are_chosen(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of("seeds=1", "labels=[50]", "tuning.sampler=tpe", "tuning.trials=6", "tuning.factors=[0.1,10.0]")
    found = survey(plan, ledger)
    assert list(found.unknown.values()) == [2, 2, 2], "a round of four is asked for at once"
    assert {len(asked) for asked in found.asked.values()} == {4}
    for asked in found.asked.values():
        for key in asked:
            finish(ledger, key)
    found = survey(plan, ledger)
    assert not found.unknown
    assert {len(asked) for asked in found.asked.values()} == {6}


def test_a_cell_that_tunes_for_itself_is_what_its_study_is(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of("tuning.per=seed", "tuning.labels=each", "labels=[50]", "seeds=1")
    cell = CellKey("scratch", 50, 0)
    one, other = survey(plan, ledger).asked[plan.tuned[cell]]

    def state() -> str:
        return survey(plan, ledger).cell(cell)

    assert state() == "planned"
    finish(ledger, one)
    assert state() == "planned"
    ledger.fail(other, "no memory", "")
    assert state() == "failed"
    ledger.fail(other, "the loss is not finite", "", {})
    assert state() == "done"


def rows(found: Survey) -> list[list[str]]:
    return [line.split() for line in graph_lines(found)]


def test_the_graph_names_what_an_arm_starts_from(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of("labels=[50]")
    finish(ledger, run_of(plan, "pretrain").key)
    lines = rows(survey(plan, ledger))
    assert ["resnet15/simclr-pretraining", "1", "done,", "2", "planned"] in lines
    assert ["simclr", "50", "resnet15/simclr-pretraining", "2", "planned", "2", "planned"] in lines
    assert ["scratch", "50", "2", "planned", "2", "planned"] in lines


def test_hundreds_of_runs_take_a_line_per_arm_and_budget(plan_of: Callable[..., Plan], ledger: Ledger) -> None:
    plan = plan_of("seeds=40")
    assert len(plan.runs) > 240
    assert len(rows(survey(plan, ledger))) < 20
