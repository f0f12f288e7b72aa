"""What mattered, by both evaluators, against functions whose answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from jetbench.report.study.importance import LEAST, importance, refusal, top
from jetbench.report.study.rebuilt import rebuilt
from jetbench.suites.trials import Searching

RATE, DROPOUT, WIDTHS = "recipe.learning_rate", "model.head_dropout", "model.jet"


def test_both_find_the_parameter_that_matters(searching: Callable[..., Searching]) -> None:
    (found,) = importance(searching(trials=40))
    for shares in (found.ped_anova, found.fanova):
        assert max(shares, key=shares.__getitem__) == RATE
        assert sum(shares.values()) == pytest.approx(1)
        assert set(shares) == {RATE, DROPOUT, WIDTHS}


def test_fanova_measures_what_is_searched_by_its_logarithm_by_it(searching: Callable[..., Searching]) -> None:
    """Of a sum of two linear functions with equal ranges each has half of the variance, one of them in the logarithm."""
    found = searching(trials=200)
    trials = []
    for trial in found.trials:
        rng = np.random.default_rng([1, trial.number])
        x, y = rng.uniform(size=2)
        values = {RATE: 10 ** (-4 + 3 * x), DROPOUT: 0.5 * y, WIDTHS: "64-64"}
        trials.append(replace(trial, values=values, state="complete", scores=(x + y,)))
    (shares,) = importance(replace(found, trials=tuple(trials)))
    assert shares.fanova[RATE] == pytest.approx(0.5, abs=0.07)
    assert shares.fanova[DROPOUT] == pytest.approx(0.5, abs=0.07)


def test_each_aim_has_its_own_answer(searching: Callable[..., Searching]) -> None:
    auc, flops = importance(searching(trials=40, several=True))
    assert max(auc.fanova, key=auc.fanova.__getitem__) == RATE
    assert max(flops.fanova, key=flops.fanova.__getitem__) == WIDTHS
    assert max(flops.ped_anova, key=flops.ped_anova.__getitem__) == WIDTHS


def test_a_handful_of_trials_is_refused(searching: Callable[..., Searching]) -> None:
    few = searching(trials=24, ended=LEAST)  # of which one was pruned and one more is missing
    assert refusal(few) == f"Importance needs {LEAST} finished trials; there are {LEAST - 2}."
    assert importance(few) == []
    assert refusal(searching()) == ""


def test_one_parameter_has_no_rival(searching: Callable[..., Searching]) -> None:
    found = searching()
    alone = replace(found, study=found.study.replace(searched=found.study.searched[:1]))
    assert "nothing that it could be more important than" in refusal(alone)


def test_the_best_are_a_tenth_but_five_at_least(searching: Callable[..., Searching]) -> None:
    assert top(searching()) == pytest.approx(5 / 21)
    assert top(searching(trials=203)) == pytest.approx(0.1)


def test_the_study_is_made_again_as_it_was(searching: Callable[..., Searching]) -> None:
    found = searching()
    study = rebuilt(found)
    assert [trial.number for trial in study.trials] == list(range(24))
    assert study.best_trial.number == found.winner
    assert {trial.number: trial.state.name for trial in study.trials if trial.state.name != "COMPLETE"} == {
        5: "PRUNED",
        9: "PRUNED",
        11: "FAIL",
    }
    assert study.trials[3].params == found.trials[3].values
    assert study.trials[3].user_attrs["labelled_passes"] == 9000
    assert study.trials[3].intermediate_values[600] == pytest.approx(found.trials[3].curve[0][1])
    assert math.isclose(study.trials[3].value, found.trials[3].scores[0])


def test_several_aims_have_their_directions(searching: Callable[..., Searching]) -> None:
    found = searching(several=True)
    study = rebuilt(found)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert {trial.number for trial in study.best_trials} == set(found.front)
