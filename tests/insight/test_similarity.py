"""CKA against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ortho_group

from jetbench.errors import RunError
from jetbench.insight.similarity import linear_cka

RNG = np.random.default_rng(0)
FEATURES = RNG.normal(size=(60, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]


def test_an_encoder_is_like_itself_however_it_is_turned_scaled_and_shifted() -> None:
    turned = 7.0 * FEATURES @ ortho_group.rvs(5, random_state=1) + 4.0
    assert linear_cka(FEATURES, FEATURES) == pytest.approx(1.0, abs=1e-12)
    assert linear_cka(FEATURES, turned) == pytest.approx(1.0, abs=1e-12)
    other = RNG.normal(size=(60, 3))
    assert linear_cka(turned, other) == pytest.approx(linear_cka(FEATURES, other), abs=1e-12)


def test_it_is_the_alignment_of_centred_kernels() -> None:
    other = FEATURES[:, :2] ** 2
    centre = np.eye(60) - 1 / 60
    one, two = (centre @ (x @ x.T) @ centre for x in (FEATURES, other))
    wanted = np.trace(one @ two) / np.sqrt(np.trace(one @ one) * np.trace(two @ two))
    assert linear_cka(FEATURES, other) == pytest.approx(wanted, rel=1e-10)
    assert linear_cka(other, FEATURES) == pytest.approx(wanted, rel=1e-10)


def test_one_feature_each_gives_the_squared_correlation() -> None:
    x, y = FEATURES[:, :1], FEATURES[:, 1:2] + 0.3 * FEATURES[:, :1]
    assert linear_cka(x, y) == pytest.approx(np.corrcoef(x[:, 0], y[:, 0])[0, 1] ** 2, rel=1e-10)


def test_features_that_correlate_with_nothing_are_unlike() -> None:
    x, y = np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert linear_cka(x, y) == pytest.approx(0.0, abs=1e-12)


def test_what_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(RunError, match="same jets"):
        linear_cka(FEATURES, FEATURES[:5])
    with pytest.raises(RunError, match="same features"):
        linear_cka(FEATURES, np.ones((60, 2)))
