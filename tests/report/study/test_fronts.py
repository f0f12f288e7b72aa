"""Hypervolume against closed forms and a slow count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from jetbench.report.study.fronts import hypervolume, spans_decades, unit_box


def test_hypervolume_by_hand() -> None:
    assert hypervolume(np.empty((0, 2))) == 0
    assert hypervolume(np.array([[0.0, 0.0]])) == 1
    assert hypervolume(np.array([[1.0, 0.0], [0.0, 1.0]])) == 0  # on the edge of the box
    assert hypervolume(np.array([[0.5, 0.25]])) == pytest.approx(0.5 * 0.75)
    assert hypervolume(np.array([[0.5, 0.25], [0.25, 0.5], [0.6, 0.6]])) == pytest.approx(0.375 + 0.375 - 0.25)
    assert hypervolume(np.array([[0.25]])) == pytest.approx(0.75)


@pytest.mark.parametrize("aims", [2, 3, 4])
def test_hypervolume_counts_the_cells_that_are_dominated(aims: int) -> None:
    """Points on a grid of 1/8: every cell is dominated as a whole or not at all."""
    points = np.random.default_rng(aims).integers(0, 9, (7, aims)) / 8
    corners = np.array(list(itertools.product(range(8), repeat=aims))) / 8
    dominated = (points[None] <= corners[:, None]).all(axis=2).any(axis=1)
    assert hypervolume(points) == pytest.approx(dominated.mean())


def test_the_box_reaches_from_the_best_to_the_worst() -> None:
    points = np.array([[-0.9, 1e4], [-0.8, 1e6], [-0.7, 1e5]])
    assert unit_box(points) == pytest.approx(np.array([[0, 0], [0.5, 1], [1, 0.5]]))
    assert unit_box(np.array([[2.0, 3.0], [2.0, 6.0]])).tolist() == [[0, 0], [0, 1]]
    assert unit_box(np.empty((0, 2))).shape == (0, 2)


def test_decades() -> None:
    assert spans_decades([1.0, 11.0])
    assert not spans_decades([1.0, 9.0])
    assert not spans_decades([-1.0, 20.0])
    assert not spans_decades([])
