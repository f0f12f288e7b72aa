from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from jetbench.errors import RunError
from jetbench.evaluation.spread import measured, responses, tails


def test_median_and_width_of_a_normal_distribution_and_their_errors() -> None:
    """The variance of a quantile is p(1−p)/(n f²), and the covariance of two of them p(1−q)/(n f g)."""
    n, values = 20_000, np.random.default_rng(0).normal(2, 7, 20_000)
    found = measured(values)
    z = stats.norm.ppf(0.84)
    density = stats.norm.pdf(z) / 7
    assert found.median_se == pytest.approx(np.sqrt(0.25 / n) * 7 / stats.norm.pdf(0), rel=0.15)
    assert found.width_se == pytest.approx(np.sqrt((0.16 * 0.84 - 0.16 * 0.16) / (2 * n)) / density, rel=0.15)
    assert found.median == pytest.approx(2, abs=4 * found.median_se)
    assert found.width == pytest.approx(7 * z, abs=4 * found.width_se)


def share_far(values: np.ndarray) -> float:
    low, median, high = np.quantile(values, [0.16, 0.5, 0.84])
    return float(np.mean(np.abs(values - median) > 3 * (high - low) / 2))


def test_the_errors_agree_with_a_slow_bootstrap() -> None:
    rng, values = np.random.default_rng(1), np.random.default_rng(2).standard_t(3, 80)
    drawn = [values[rng.integers(0, 80, 80)] for _ in range(3000)]
    found, (share, share_se) = measured(values), tails(values)
    assert found.median_se == pytest.approx(np.std([np.median(one) for one in drawn]), rel=0.2)
    assert found.width_se == pytest.approx(np.std([np.subtract(*np.quantile(one, [0.84, 0.16])) / 2 for one in drawn]), rel=0.2)
    assert share == share_far(values)
    assert share_se == pytest.approx(np.std([share_far(one) for one in drawn]), rel=0.2)


def test_tails_by_hand() -> None:
    """The median is 5, the central 68 % lie between 1.6 and 8.4: three jets of 103 are further than 3 · 3.4 away."""
    values = np.concatenate([np.linspace(0, 10, 100), [40.0, -40, 90]])
    assert tails(values)[0] == pytest.approx(3 / 103)


def test_only_a_positive_truth_has_a_response() -> None:
    assert responses([100.0, 0, -5, 50], [110, 3, 3, 40]).tolist() == [1.1, 0.8]


def test_one_jet_has_no_error() -> None:
    with pytest.raises(RunError, match="two of them"):
        measured([1.0])
