from __future__ import annotations

import math

import numpy as np
import pytest

from jetbench.evaluation.likelihood import likelihood, log_loss, mean_probabilities


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


def test_the_mean_of_logits_by_hand() -> None:
    """Logits 2 and 0 have the mean 1; of one model it is what that says, certainties aside, which stay finite."""
    one, other = 1 / (1 + math.exp(-2)), 0.5
    assert mean_probabilities([[one], [other]]) == pytest.approx([1 / (1 + math.exp(-1))])
    scores = np.random.default_rng(0).dirichlet(np.ones(4), size=7)
    np.testing.assert_allclose(mean_probabilities(scores[None]), scores, rtol=1e-12)
    assert np.isfinite(mean_probabilities([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])).all()
    assert mean_probabilities([[0.0, 1.0], [1.0, 0.0]]) == pytest.approx([0.5, 0.5])


def test_two_classes_are_averaged_as_one_column_and_as_two() -> None:
    scores = np.random.default_rng(1).uniform(size=(3, 9))
    both = mean_probabilities(np.stack([1 - scores, scores], axis=-1))
    np.testing.assert_allclose(both[:, 1], mean_probabilities(scores), rtol=1e-12)
    np.testing.assert_allclose(both.sum(axis=1), 1, rtol=1e-12)
