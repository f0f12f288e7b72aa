import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from jetbench.seeds import numpy_rng
from jetbench.statistics import rejection
from jetbench.statistics.mean_rejection import mean_rejection
from jetbench.statistics.rejection import background_rejection


def drawn(rng, seeds=5, jets=3000, separation=2.2, spread=0.05, common=0.8):
    """Labels (n,) and scores (seeds, n) of models that differ in their separation and share most of what is hard about a jet."""
    labels = np.arange(jets) % 2
    noise = np.sqrt(common) * rng.normal(size=jets) + np.sqrt(1 - common) * rng.normal(size=(seeds, jets))
    return labels, (separation + spread * rng.normal(size=(seeds, 1))) * labels + noise


def test_it_is_the_reciprocal_of_the_mean_efficiency():
    """Six, two and four jets left of 1500: R is 1500/4, not the mean of 250, 750 and 375."""
    signal, background = np.linspace(1, 2, 100), np.zeros((3, 1500))
    for row, left in zip(background, (6, 2, 4), strict=True):
        row[:left] = 3
    labels = np.repeat([1, 0], [100, 1500])
    found = mean_rejection(labels, np.concatenate([np.tile(signal, (3, 1)), background], axis=1), 50)
    assert (found.rejection, found.left, found.seeds) == (pytest.approx(375), pytest.approx(4), 3)
    assert not found.resolved
    assert found.low < 375 < found.high


def test_for_one_seed_with_a_certain_threshold_it_is_clopper_and_pearsons(monkeypatch):
    monkeypatch.setattr(rejection, "THRESHOLD_NOISE_BELOW", 0)
    labels, scores = drawn(numpy_rng("one"), seeds=1)
    found, single = mean_rejection(labels, scores, 50), background_rejection(labels, scores[0], 50)
    assert (found.rejection, found.low, found.high) == pytest.approx((single.rejection, single.low, single.high))
    assert found.left == single.background_left


def test_equal_seeds_are_worth_one_and_the_thresholds_noise_counts():
    labels, scores = drawn(numpy_rng("equal"), seeds=1)
    one, five = mean_rejection(labels, scores, 50), mean_rejection(labels, np.tile(scores, (5, 1)), 50)
    assert (five.rejection, five.low, five.high) == pytest.approx((one.rejection, one.low, one.high))
    single = background_rejection(labels, scores[0], 50)
    widths = [1 / found.low - 1 / found.high for found in (one, single)]
    assert widths[0] == pytest.approx(widths[1], rel=0.1)  # a mixture over thresholds, and their variance, agree


def test_seeds_that_differ_and_labels_that_they_share_widen_it():
    labels, scores = drawn(numpy_rng("wide"), spread=0.2)
    found, shared = mean_rejection(labels, scores, 50), mean_rejection(labels, scores, 50, shared=0.5)
    same = mean_rejection(labels, np.tile(scores[:1], (5, 1)), 50)
    assert found.high / found.low > same.high / same.low
    assert shared.high / shared.low > found.high / found.low


def test_encoders_that_seeds_share_count_once():
    labels, scores = drawn(numpy_rng("encoders"), seeds=3)
    found = mean_rejection(labels, scores, 50, clusters=[0, 0, 1])
    left = [background_rejection(labels, row, 50).background_left for row in scores]
    assert found.left == pytest.approx(((left[0] + left[1]) / 2 + left[2]) / 2)


def test_where_nothing_is_left_there_is_a_lower_bound():
    labels = np.repeat([1, 0], [100, 200])
    found = mean_rejection(labels, np.tile(labels.astype(float), (5, 1)), 30)
    assert (found.rejection, found.high, found.left) == (None, None, 0)
    assert found.low == pytest.approx(1 / (1 - 0.025 ** (1 / 200)))


def test_where_all_is_left_the_rejection_is_one():
    labels = np.repeat([1, 0], [100, 200])
    found = mean_rejection(labels, np.zeros((2, 300)), 30)
    assert (found.rejection, found.low) == (1, 1)
    assert found.resolved


@pytest.mark.parametrize(("seeds", "common"), [(2, 0.8), (5, 0.5), (5, 0.95), (10, 0.8)])
def test_the_interval_covers(seeds, common):
    rng, covered, replays = numpy_rng("rejection", seeds, int(100 * common)), 0, 120
    separations = 2.2 + 0.05 * rng.normal(size=100_000)
    truth = 1 / np.mean(ndtr(-separations + ndtri(0.5)))
    for _ in range(replays):
        found = mean_rejection(*drawn(rng, seeds, common=common), 50)
        covered += found.low <= truth <= found.high
    assert covered / replays > 0.91
