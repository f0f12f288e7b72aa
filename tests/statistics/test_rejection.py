from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics import rejection
from jetbench.statistics.intervals import clopper_pearson
from jetbench.statistics.rejection import background_rejection


def two_classes(signal, background):
    return np.repeat([1, 0], [len(signal), len(background)]), np.concatenate([signal, background])


def test_threshold_index_is_exact_where_floating_point_is_not():
    assert int((1 - 0.3) * 90) == 62  # the trap
    found = background_rejection(*two_classes(np.arange(90), np.array([62, 63, 64])), 30)
    assert found.threshold == 63
    assert (found.background_left, found.rejection) == (2, 1.5)  # at ≥: the one on the threshold counts


@given(st.integers(1, 400), st.integers(1, 99))
def test_threshold_follows_the_rule_in_rational_arithmetic(signal, percent):
    found = background_rejection(*two_classes(np.arange(signal), np.zeros(3)), percent)
    index = (1 - Fraction(percent, 100)) * signal
    assert found.threshold == index.numerator // index.denominator
    assert (signal - found.threshold) * 100 >= percent * signal


@pytest.mark.parametrize("total", [50, 4000])
@pytest.mark.parametrize("left", [0, 1, 7, 50])
def test_without_threshold_noise_the_limits_are_clopper_pearsons(left, total, monkeypatch):
    monkeypatch.setattr(rejection, "THRESHOLD_NOISE_BELOW", 0)
    found = background_rejection(*two_classes(np.linspace(1, 2, 20), np.repeat([3.0, 0.0], [left, total - left])), 50)
    share = clopper_pearson(left, total)
    assert not found.threshold_noise
    assert found.background_left == left
    assert found.low == pytest.approx(1 / share.high)
    assert found.high == (pytest.approx(1 / share.low) if left else None)


def test_noise_that_moves_no_count_leaves_clopper_pearson():
    found = background_rejection(*two_classes(np.linspace(1, 2, 20), np.repeat([3.0, 0.0], [7, 93])), 50)
    share = clopper_pearson(7, 100)
    assert found.threshold_noise
    assert (found.low, found.high) == (pytest.approx(1 / share.high), pytest.approx(1 / share.low))


def test_ideal_bootstrap_is_the_limit_of_the_drawn_one():
    rng, n, index = numpy_rng("bootstrap"), 40, 28
    left = np.sort(rng.integers(0, 30, n))[::-1]
    counts, weights = rejection._bootstrapped(left, index)
    drawn = left[np.sort(rng.integers(0, n, (40_000, n)), axis=1)[:, index]]
    expected = np.array([np.mean(drawn == count) for count in counts])
    np.testing.assert_allclose(weights, expected, atol=0.01)
    assert weights.sum() == pytest.approx(1)


def test_mixture_limits_are_quantiles_of_drawn_betas():
    rng = numpy_rng("mixture")
    counts, weights, total = np.array([3, 5, 9]), np.array([0.2, 0.5, 0.3]), 200
    low, high = rejection._limits(counts, weights, total, 0.05)
    k = rng.choice(counts, 400_000, p=weights)
    assert low == pytest.approx(np.quantile(rng.beta(k, total - k + 1), 0.025), rel=0.02)
    assert high == pytest.approx(np.quantile(rng.beta(k + 1, total - k), 0.975), rel=0.02)


def test_nothing_left_gives_a_lower_bound_and_no_infinity():
    found = background_rejection(*two_classes(np.linspace(1, 2, 50), np.zeros(300)), 50)
    assert (found.background_left, found.rejection, found.high) == (0, None, None)
    assert found.low == pytest.approx(1 / clopper_pearson(0, 300).high)


def test_everything_left_is_a_rejection_of_one():
    found = background_rejection(*two_classes(np.zeros(50), np.ones(300)), 50)
    assert (found.rejection, found.low) == (1, 1)
    assert 1 < found.high < 1.02


def test_a_large_signal_adds_no_threshold_noise():
    rng = numpy_rng("large")
    found = background_rejection(*two_classes(rng.normal(2, 1, 10_000), rng.normal(0, 1, 10_000)), 50)
    share = clopper_pearson(found.background_left, 10_000)
    assert not found.threshold_noise
    assert found.low == pytest.approx(1 / share.high)


@pytest.mark.parametrize(("signal", "background", "percent"), [(300, 3000, 50), (1500, 1500, 30), (1500, 1500, 70)])
def test_interval_covers_the_true_rejection(signal, background, percent):
    rng, truth = numpy_rng("coverage", signal, percent), 1 / ndtr(-(2.1 + ndtri(1 - percent / 100)))
    covered = []
    for _ in range(200):
        found = background_rejection(*two_classes(rng.normal(2.1, 1, signal), rng.normal(0, 1, background)), percent)
        covered.append(found.low <= truth and (found.high is None or truth <= found.high))
    assert np.mean(covered) >= 0.92


@pytest.mark.parametrize("percent", [0, 100, -5, 30.5])
def test_an_efficiency_that_is_no_working_point_is_refused(percent):
    with pytest.raises(RunError, match="whole percents"):
        background_rejection([0, 1], [0.1, 0.2], percent)
