"""The best so far against what had been spent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from jetbench.report.study.fronts import hypervolume, unit_box
from jetbench.report.study.history import history
from jetbench.report.study.ranking import losses
from jetbench.report.study.spent import spent, states_text
from jetbench.suites.trials import Searching


def test_every_trial_spends_and_only_finished_ones_are_best(searching: Callable[..., Searching]) -> None:
    found = searching()
    past = history(found)
    assert past.labelled.tolist() == [sum(t.labelled_passes for t in found.trials[: i + 1]) for i in range(24)]
    assert past.labelled[5] - past.labelled[4] == 3600  # pruned
    assert past.labelled[11] - past.labelled[10] == 3600  # diverged
    for i, best in enumerate(past.best):
        assert best == min(t.scores[0] for t in found.trials[: i + 1] if t.state == "complete")


def test_there_is_no_best_before_a_trial_has_ended_well(searching: Callable[..., Searching]) -> None:
    found = searching(ended=2)
    first = replace(found.trials[0], state="diverged", scores=())
    past = history(replace(found, trials=(first, *found.trials[1:])))
    assert np.isnan(past.best[0])
    assert past.best[1] == found.trials[1].scores[0]


def test_the_hypervolume_only_grows_to_that_of_all(searching: Callable[..., Searching]) -> None:
    found = searching(several=True)
    best = history(found).best
    assert (np.diff(best) >= 0).all()
    assert best[-1] == hypervolume(unit_box(losses(found.study, found.trials)))
    assert 0 < best[-1] < 1


def test_open_trials_have_not_spent_yet(searching: Callable[..., Searching]) -> None:
    found = searching(ended=4)
    waiting = replace(found.trials[3], state="open", scores=(), labelled_passes=0.0)
    found = replace(found, trials=(*found.trials[:3], waiting))
    assert len(history(found).labelled) == 3
    assert states_text(found) == "3 of 24 trials: 3 complete"


def test_what_was_spent_is_added_up_and_own_encoders_are_counted(searching: Callable[..., Searching]) -> None:
    found = searching(unlabelled=6e4)
    cost = spent(found.trials)
    assert (cost.unlabelled, cost.pretrained) == (8 * 6e4, 8)
    assert cost.labelled == 21 * 9000 + 3 * 3600
    assert states_text(found) == "24 trials: 21 complete, 2 pruned and 1 diverged"
