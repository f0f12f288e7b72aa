"""Correlations of predictions whose order is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from jetbench.insight.agreement import correlations, disagreements, signal_scores, stretched


def test_only_the_order_of_the_jets_counts() -> None:
    scores = np.random.default_rng(0).uniform(size=50)
    found = correlations([scores, scores**3, 1 - scores, np.full(50, 0.5)])
    assert found[0, 1] == pytest.approx(1.0)
    assert found[0, 2] == pytest.approx(-1.0)
    assert np.isnan(found[3]).all()


def test_they_are_spearmans() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=60).round(1)  # with ties
    other = one + rng.normal(size=60)
    assert correlations([one, other])[0, 1] == pytest.approx(spearmanr(one, other).statistic)


def test_of_many_classes_the_background_tells() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4]])
    np.testing.assert_allclose(signal_scores(probabilities), [0.3, 0.9])
    np.testing.assert_allclose(signal_scores([0.3, 0.9]), [0.3, 0.9])


def test_log_odds_stay_finite_at_the_ends() -> None:
    found = stretched(np.array([0.0, 0.5, 1.0]))
    assert np.isfinite(found).all()
    assert found[1] == 0
    assert found[0] == pytest.approx(-found[2], rel=1e-4)


def test_models_disagree_most_where_any_two_of_them_lie_furthest_apart() -> None:
    assert disagreements([[0.1, 0.9, 0.5], [0.2, 0.1, 0.5], [0.9, 0.8, 0.5]], 2).tolist() == [0, 1]
    one, other = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]]), np.array([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1]])
    assert disagreements([one, other], 1).tolist() == [1]
