from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from scipy.stats import ttest_rel

from jetbench.spaces import Space
from jetbench.suites.pruning import Result
from jetbench.suites.replay import open_round
from jetbench.suites.studies import LEARNING_RATE, Searched, Study
from jetbench.suites.winner import Winner, at_edge, lead, winner

GridOf = Callable[..., Study]
LOSSES = np.array([0.2, 0.4, 0.1, 0.9, 0.3, 0.5])  # of the validation jets under the recipe


def decide(study: Study, losses: Mapping[float, np.ndarray | None]) -> Winner | None:
    trials = open_round(study, {})
    return winner(study, {number: measured(losses[float(values[LEARNING_RATE])]) for number, values in trials.items()})  # type: ignore[arg-type]


def measured(losses: np.ndarray | None) -> Result:
    """A trial with these losses of its validation jets; None is one that has diverged."""
    return Result("diverged") if losses is None else Result(losses=losses, scores=(float(losses.mean()),))


def rate(found: Winner | None) -> float:
    assert found is not None
    return float(dict(found.values)[LEARNING_RATE])  # type: ignore[arg-type]


def test_a_winner_is_written_with_three_digits() -> None:
    found = Winner(
        values=(("recipe.learning_rate", 0.00123456), ("recipe.batch_size", 128)), key="", number=0, score=0.9, trials=3
    )
    assert found.text == "learning rate 0.00123, batch size 128"


@pytest.mark.parametrize(("gain", "left"), [(0.05, True), (0.0, False), (-0.05, False)])
def test_the_recipe_is_left_for_a_gain_that_every_jet_has(study: Study, gain: float, left: bool) -> None:
    """A gain that is small beside the spread of the losses, and yet the same for all jets, counts: the difference is paired."""
    found = decide(study, {0.001: LOSSES, 0.003: LOSSES - gain})
    assert (rate(found), found and found.left) == ((0.003, True) if left else (0.001, False))


def test_the_recipe_is_left_by_the_standard_error_of_the_paired_difference(study: Study) -> None:
    """The limit is where the paired t statistic is 1."""
    rng, sides = np.random.default_rng(0), []
    for _ in range(60):
        other = LOSSES + rng.normal(-0.03, 0.1, len(LOSSES))
        found = decide(study, {0.001: LOSSES, 0.003: other})
        assert found is not None
        assert found.left == bool(ttest_rel(LOSSES, other).statistic > 1)
        sides.append(found.left)
        if found.left:
            assert found.gain == pytest.approx((LOSSES - other).mean())
            assert found.gain_error == pytest.approx((LOSSES - other).std(ddof=1) / np.sqrt(len(LOSSES)))
    assert 0.2 < np.mean(sides) < 0.8


def test_the_lead_of_a_winner_is_that_of_the_paired_differences(grid: GridOf) -> None:
    """One trial is behind for every jet, another for half of them alone; one has diverged, and is level with none."""
    wide = grid(0.001, 0.003, 0.01, 0.03)
    behind, level = LOSSES + 0.1 + 0.01 * np.arange(6), LOSSES + np.array([0.3, -0.3, 0.2, -0.2, 0.1, -0.05])
    trials = open_round(wide, {})
    came_to = {0.001: behind, 0.003: LOSSES, 0.01: level, 0.03: None}
    results = {number: measured(came_to[float(values[LEARNING_RATE])]) for number, values in trials.items()}  # type: ignore[arg-type]
    won = winner(wide, results)
    assert won is not None
    found = lead(wide, results, won)
    assert [trials[number][LEARNING_RATE] for number in found.level] == [0.01]
    assert found.gain == pytest.approx((0.125, np.std(behind - LOSSES, ddof=1) / np.sqrt(6)))


def test_a_recipe_that_wins_is_not_ahead_of_itself(study: Study) -> None:
    results = {number: measured(LOSSES + number) for number in open_round(study, {})}
    won = winner(study, results)
    assert won is not None
    assert lead(study, results, won).gain is None


def test_of_trials_that_are_ahead_the_smallest_loss_wins(grid: GridOf) -> None:
    """0.01 has the smallest mean, by one jet alone, and is not ahead; of the other two the better one wins."""
    wide = grid(0.001, 0.003, 0.01, 0.03)
    one_jet = LOSSES - np.array([0, 0, 0, 0.85, 0, 0])
    assert rate(decide(wide, {0.001: LOSSES, 0.003: LOSSES - 0.05, 0.01: one_jet, 0.03: LOSSES - 0.04})) == 0.003


def test_the_winner_is_a_trial_of_the_study(study: Study) -> None:
    found = decide(study, {0.001: LOSSES, 0.003: LOSSES - 0.1})
    assert found is not None
    assert found.key == study.trial(study.known_values()[1]).digest()
    assert (found.score, found.trials, found.at_edge) == (pytest.approx(0.3), 2, ())


def test_the_edge_of_three_is_an_edge(grid: GridOf) -> None:
    for rates, edge in (((0.0003, 0.001, 0.003), (LEARNING_RATE,)), ((0.001, 0.003, 0.01), ())):
        found = decide(grid(*rates), {one: LOSSES - 0.1 * (one == 0.003) for one in rates})
        assert found is not None
        assert (rate(found), found.at_edge) == (0.003, edge)


@pytest.mark.parametrize(("value", "edge"), [(1.2e-4, True), (1.3e-4, False), (0.05, False), (0.09, True)])
def test_an_edge_is_measured_on_the_scale_of_the_search(value: float, edge: bool) -> None:
    """What was tried of a range has extremes too, which say nothing."""
    space = Space(low=1e-4, high=1e-1, log=True)
    assert at_edge(Searched(path=LEARNING_RATE, space=space, own=1e-3), value, (value, 1e-3, 2e-3)) == edge
    whole = Searched(path="recipe.batch_size", space=Space(low=2, high=100), own=32)
    assert [at_edge(whole, size, range(2, 101)) for size in (2, 8, 95, 100)] == [True, False, False, True]


def test_a_diverged_trial_never_wins_and_all_of_them_leave_no_winner(study: Study) -> None:
    found = decide(study, {0.001: LOSSES, 0.003: None})
    assert found is not None
    assert (rate(found), found.diverged, found.left) == (0.001, 1, False)
    found = decide(study, {0.001: None, 0.003: LOSSES + 1})
    assert found is not None
    assert (rate(found), found.diverged, found.left) == (0.003, 1, True)
    assert decide(study, {0.001: None, 0.003: None}) is None
    assert winner(study, {0: measured(LOSSES)}) is None
