"""The wrongest jets of tables that are small enough to be read."""

from __future__ import annotations

from jetbench.evaluation.likelihood import log_losses
from jetbench.evaluation.wrongest import wrongest


def listed(found: dict) -> dict:
    return {label: places.tolist() for label, places in found.items()}


def test_of_two_classes() -> None:
    labels, scores = [0, 1, 0, 1, 0, 1], [0.9, 0.1, 0.6, 0.4, 0.2, 0.8]
    assert listed(wrongest(log_losses(labels, scores), 5, labels)) == {0: [0, 2, 4], 1: [1, 3, 5]}
    assert listed(wrongest(log_losses(labels, scores), 1, labels)) == {0: [0], 1: [1]}


def test_of_many_classes_the_least_probability_of_their_own_counts() -> None:
    labels = [0, 2, 2, 2]
    scores = [[0.4, 0.3, 0.3], [0.5, 0.1, 0.4], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]]
    assert listed(wrongest(log_losses(labels, scores), 2, labels)) == {0: [0], 2: [3, 1]}


def test_of_numbers_all_jets_are_one_class_and_equal_ones_keep_their_order() -> None:
    assert listed(wrongest([10.0, 40.0, 1.0, 40.0], 3)) == {0: [1, 3, 0]}
