from __future__ import annotations

import numpy as np

from jetbench.statistics.best_so_far import best_so_far

NAN = float("nan")


def test_the_best_so_far_is_that_of_all_trials_before() -> None:
    spent, best = best_so_far([10, 20, 5, 5], [0.5, 0.3, 0.4, 0.2])
    assert spent.tolist() == [10, 30, 35, 40]
    assert best.tolist() == [0.5, 0.3, 0.3, 0.2]
    _, largest = best_so_far([1, 1, 1], [0.5, 0.3, 0.7], larger_is_better=True)
    assert largest.tolist() == [0.5, 0.5, 0.7]


def test_a_trial_without_a_score_costs_and_is_never_the_best() -> None:
    spent, best = best_so_far([1, 1, 1, 1], [NAN, 0.4, NAN, 0.3])
    assert spent.tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(best, [NAN, 0.4, 0.4, 0.3])
    _, largest = best_so_far([1, 1], [NAN, 0.4], larger_is_better=True)
    np.testing.assert_array_equal(largest, [NAN, 0.4])
