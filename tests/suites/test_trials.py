"""What came of a study's trials, and what they have cost, as the folders of their runs tell it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from run_folders import note_epochs, write_run

from jetbench.suites.replay import open_round
from jetbench.suites.study_planning import StudyPlan
from jetbench.suites.trials import _Account, searchings
from jetbench.tracking.ledger import Ledger

PlanOf = Callable[..., StudyPlan]

ONE_ARM = ("arms.simclr=null", "sampler=random", "seeds=1")


@pytest.mark.parametrize("sealed", [False, True])
def test_a_trial_loses_by_a_failure_and_never_by_what_test_jets_alone_say(
    plan_of_study: PlanOf, tmp_path: Path, sealed: bool
) -> None:
    plan, ledger = plan_of_study(*ONE_ARM, "trials=4"), Ledger(tmp_path)
    (digest,) = plan.studies
    for number, values in open_round(plan.studies[digest], {}).items():
        ((run,),) = plan.trial(digest, values)
        if number == 1:
            note_epochs(ledger, run, [0.1, 0.1, 0.1])
            ledger.fail(run.key, "scores are not finite", "", sealed=sealed)
        else:
            write_run(ledger, run)
    (search,) = searchings(plan, ledger)
    if sealed:
        assert ([trial.state for trial in search.trials], search.winner) == (["open"] * 4, None)
    else:
        assert [trial.state for trial in search.trials] == ["complete", "failed", "complete", "complete"]
        assert search.winner == 0


def test_a_run_that_goes_on_after_its_trial_was_stopped_costs_the_rest(plan_of_study: PlanOf, tmp_path: Path) -> None:
    """Trials of equal values share a run. Where the limits of a later round let it go on, the later one has cost the rest."""
    plan, ledger = plan_of_study(*ONE_ARM), Ledger(tmp_path)
    run = next(iter(plan.runs.values()))
    write_run(ledger, run)
    account = _Account(ledger)
    passes = [account.book(run, stopped)["cost/labelled_passes"] for stopped in (64, 64, None, 128, None)]
    assert passes == [64, 0, 128, 0, 0]
