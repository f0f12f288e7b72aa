from __future__ import annotations

import math

import numpy as np
import pytest

from jetbench.evaluation.likelihood import likelihood, log_loss


def test_likelihood_of_two_and_of_more_classes() -> None:
    assert likelihood([0, 1], [0.2, 0.9]).tolist() == [0.8, 0.9]
    assert likelihood([2, 0], [[0.1, 0.2, 0.7], [0.3, 0.3, 0.4]]).tolist() == [0.7, 0.3]


def test_log_loss_by_hand_and_the_same_for_one_column_as_for_two() -> None:
    labels, scores = [0, 1, 1], np.array([0.2, 0.9, 0.5])
    assert log_loss(labels, scores) == pytest.approx(-(math.log(0.8) + math.log(0.9) + math.log(0.5)) / 3)
    assert log_loss(labels, np.column_stack([1 - scores, scores])) == log_loss(labels, scores)


@pytest.mark.parametrize("scores", [[0.0], [[1.0, 0.0]]])
def test_certainty_in_the_wrong_class_stays_finite(scores: list[float]) -> None:
    assert log_loss([1], scores) == pytest.approx(-math.log(np.finfo(float).eps))
