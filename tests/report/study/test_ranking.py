"""Which trials are better than which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jetbench.report.study.ranking import finished, layers, losses, ranks
from jetbench.suites.trials import Searching


def test_layers_by_hand() -> None:
    points = np.array([[0.0, 3.0], [1.0, 1.0], [3.0, 0.0], [1.0, 2.0], [4.0, 4.0], [1.0, 1.0]])
    assert layers(points).tolist() == [0, 0, 0, 1, 2, 0]  # equal points do not dominate each other
    assert layers(np.empty((0, 2))).tolist() == []


def test_layers_peel_off_fronts() -> None:
    points = np.random.default_rng(0).integers(0, 6, (60, 3)).astype(float)
    left = list(range(len(points)))
    layer = 0
    while left:
        front = [i for i in left if not any((points[j] <= points[i]).all() and (points[j] < points[i]).any() for j in left)]
        assert {i for i in range(60) if layers(points)[i] == layer} == set(front)
        left = [i for i in left if i not in front]
        layer += 1


def test_ranks_follow_the_loss_and_leave_out_who_has_no_end(searching: Callable[..., Searching]) -> None:
    found = searching()
    rank = ranks(found)
    assert rank[found.winner] == 1
    assert set(rank) == {trial.number for trial in found.trials if trial.state == "complete"}
    ordered = [found.trials[number].scores[0] for number in sorted(rank, key=rank.__getitem__)]
    assert ordered == sorted(ordered)


def test_the_front_comes_first_where_there_are_several_aims(searching: Callable[..., Searching]) -> None:
    found = searching(several=True)
    rank = ranks(found)
    assert {number for number, place in rank.items() if place <= len(found.front)} == set(found.front)
    assert losses(found.study, finished(found))[0].tolist() == [-found.trials[0].scores[0], found.trials[0].scores[1]]


def test_nothing_has_no_rank(searching: Callable[..., Searching]) -> None:
    assert ranks(searching(ended=0)) == {}
