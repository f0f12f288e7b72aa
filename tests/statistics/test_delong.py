import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import (
    auc,
    delong,
    delong_interval,
    mean_covariance,
    mean_difference_variance,
    paired_delong,
)

SAMPLES = st.integers(2, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n).filter(lambda labels: 0 < sum(labels) < len(labels)),
        st.lists(st.integers(-4, 4), min_size=n, max_size=n),  # few values, many ties
    )
)


def slow_delong(labels, scores):
    """The definition: every pair, and sums over pairs that share a jet."""
    kernels = []
    for row in scores:
        signal, background = row[labels == 1], row[labels == 0]
        kernels.append((signal[:, None] > background) + 0.5 * (signal[:, None] == background))
    areas = np.array([kernel.mean() for kernel in kernels])
    covariance = np.empty((len(scores), len(scores)))
    for i, a in enumerate(kernels):
        for j, b in enumerate(kernels):
            m, n = a.shape
            of_signal = sum((a[s].mean() - areas[i]) * (b[s].mean() - areas[j]) for s in range(m)) / (m - 1)
            of_background = sum((a[:, t].mean() - areas[i]) * (b[:, t].mean() - areas[j]) for t in range(n)) / (n - 1)
            covariance[i, j] = of_signal / m + of_background / n
    return areas, covariance


def sample(jets=120, rows=4, digits=1, seed=0):
    rng = numpy_rng("test-delong", seed)
    labels = rng.integers(0, 2, jets)
    return labels, np.round(rng.normal(size=(rows, jets)) + labels * np.linspace(0, 2, rows)[:, None], digits)


@pytest.mark.parametrize("digits", [0, 1, 8])
def test_fast_and_slow_delong_agree(digits):
    labels, scores = sample(digits=digits)
    areas, covariance = delong(labels, scores)
    slow_areas, slow_covariance = slow_delong(labels, scores)
    np.testing.assert_allclose(areas, slow_areas, rtol=1e-13)
    np.testing.assert_allclose(covariance, slow_covariance, rtol=1e-11, atol=1e-17)


@given(SAMPLES)
def test_auc_is_sklearns_and_antisymmetric(drawn):
    labels, scores = (np.array(column) for column in drawn)
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert auc(labels, -scores) == pytest.approx(1 - auc(labels, scores), abs=1e-12)
    assert auc(1 - labels, scores) == pytest.approx(1 - auc(labels, scores), abs=1e-12)


@given(SAMPLES)
def test_auc_sees_only_the_order(drawn):
    labels, scores = (np.array(column) for column in drawn)
    assert auc(labels, scores) == auc(labels, np.exp(scores)) == auc(labels, scores**3 + 5)


def test_paired_variance_is_the_contrast_of_the_covariance():
    labels, scores = sample(rows=6)
    arm, baseline, variances = paired_delong(labels, scores[:3], scores[3:])
    areas, covariance = delong(labels, scores)
    np.testing.assert_allclose(np.concatenate([arm, baseline]), areas)
    expected = [covariance[i, i] + covariance[i + 3, i + 3] - 2 * covariance[i, i + 3] for i in range(3)]
    np.testing.assert_allclose(variances, expected, rtol=1e-10)
    contrast = np.array([0.5, 0.25, 0.25, -0.5, -0.25, -0.25])
    weighted = mean_difference_variance(labels, scores[:3], scores[3:], [0.5, 0.25, 0.25])
    assert weighted == pytest.approx(contrast @ covariance @ contrast, rel=1e-10)
    assert mean_difference_variance(labels, scores[:3], scores[3:]) <= variances.mean()


def test_equal_scores_differ_by_exactly_nothing():
    labels, scores = sample()
    assert paired_delong(labels, scores, scores)[2].tolist() == [0, 0, 0, 0]


def test_interval_is_delongs_on_the_logit_scale():
    labels, scores = sample()
    areas, covariance = delong(labels, scores)
    found = delong_interval(labels, scores[2])
    half = 1.959963985 * math.sqrt(covariance[2, 2]) / (areas[2] * (1 - areas[2]))
    ends = [1 / (1 + math.exp(-(math.log(areas[2] / (1 - areas[2])) + sign * half))) for sign in (-1, 1)]
    assert [found.mean, found.low, found.high] == pytest.approx([areas[2], *ends], rel=1e-9)
    assert found.n == 120


def test_interval_of_a_perfect_score_is_clopper_pearsons_on_disjoint_pairs():
    labels = np.array([0] * 30 + [1] * 10)
    perfect = delong_interval(labels, labels)
    assert (perfect.mean, perfect.high) == (1, 1)
    assert perfect.low == pytest.approx(0.025 ** (1 / 10))
    inverse = delong_interval(labels, -labels)
    assert (inverse.mean, inverse.low) == (0, 0)
    assert inverse.high == pytest.approx(1 - 0.025 ** (1 / 10))


def test_covariance_of_means_is_that_of_the_models_in_between():
    labels, scores = sample()
    weights = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.3, 0.5]])[:, : len(scores)]
    _, covariance = delong(labels, scores)
    np.testing.assert_allclose(mean_covariance(labels, scores, weights), weights @ covariance @ weights.T)
    difference = np.array([[1.0, -1.0, 0.0, 0.0]])[:, : len(scores)]
    alone = mean_difference_variance(labels, scores[:1], scores[1:2])
    assert mean_covariance(labels, scores, difference)[0, 0] == pytest.approx(alone)


def test_interval_of_a_constant_score_is_one_half():
    found = delong_interval([0, 1, 0, 1], np.zeros(4))
    assert (found.mean, found.low, found.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(("each", "separation", "least"), [(50, 2.5, 0.93), (200, 1.0, 0.93)])
def test_interval_covers(each, separation, least):
    truth, labels, rng = ndtr(separation / math.sqrt(2)), np.repeat([0, 1], each), numpy_rng("coverage", each)
    intervals = [delong_interval(labels, rng.normal(size=2 * each) + separation * labels) for _ in range(600)]
    covered = np.mean([found.low <= truth <= found.high for found in intervals])
    assert least <= covered <= 0.985


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([0, 1], [0.1, 0.2, 0.3], "2 labels"),
        ([0, 1, 1], [0.1, np.nan, 0.3], "1 of 3 scores"),
        ([0, 1, 1], [0.1, np.inf, -np.inf], "2 of 3 scores"),
        ([1, 1, 1], [0.1, 0.2, 0.3], "both classes"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "name two classes"),
        ([], [], "no jets"),
        ([[0, 1]], [0.1, 0.2], "one label per jet"),
        ([0, 1, 1], np.zeros((2, 3)), "one score per jet"),
    ],
)
def test_bad_input_is_named(labels, scores, words):
    with pytest.raises(RunError, match=words):
        auc(labels, scores)


def test_a_single_jet_of_a_class_has_an_auc_but_no_error():
    assert auc([0, 0, 1], [0.1, 0.2, 0.3]) == 1
    with pytest.raises(RunError, match="1 signal and 2 background"):
        delong([0, 0, 1], [[0.1, 0.2, 0.3]])


def test_unpaired_rows_and_wrong_weights_are_refused():
    labels, scores = sample()
    with pytest.raises(RunError, match="paired rows"):
        paired_delong(labels, scores, scores[:2])
    with pytest.raises(RunError, match="weights"):
        mean_difference_variance(labels, scores, scores, [1, 1, 1, 1])
    with pytest.raises(RunError, match="one of each for every mean"):
        mean_covariance(labels, scores, [1.0, 0.0])
    with pytest.raises(RunError, match="is needed"):
        delong(labels, scores[0])
