import math

import numpy as np
import pytest
from scipy import stats

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.intervals import clopper_pearson, t_interval, t_quantile, t_tail


def test_t_interval_is_students():
    values = [0.91, 0.93, 0.92, 0.95, 0.90]
    low, high = stats.t.interval(0.9, 4, np.mean(values), stats.sem(values))
    found = t_interval(values, 0.9)
    assert (found.mean, found.low, found.high, found.n) == (pytest.approx(0.922), pytest.approx(low), pytest.approx(high), 5)


def test_one_value_has_no_interval():
    found = t_interval([0.9])
    assert (found.mean, found.low, found.high, found.n) == (0.9, None, None, 1)


def test_t_interval_covers():
    samples = numpy_rng("t").normal(3, 2, (3000, 5))
    covered = np.mean([found.low <= 3 <= found.high for found in map(t_interval, samples)])
    assert abs(covered - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 3000)


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (884, 202_000)])
def test_clopper_pearson_is_scipys(k, n):
    expected = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    found = clopper_pearson(k, n)
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


@pytest.mark.parametrize("p", [0.01, 0.3, 0.5, 0.97])
def test_clopper_pearson_covers_for_every_share(p):
    intervals = [clopper_pearson(k, 25) for k in range(26)]
    weights = stats.binom.pmf(np.arange(26), 25, p)
    assert sum(w for w, found in zip(weights, intervals, strict=True) if found.low <= p <= found.high) >= 0.95


@pytest.mark.parametrize("degrees", [1, 2.7, 40, 5e5])
def test_students_distribution_takes_real_degrees(degrees):
    assert t_quantile(0.975, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-6)
    assert t_tail(2.2, degrees) == pytest.approx(stats.t.sf(2.2, degrees), rel=1e-6)


def test_infinite_degrees_are_normal():
    assert t_quantile(0.975, math.inf) == pytest.approx(1.959963985)
    assert t_tail(1.959963985, math.inf) == pytest.approx(0.025)


@pytest.mark.parametrize("values", [[], [0.1, math.nan], [[0.1]]])
def test_what_has_no_mean_is_refused(values):
    with pytest.raises(RunError, match="finite values"):
        t_interval(values)


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (0, 0)])
def test_what_is_no_share_is_refused(k, n):
    with pytest.raises(RunError, match="is no share"):
        clopper_pearson(k, n)


def test_a_level_is_a_probability():
    with pytest.raises(RunError, match="between 0 and 1"):
        clopper_pearson(1, 2, level=95)
