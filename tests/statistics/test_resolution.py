import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from jetbench.seeds import numpy_rng
from jetbench.statistics.resolution import Spread, overlap, sign_flip, widening


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


def test_shared_labels_widen_the_seeds_error_and_leave_the_test_samples():
    """s²/n + s²·f/(1−f), which equals (1 + (n−1) f)/n of the labels' whole variance s²/(1−f)."""
    deviation, n, f = 0.006, 5, 0.4
    plain, spread = Spread(deviation, 0.004, n), Spread(deviation, 0.004, n, f)
    assert spread.seed**2 == pytest.approx(deviation**2 / (1 - f) * (1 + (n - 1) * f) / n)
    assert spread.seed == pytest.approx(plain.seed * widening(n, f))
    assert spread.total**2 == pytest.approx(plain.total**2 + spread.hidden**2)
    assert (spread.test, Spread(deviation, 0.004, n, 0.0)) == (plain.test, plain)


def test_overlap_is_the_budgets_share_of_the_pool():
    assert overlap(100, 9000) == pytest.approx(1 / 90)
    assert overlap(9000, 9000) == overlap(9900, 10_000) == 0.95


@pytest.mark.parametrize("f", [0.1, 0.5])
def test_means_over_subsets_of_one_pool_vary_as_the_widened_error_says(f):
    """Subsets of a pool of normal numbers: the spread between their means hides just the share f of their variance."""
    rng, pool, n = numpy_rng("pool"), 400, 5
    size, means, spreads = int(f * pool), [], []
    for _ in range(3000):
        jets = rng.normal(size=pool)
        seeds = [jets[rng.permutation(pool)[:size]].mean() for _ in range(n)]
        means.append(np.mean(seeds))
        spreads.append(Spread(float(np.std(seeds, ddof=1)), 0.0, n, f).seed ** 2)
    assert np.mean(spreads) == pytest.approx(np.var(means), rel=0.06)
