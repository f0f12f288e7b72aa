import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from jetbench.seeds import numpy_rng
from jetbench.statistics.resolution import Spread, seeds_needed, sign_flip


def test_without_test_error_this_is_the_paired_t_test():
    differences = np.array([0.01, 0.02, -0.005, 0.013, 0.008])
    spread = Spread(float(differences.std(ddof=1)), 0.0, 5)
    assert spread.degrees == pytest.approx(4)
    assert spread.p_difference(differences.mean()) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue)


def test_without_spread_this_is_the_z_test():
    spread = Spread(0.0, 0.01, 5)
    assert math.isinf(spread.degrees)
    assert spread.p_difference(0.0196) == pytest.approx(2 * stats.norm.sf(1.96))


def test_errors_add_in_squares_and_degrees_follow_welch_and_satterthwaite():
    spread = Spread(0.006, 0.004, 9)
    assert spread.seed == pytest.approx(0.002)
    assert spread.total**2 == pytest.approx(0.002**2 + 0.004**2)
    assert spread.degrees == pytest.approx((0.002**2 + 0.004**2) ** 2 / (0.002**4 / 8))


def test_equivalence_is_two_one_sided_tests():
    spread, difference, margin = Spread(0.006, 0.004, 9), 0.003, 0.012
    t = stats.t(spread.degrees)
    upper, lower = t.sf((margin - difference) / spread.total), t.sf((margin + difference) / spread.total)
    assert spread.p_equivalence(difference, margin) == pytest.approx(max(upper, lower))
    within = difference + spread.half_width(0.1) <= margin
    assert (spread.p_equivalence(difference, margin) <= 0.05) == within


@pytest.mark.parametrize(("difference", "p", "p_equivalence"), [(0.0, 1, 0), (0.01, 0, 0), (0.03, 0, 1)])
def test_certainty(difference, p, p_equivalence):
    spread = Spread(0.0, 0.0, 5)
    assert (spread.p_difference(difference), spread.p_equivalence(difference, 0.02)) == (p, p_equivalence)


def test_sign_flip_enumerates_every_pattern():
    differences = np.array([0.3, 0.1, -0.2, 0.4, 0.1, 0.25])
    sums = [abs(np.dot(signs, differences)) for signs in product((1, -1), repeat=6)]
    assert sign_flip(differences) == np.mean([value >= abs(differences.sum()) - 1e-12 for value in sums])


@pytest.mark.parametrize("n", [5, 8, 16])
def test_smallest_sign_flip_p(n):
    assert sign_flip(np.ones(n) + np.arange(n) / 100) == 2 / 2**n


def test_sign_flip_of_many_seeds_is_drawn_and_never_zero():
    differences = numpy_rng("flip").normal(0.4, 1, 20)
    assert sign_flip(differences) == sign_flip(differences)
    assert sign_flip(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.03)
    assert 0 < sign_flip(np.full(40, 1.0)) < 1e-4


def test_seeds_needed_is_the_first_number_that_settles():
    spread = Spread(0.01, 0.001, 5)
    needed = seeds_needed(spread, 0.006, 0.0, 0.05, 0.05)
    assert needed == next(n for n in range(6, 1000) if Spread(0.01, 0.001, n).half_width(0.05) < 0.006)


def test_seeds_needed_for_the_margin():
    spread = Spread(0.01, 0.001, 5)
    needed = seeds_needed(spread, 0.0, 0.004, 0.05, 0.05)
    assert needed == next(n for n in range(6, 1000) if Spread(0.01, 0.001, n).half_width(0.1) <= 0.004)


def test_no_number_of_seeds_mends_a_small_test_sample():
    assert seeds_needed(Spread(0.01, 0.004, 5), 0.006, 0.002, 0.05, 0.05) is None


def test_a_verdict_needs_five_seeds_however_small_the_spread():
    assert seeds_needed(Spread(1e-5, 1e-5, 2), 0.006, 0.002, 0.05, 0.05) == 5
