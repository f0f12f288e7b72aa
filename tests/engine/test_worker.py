"""How a child's end is judged, by its exit status and the folder of its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import note_epochs

from jetbench.engine.child import FAILURE, PRUNED
from jetbench.engine.worker import Outcome, _outcome
from jetbench.runs.job import Job
from jetbench.suites.graph import PlannedRun
from jetbench.suites.study_planning import StudyPlan
from jetbench.tracking.ledger import Ledger


@pytest.fixture
def run(plan_of_study: Callable[..., StudyPlan]) -> PlannedRun:
    """A training of 192 passes in three epochs."""
    return next(iter(plan_of_study("arms.simclr=null", "seeds=1").runs.values()))


def outcome(run: PlannedRun, store: Path, status: int) -> Outcome:
    return _outcome(Ledger(store / "work"), Job(run.key, "mini", run.spec, store, store, None, None), status, 0.0)


@pytest.mark.parametrize(("reopened", "expected"), [(False, "pruned"), (True, "busy")])
def test_a_pruned_run_that_another_process_goes_on_with_is_busy(
    run: PlannedRun, tmp_path: Path, reopened: bool, expected: str
) -> None:
    ledger = Ledger(tmp_path / "work")
    note_epochs(ledger, run, [0.5])
    ledger.prune(run.key, 1, {})
    if reopened:
        ledger.reopen(run.key)
    assert outcome(run, tmp_path, PRUNED).status == expected
    assert ledger.failure(run.key) is None


def test_what_stopped_a_run_earlier_is_not_how_its_child_has_ended(run: PlannedRun, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "work")
    note_epochs(ledger, run, [0.5])
    ledger.prune(run.key, 1, {})
    assert outcome(run, tmp_path, FAILURE).status == "failed"


def test_a_training_that_dies_without_a_word_has_cost_its_passes(run: PlannedRun, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "work")
    note_epochs(ledger, run, [0.5, 0.4])
    assert outcome(run, tmp_path, -9).status == "failed"
    assert ledger.costs(run.key)["cost/labelled_passes"] == 128
    assert not ledger.diverged(run.key)
