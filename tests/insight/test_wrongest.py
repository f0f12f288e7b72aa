"""The wrongest jets of tables that are small enough to be read."""

from __future__ import annotations

import numpy as np

from jetbench.insight.wrongest import disagreements, score_of_class, worst, wrongest


def test_the_wrongest_jets_of_two_classes() -> None:
    labels, scores = np.array([0, 1, 0, 1, 0, 1]), np.array([0.9, 0.1, 0.6, 0.4, 0.2, 0.8])
    assert {label: rows.tolist() for label, rows in wrongest(labels, scores, 5).items()} == {0: [0, 2], 1: [1, 3]}
    assert {label: rows.tolist() for label, rows in wrongest(labels, scores, 1).items()} == {0: [0], 1: [1]}
    np.testing.assert_allclose(score_of_class(scores, labels), [0.1, 0.1, 0.4, 0.4, 0.8, 0.8])


def test_of_many_classes_a_jet_is_wrong_where_another_class_is_more_probable() -> None:
    labels = np.array([0, 1, 2, 2])
    scores = np.array([[0.4, 0.3, 0.3], [0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]])
    assert {label: rows.tolist() for label, rows in wrongest(labels, scores, 5).items()} == {0: [], 1: [1], 2: [3]}


def test_the_worst_jets_have_the_largest_residuals() -> None:
    assert worst([100.0, 50.0, 80.0], [90.0, 90.0, 81.0], 2).tolist() == [1, 0]


def test_models_disagree_most_where_any_two_of_them_lie_furthest_apart() -> None:
    assert disagreements([[0.1, 0.9, 0.5], [0.2, 0.1, 0.5], [0.9, 0.8, 0.5]], 2).tolist() == [0, 1]
    one, other = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]), np.array([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1]])
    assert disagreements([one, other], 1).tolist() == [1]
