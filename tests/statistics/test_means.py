import numpy as np
import pytest
from scipy import stats

from jetbench.statistics.means import mean_of

AREAS = np.array([0.951, 0.956, 0.949, 0.954, 0.955])


def test_without_test_error_it_is_students_interval():
    found = mean_of(AREAS, 0.0)
    assert (found.low, found.high) == pytest.approx(stats.t.interval(0.95, 4, AREAS.mean(), stats.sem(AREAS)))
    assert (found.seed_error, found.test_error, found.n) == (pytest.approx(stats.sem(AREAS)), 0.0, 5)


def test_both_errors_make_the_interval():
    found, seed = mean_of(AREAS, 0.004**2), stats.sem(AREAS)
    total = np.hypot(seed, 0.004)
    expected = stats.t.interval(0.95, 4 * (total / seed) ** 4, AREAS.mean(), total)
    assert (found.low, found.high) == pytest.approx(expected)


def test_a_model_that_is_the_same_for_every_seed_has_the_test_samples_error_alone():
    found = mean_of(np.full(5, 0.92), 0.005**2)
    assert (found.low, found.high) == pytest.approx(stats.norm.interval(0.95, 0.92, 0.005))


def test_shared_labels_widen_it():
    assert mean_of(AREAS, 0.0, shared=0.5).seed_error == pytest.approx(stats.sem(AREAS) * np.sqrt(6))


def test_one_seed_has_no_interval():
    found = mean_of([0.93], 0.005**2)
    assert (found.mean, found.seed_error, found.test_error, found.low, found.high) == (0.93, None, 0.005, None, None)
