"""The driver's books of a study: which ends of a run are outcomes of a trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import write_run

from jetbench.engine.books import Books
from jetbench.engine.worker import TOLD, Outcome
from jetbench.suites.graph import PlannedRun
from jetbench.suites.study_planning import StudyPlan
from jetbench.suites.trials import searchings
from jetbench.tracking.store import Store
from jetbench.tracking.tracker import MemoryTracker

STUDY = ("arms.simclr=null", "sampler=random", "seeds=1", "trials=8")


@pytest.fixture
def books(plan_of_study: Callable[..., StudyPlan], tmp_path: Path) -> Books:
    """Eight trials in two rounds, of which nothing has run."""
    store = Store(tmp_path / "store")
    store.work.mkdir(parents=True)
    found = Books(plan_of_study(*STUDY), store, MemoryTracker())
    list(found.open())
    return found


def first_round(books: Books, end: Callable[[PlannedRun], Outcome]) -> None:
    """End the first round with a second trial that has no result."""
    for number in range(4):
        run = books.schedule.pop()
        assert run is not None
        if number == 1:
            outcome = end(run)
        else:
            write_run(books.ledger, run)
            outcome = Outcome(run.key, "done", trained=True)
        list(books.book(run, outcome))


def failing(books: Books, *, sealed: bool) -> Callable[[PlannedRun], Outcome]:
    def end(run: PlannedRun) -> Outcome:
        books.ledger.run(run.key).path.mkdir(parents=True)
        books.ledger.fail(run.key, "it failed", "", sealed=sealed)
        return Outcome(run.key, "failed", reason="it failed")

    return end


def test_a_failed_trial_is_an_outcome_and_the_next_round_begins(books: Books) -> None:
    first_round(books, failing(books, sealed=False))
    assert len(books.schedule) == 4


def test_a_failure_of_test_jets_alone_is_none(books: Books) -> None:
    first_round(books, failing(books, sealed=True))
    assert len(books.schedule) == 0


def test_a_training_that_was_told_to_stop_is_none(books: Books) -> None:
    """It goes on later, from its checkpoint: whatever it comes to then is the trial's outcome."""
    first_round(books, lambda run: Outcome(run.key, "stopped", reason=TOLD))
    assert len(books.schedule) == 0
    (search,) = searchings(books.plan, books.ledger)
    assert {trial.state for trial in search.trials} == {"open"}
