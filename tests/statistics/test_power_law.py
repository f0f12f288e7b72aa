from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from jetbench.errors import RunError
from jetbench.statistics.delong import delong, mean_covariance
from jetbench.statistics.power_law import exponents, fit_power_law, sensitivities

SIZES = np.array([1000, 3000, 10_000, 50_000])
LEFT = 0.3 * SIZES ** -np.array([[0.11], [0.15], [0.12], [0.14]]) * np.exp(0.02 * np.sin(np.arange(16)).reshape(4, 4))


def test_an_exact_law_is_found_as_it_is():
    left = np.outer([0.2, 0.4, 0.3], SIZES**-0.25)
    np.testing.assert_allclose(exponents(SIZES, left), 0.25)
    law = fit_power_law(SIZES, left, 0.0)
    assert law.exponent.mean == pytest.approx(0.25)
    assert law.factor == pytest.approx(stats.gmean([0.2, 0.4, 0.3]))
    np.testing.assert_allclose(law.left(SIZES), stats.gmean(left))


def test_each_seed_has_the_slope_of_its_least_squares_line():
    slopes = [-stats.linregress(np.log(SIZES), np.log(row)).slope for row in LEFT]
    np.testing.assert_allclose(exponents(SIZES, LEFT), slopes)
    law = fit_power_law(SIZES, LEFT, 0.0)
    line = stats.linregress(np.log(SIZES), np.log(LEFT).mean(axis=0))
    assert law.exponent.mean == pytest.approx(-line.slope)
    assert law.factor == pytest.approx(np.exp(line.intercept))
    assert (law.exponent.low, law.exponent.high) == pytest.approx(stats.t.interval(0.95, 3, np.mean(slopes), stats.sem(slopes)))


def test_what_the_sizes_of_a_seed_have_in_common_drops_out():
    common = np.array([[1.0], [3.0], [0.2], [0.7]])
    np.testing.assert_allclose(exponents(SIZES, common * LEFT), exponents(SIZES, LEFT))


def test_the_gradient_is_that_of_the_mean_exponent():
    weights, step = np.array([0.4, 0.3, 0.2, 0.1]), 1e-7
    moves = np.empty(LEFT.shape)
    for place in np.ndindex(LEFT.shape):
        up, down = LEFT.copy(), LEFT.copy()
        up[place] += step
        down[place] -= step
        moves[place] = weights @ (exponents(SIZES, up) - exponents(SIZES, down)) / (2 * step)
    np.testing.assert_allclose(sensitivities(SIZES, LEFT, weights), moves, rtol=1e-5)


def test_both_errors_and_shared_labels_widen_the_interval():
    alone, both = fit_power_law(SIZES, LEFT, 0.0).exponent, fit_power_law(SIZES, LEFT, 0.02**2, shared=0.5).exponent
    assert both.seed_error == pytest.approx(alone.seed_error * np.sqrt(5))
    assert both.test_error == 0.02
    assert both.low < alone.low


@pytest.mark.parametrize(
    ("sizes", "left", "message"),
    [
        ([10, 20], np.ones((2, 2)), "needs 3 different sizes"),
        ([10, 20, 20], np.ones((2, 3)), "needs 3 different sizes"),
        ([0, 10, 20], np.ones((2, 3)), "sizes above zero"),
        ([10, 20, 30], np.ones((2, 4)), r"\(seeds, 3\) is needed"),
        ([10, 20, 30], np.array([[0.1, 0.1, 0.0]]), "leaves nothing"),
        ([10, 20, 30], np.array([[0.1, 0.1, np.nan]]), "no finite number"),
    ],
)
def test_what_has_no_exponent_is_an_error(sizes, left, message):
    with pytest.raises(RunError, match=message):
        exponents(sizes, left)


def planted(rng, alpha, seeds=5, jets=2000):
    """Scores (seeds·sizes, jets) of models whose AUC follows the law but for what a seed moves at all sizes, and at each."""
    left = 0.15 * (SIZES / SIZES[0]) ** -alpha * np.exp(0.08 * rng.normal(size=(seeds, 1)) + 0.05 * rng.normal(size=(seeds, 4)))
    labels, separation = np.arange(jets) % 2, np.sqrt(2) * ndtri(1 - left).ravel()[:, None]
    noise = np.sqrt(0.7) * rng.normal(size=jets) + np.sqrt(0.3) * rng.normal(size=(left.size, jets))
    return labels, separation * labels + noise


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.03, 0.2])
def test_the_interval_covers_a_planted_exponent(alpha):
    """Of 800 trials 95 % ± 0.8 %; the bounds are four errors away."""
    rng, covered = np.random.default_rng(11), 0
    for _ in range(800):
        labels, scores = planted(rng, alpha)
        left = 1 - delong(labels, scores)[0].reshape(5, 4)
        weights = sensitivities(SIZES, left, np.full(5, 0.2)).reshape(1, -1)
        law = fit_power_law(SIZES, left, mean_covariance(labels, scores, weights)[0, 0]).exponent
        covered += law.low <= alpha <= law.high
    assert 0.919 <= covered / 800 <= 0.981
