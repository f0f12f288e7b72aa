"""ASHA and Wilcoxon's test on numbers that can be checked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wilcoxon

from jetbench.suites.pruning import Bar, Ended, Point, Result, bar_for, bar_of, result_so_far, rungs
from jetbench.suites.studies import Study


def curve(*losses: float) -> tuple[Point, ...]:
    return tuple(Point(epoch, 10.0 * epoch, loss, loss) for epoch, loss in enumerate(losses, 1))


def complete(*losses: float) -> Ended:
    return Ended("complete", np.array([losses[-1]]), (losses[-1],), curve(*losses))


def pruned_by(study: Study, pruner: str, *, epochs: int = 9, seeds: int = 1) -> Study:
    template = study.template.replace(recipe=study.template.recipe.replace(epochs=epochs))
    found: Study = study.replace(template=template, pruner=pruner, seeds=tuple(range(-1, -1 - seeds, -1)))
    return found


@pytest.mark.parametrize(
    ("epochs", "expected"), [(1, ()), (2, (1,)), (5, (1,)), (8, (2,)), (9, (3, 1)), (27, (9, 3, 1)), (50, (16, 5, 1))]
)
def test_rungs_are_thirds_of_thirds(epochs: int, expected: tuple[int, ...]) -> None:
    assert rungs(epochs) == expected


def test_a_limit_is_the_worst_of_the_best_third_of_finished_rounds(study: Study) -> None:
    """Of four losses at a rung the best two go on; a trial that was stopped before does not count there."""
    one = pruned_by(study, "asha")
    assert bar_of(one, []) == Bar()
    before = [Result(curve=curve(*losses)) for losses in ((0.5, 0.4, 0.3), (0.7, 0.6, 0.2), (0.6, 0.5, 0.4))]
    before.append(Result("pruned", curve=curve(0.9)))
    assert bar_of(one, before).limits == {1: 0.6, 3: 0.2}


def test_a_trial_beyond_a_limit_is_stopped_there_whatever_came_of_it(study: Study) -> None:
    one, bar = pruned_by(study, "asha"), Bar({1: 0.6, 3: 0.2})
    seen = curve(0.5, 0.4, 0.3)
    for end in (complete(0.5, 0.4, 0.3, 0.1), Ended("pruned", curve=seen), Ended("diverged", curve=seen)):
        found = result_so_far(one, bar, [end])
        assert isinstance(found, Result)
        assert (found.state, found.scores, len(found.curve)) == ("pruned", (0.3,), 3)
    kept = result_so_far(one, bar, [complete(0.6, 0.4, 0.2, 0.1)])
    assert isinstance(kept, Result)
    assert (kept.state, kept.scores) == ("complete", (0.1,))
    assert result_so_far(one, bar, [Ended("pruned", curve=curve(0.5))]) == 1  # stopped for another study: it goes on
    assert result_so_far(one, bar, [None]) == 1


def test_the_first_seed_is_judged_and_the_others_follow_where_it_goes_on(study: Study) -> None:
    one, bar = pruned_by(study, "asha", seeds=3), Bar({1: 0.6})
    assert result_so_far(one, Bar(), [None] * 3) == 3
    assert result_so_far(one, bar, [None] * 3) == 1
    assert result_so_far(one, bar, [complete(0.5, 0.2), None, None]) == 3
    stopped = result_so_far(one, bar, [Ended("pruned", curve=curve(0.7)), None, None])
    assert isinstance(stopped, Result)
    assert (stopped.state, stopped.runs) == ("pruned", 1)
    whole = result_so_far(one, bar, [complete(0.5, 0.2), complete(0.9, 0.4), complete(0.8, 0.3)])
    assert isinstance(whole, Result)
    assert (whole.state, whole.scores, whole.by_seed) == ("complete", (pytest.approx(0.3),), (0.2, 0.4, 0.3))


def test_seeds_follow_one_by_one_until_a_trial_is_worse_than_the_best(study: Study) -> None:
    """Worse at each of four seeds: the smallest p-value that four can have, 1/16. Three are never enough."""
    one, bar = pruned_by(study, "wilcoxon", seeds=6), Bar(best=(0.2, 0.3, 0.25, 0.35, 0.3, 0.3))
    worse = [complete(score + 0.01 * (number + 1)) for number, score in enumerate(bar.best)]
    assert wilcoxon(np.arange(1, 5), alternative="greater").pvalue == 1 / 16
    asked = [result_so_far(one, bar, [*worse[:n], *[None] * (6 - n)]) for n in range(5)]
    assert asked[:4] == [4, 4, 4, 4]
    stopped = asked[4]
    assert isinstance(stopped, Result)
    assert (stopped.state, stopped.runs) == ("pruned", 4)
    assert stopped.scores[0] == pytest.approx(np.mean([end.scores[0] for end in worse[:4]]))
    equal = [complete(score) for score in bar.best]
    whole = result_so_far(one, bar, equal)
    assert isinstance(whole, Result)
    assert (whole.state, whole.runs) == ("complete", 6)


def test_the_best_of_finished_rounds_is_a_trial_that_has_all_its_seeds(study: Study) -> None:
    one = pruned_by(study, "wilcoxon", seeds=4)
    before = [Result(scores=(score,), by_seed=(score,) * 4) for score in (0.4, 0.3)]
    before += [Result("pruned", scores=(0.1,), by_seed=(0.1,) * 3), Result("diverged")]
    assert bar_of(one, before) == Bar(best=(0.3,) * 4)


def test_the_values_without_any_search_are_held_against_nothing(study: Study) -> None:
    """A grid may try them in a later round, and the winner is selected by what they came to."""
    one, bar = pruned_by(study, "asha"), Bar({1: 0.6})
    (path,) = one.unsearched
    assert bar_for(one, {path: 0.001}, bar) == Bar()
    assert bar_for(one, {path: 0.003}, bar) == bar


@pytest.mark.parametrize("state", ["diverged", "failed"])
def test_a_trial_of_which_one_seed_comes_to_nothing_comes_to_nothing(study: Study, state: str) -> None:
    found = result_so_far(pruned_by(study, "none", seeds=2), Bar(), [complete(0.5), Ended(state)])  # type: ignore[arg-type]
    assert isinstance(found, Result)
    assert (found.state, found.scores, found.compared) == (state, (), False)


def test_an_aim_that_no_epoch_has_leaves_a_stopped_trial_without_score(study: Study) -> None:
    end = Ended("pruned", curve=(Point(1, 10.0, 0.9, math.nan),))
    found = result_so_far(pruned_by(study, "asha"), Bar({1: 0.6}), [end])
    assert isinstance(found, Result)
    assert (found.state, found.scores) == ("pruned", ())
