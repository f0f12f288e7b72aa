import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from jetbench.seeds import numpy_rng
from jetbench.statistics.power import POWER, Needed, difference_power, equivalence_power, fresh_seeds
from jetbench.statistics.resolution import Spread


@pytest.mark.parametrize("n", [5, 8, 30, 500])
@pytest.mark.parametrize("difference", [0.0, 0.002, 0.004, -0.004])
def test_without_test_error_the_power_is_a_tail_of_the_noncentral_t(n, difference):
    spread, t = Spread(0.006, 0.0, n), stats.t.ppf(0.975, n - 1)
    expected = stats.nct.sf(t, n - 1, abs(difference) * math.sqrt(n) / 0.006)
    assert difference_power(spread, difference, 0.05) == pytest.approx(expected, abs=2e-4)


def test_without_spread_the_power_is_that_of_the_z_tests():
    spread = Spread(0.0, 0.002, 5)
    assert difference_power(spread, 0.005, 0.05) == pytest.approx(stats.norm.sf(1.959964 - 2.5))
    room = 0.007 / 0.002 - stats.norm.ppf(0.95)
    expected = stats.norm.cdf(room - 0.5) - stats.norm.cdf(-room - 0.5)
    assert equivalence_power(spread, 0.001, 0.007, 0.05) == pytest.approx(expected)
    assert equivalence_power(spread, 0.0, 0.003, 0.05) == 0  # the interval alone is wider than the margin


@pytest.mark.parametrize(("difference", "power", "equivalence"), [(0.0, 0, 1), (0.01, 1, 1), (0.03, 1, 0)])
def test_certainty(difference, power, equivalence):
    spread = Spread(0.0, 0.0, 5)
    found = difference_power(spread, difference, 0.05), equivalence_power(spread, difference, 0.02, 0.05)
    assert found == (power, equivalence)


@pytest.mark.parametrize(("n", "test"), [(5, 0.0), (12, 0.0), (20, 0.001)])
def test_powers_are_the_shares_of_simulated_verdicts(n, test):
    rng, true, margin, runs = numpy_rng("power", n), 0.002, 0.006, 40_000
    seeds = rng.normal(true, 0.006, (runs, n))
    found = seeds.mean(axis=1) + rng.normal(0, test, runs)
    seed = seeds.std(axis=1, ddof=1) / math.sqrt(n)
    total = np.hypot(seed, test)
    t = stats.t((n - 1) * (total / seed) ** 4)
    spread = Spread(0.006, test, n)
    assert difference_power(spread, true, 0.05) == pytest.approx(np.mean(found > t.ppf(0.975) * total), abs=0.01)
    equivalent = np.mean(np.abs(found) + t.ppf(0.95) * total <= margin)
    assert equivalence_power(spread, true, margin, 0.05) == pytest.approx(equivalent, abs=0.01)


def test_the_number_of_seeds_is_the_first_with_the_power():
    spread = Spread(0.01, 0.001, 5)
    first = next(n for n in range(5, 1000) if difference_power(replace(spread, n=n), 0.006, 0.05) >= POWER)
    found = fresh_seeds(spread, 0.006, 0.0, 0.05, 0.05)
    assert found.seeds == first
    assert first > next(n for n in range(5, 1000) if Spread(0.01, 0.001, n).half_width(0.05) < 0.006)  # that is power ½


def test_equivalence_has_its_number_too():
    spread = Spread(0.01, 0.001, 5)
    first = next(n for n in range(5, 1000) if equivalence_power(replace(spread, n=n), 0.0, 0.004, 0.05) >= POWER)
    assert fresh_seeds(spread, 0.0, 0.004, 0.05, 0.05).seeds == first


def test_the_range_is_that_of_true_differences_within_one_error():
    spread, alphas = Spread(0.01, 0.0, 100), (0.05, 0.05)
    found = fresh_seeds(spread, 0.003, 0.0, *alphas)
    ends = [fresh_seeds(spread, 0.003 + sign * spread.total, 0.0, *alphas).seeds for sign in (1, -1)]
    assert [found.low, found.high] == ends
    assert found.low < found.seeds < found.high


def test_a_difference_that_may_be_none_has_no_upper_end():
    found = fresh_seeds(Spread(0.01, 0.0, 5), 0.003, 0.0, 0.05, 0.05)
    assert found.seeds
    assert found.low < found.seeds
    assert found.high is None


def test_no_number_of_seeds_mends_a_small_test_sample():
    assert fresh_seeds(Spread(0.001, 0.004, 5), 0.003, 0.002, 0.05, 0.05) == Needed(seeds=None, low=None, high=None)
    found = fresh_seeds(Spread(0.001, 0.002, 5), 0.004, 0.001, 0.05, 0.05)  # one error more, and some number would do
    assert found.seeds is None
    assert found.low


def test_labels_that_seeds_share_are_mended_by_no_number_either():
    plain, shared = Spread(0.01, 0.0, 5), Spread(0.01, 0.0, 5, 0.5)
    assert fresh_seeds(plain, 0.008, 0.0, 0.05, 0.05).seeds
    assert fresh_seeds(shared, 0.008, 0.0, 0.05, 0.05).seeds is None


def test_a_verdict_needs_five_seeds_however_small_the_spread():
    assert fresh_seeds(Spread(1e-5, 1e-5, 2), 0.006, 0.002, 0.05, 0.05) == Needed(seeds=5, low=5, high=5)
