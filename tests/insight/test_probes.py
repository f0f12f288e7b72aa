"""Probes on features whose separation is known."""

from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import RunError
from jetbench.insight.probes import probe_accuracies

LABELS = np.arange(400) % 2


def test_features_that_hold_the_class_give_it_to_every_probe() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 6))
    features[:, 2] += 20.0 * LABELS
    found = probe_accuracies(features, LABELS)
    assert list(found) == ["linear probe", "kNN"]
    assert all(one.n == 200 for one in found.values())
    assert found["linear probe"].mean == 1.0
    assert found["kNN"].mean > 0.95


def test_noise_holds_nothing_however_many_features_there_are() -> None:
    """A probe that were tested on what it was fitted on would find the class in 150 features of 200 jets."""
    features = np.random.default_rng(1).normal(size=(400, 150))
    for one in probe_accuracies(features, LABELS).values():
        assert one.low is not None
        assert one.low < 0.5 < one.high + 0.05


def test_a_class_on_a_ring_is_the_neighbours_alone() -> None:
    rng = np.random.default_rng(2)
    angle = rng.uniform(0, 2 * np.pi, 400)
    wide = np.stack([np.cos(angle), np.sin(angle), np.where(LABELS == 1, 1.0, -1.0) * np.cos(2 * angle)], axis=1)
    found = probe_accuracies(wide, LABELS)
    assert found["kNN"].mean > 0.8 > 0.65 > found["linear probe"].mean


def test_too_few_jets_are_an_error() -> None:
    with pytest.raises(RunError, match="4 jets"):
        probe_accuracies(np.zeros((6, 2)), np.array([0, 0, 0, 0, 1, 1]))


def test_of_fewer_jets_than_neighbours_all_are_asked() -> None:
    """Each half has three of the one and two of the other, and the majority is what all say."""
    labels = np.array([0] * 6 + [1] * 4)
    found = probe_accuracies(np.random.default_rng(3).normal(size=(10, 3)), labels)
    assert found["kNN"].n == 5
    assert found["kNN"].mean == pytest.approx(3 / 5)
