"""Fronts against a slow search, pair by pair."""

from __future__ import annotations

import numpy as np

from jetbench.statistics.pareto import on_front


def test_a_front_is_what_no_other_point_dominates() -> None:
    points = np.random.default_rng(3).integers(0, 5, (40, 3))  # few values: many ties, and equal points

    def dominates(one: np.ndarray, other: np.ndarray) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and any(a < b for a, b in zip(one, other, strict=True))

    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert on_front(points).tolist() == expected
    assert 0 < sum(expected) < 40


def test_equal_points_are_on_the_front_together_and_none_of_none_is() -> None:
    assert on_front(np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0]])).tolist() == [True, True, False]
    assert on_front(np.empty((0, 2))).tolist() == []
