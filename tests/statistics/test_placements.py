"""The AUC of many classes and its error: against scikit-learn, the definition, the bootstrap and the case of two classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import auc, delong, delong_interval, mean_difference_variance, paired_delong
from jetbench.statistics.placements import placements


def probabilities(labels, classes, strength, rng, digits=12):
    """Softmax of noise that knows the class a little; few digits make ties."""
    logits = rng.normal(size=(len(labels), classes)) + strength * np.eye(classes)[labels]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return np.round(shares, digits)


def slow_m(labels, scores):
    """Hand & Till's definition, pair by pair of jets."""
    classes = scores.shape[1]
    pairs = [(a, b) for a in range(classes) for b in range(classes) if a != b]
    areas = []
    for a, b in pairs:
        high, low = scores[labels == a, a], scores[labels == b, a]
        areas.append(np.mean((high[:, None] > low) + 0.5 * (high[:, None] == low)))
    return np.mean(areas)


@given(st.integers(0, 10**6), st.integers(2, 5), st.sampled_from([1, 2, 12]))
def test_auc_of_classes_is_sklearns_macro_one_versus_one(seed, classes, digits):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.concatenate([np.arange(classes), rng.integers(0, classes, 20)]))
    scores = probabilities(labels, classes, 1.0, rng, digits)
    expected = slow_m(labels, scores)
    assert auc(labels, scores) == pytest.approx(expected, abs=1e-12)
    if classes > 2 and digits == 12:  # scikit-learn wants rows that sum to one
        assert expected == pytest.approx(roc_auc_score(labels, scores, multi_class="ovo", average="macro"), abs=1e-12)


@pytest.mark.parametrize("digits", [1, 2, 8])
def test_two_classes_as_probabilities_are_the_binary_case(digits):
    rng = numpy_rng("two-classes", digits)
    labels = rng.integers(0, 2, 300)
    signal = np.round(rng.beta(2 + labels, 3 - labels, size=(4, 300)) * 2**digits) / 2**digits  # 1 − p is exact
    pairs = np.stack([1 - signal, signal], axis=-1)
    of_pairs, of_signal = paired_delong(labels, pairs[:2], pairs[2:]), paired_delong(labels, signal[:2], signal[2:])
    for found, expected in zip(of_pairs, of_signal, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(delong(labels, pairs)[1], delong(labels, signal)[1], rtol=1e-12)
    assert delong_interval(labels, pairs[0]).low == pytest.approx(delong_interval(labels, signal[0]).low, rel=1e-12)
    assert auc(labels, pairs[0]) == pytest.approx(auc(labels, signal[0]), rel=1e-14)


def test_the_covariance_is_the_spread_over_test_samples():
    """Many samples of three unequal classes: the mean estimate is the true covariance, and a bootstrap of one sample agrees."""
    counts, models, rng = (60, 40, 90), 2, numpy_rng("many-samples")
    labels = np.repeat(np.arange(3), counts)

    def draw():
        common = rng.normal(size=(len(labels), 3))
        logits = common + 0.7 * rng.normal(size=(models, len(labels), 3)) + np.eye(3)[labels]
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)

    found = [delong(labels, draw()) for _ in range(500)]
    true, estimated = np.cov(np.array([areas for areas, _ in found]).T), np.mean([cov for _, cov in found], axis=0)
    np.testing.assert_allclose(estimated, true, rtol=0.15)
    scores = draw()
    again = []
    for _ in range(400):
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == c), n) for c, n in enumerate(counts)])
        again.append(auc(labels, scores[0][rows]) - auc(labels, scores[1][rows]))
    assert paired_delong(labels, scores[:1], scores[1:])[2][0] == pytest.approx(np.var(again, ddof=1), rel=0.25)


def test_the_variance_in_closed_form_without_any_knowledge():
    """Of scores that know nothing, all placements are uniform: the pairs of two classes give 1/12 (1/n₁ + 1/n₀) (Bamber 1975)."""
    counts, rng = (40, 30, 50, 35), numpy_rng("knows-nothing")
    labels = np.repeat(np.arange(4), counts)
    areas = [auc(labels, rng.normal(size=(len(labels), 4))) for _ in range(1500)]
    # class c is the signal of 3 pairs, all by its own column, and the background of 3 more, each by another column:
    # the first three are one uniform placement, the others are independent ones
    expected = sum((9 + 3) / 12 / 144 / n for n in counts)
    assert np.var(areas) == pytest.approx(expected, rel=0.12)
    estimated = np.mean([delong(labels, rng.normal(size=(1, len(labels), 4)))[1][0, 0] for _ in range(200)])
    assert estimated == pytest.approx(expected, rel=0.08)


def test_the_mean_over_seeds_and_equal_scores():
    rng = numpy_rng("seeds")
    labels = rng.integers(0, 4, 200)
    scores = np.stack([probabilities(labels, 4, 1.0, rng, 2) for _ in range(6)])
    _, covariance = delong(labels, scores)
    contrast = np.array([0.5, 0.25, 0.25, -0.5, -0.25, -0.25])
    weighted = mean_difference_variance(labels, scores[:3], scores[3:], [0.5, 0.25, 0.25])
    assert weighted == pytest.approx(contrast @ covariance @ contrast, rel=1e-10)
    assert paired_delong(labels, scores, scores)[2].tolist() == [0] * 6
    areas, parts = placements(labels, scores)
    np.testing.assert_allclose(np.mean([part.mean(axis=1) for part in parts], axis=0), areas)


def test_the_interval_of_perfect_and_of_constant_probabilities():
    labels = np.repeat([0, 1, 2], [30, 10, 20])
    perfect = delong_interval(labels, np.eye(3)[labels])
    assert (perfect.mean, perfect.high, perfect.n) == (1, 1, 60)
    assert perfect.low == pytest.approx(0.025 ** (1 / 10))
    constant = delong_interval(labels, np.full((60, 3), 1 / 3))
    assert (constant.mean, constant.low, constant.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("labels", "shape", "words"),
    [
        ([0, 1, 2], (4, 3), "3 labels but scores of shape"),
        ([0, 1, 3], (3, 3), r"labels \[3\] are none of the 3 classes"),
        ([0, 1, 0.5], (3, 3), r"labels \[0.5\] are none"),
        ([0, 1, 1], (3, 3), "no jet of class 2 of 3"),
        ([0, 0, 0], (3, 1), "one score per jet"),
    ],
)
def test_bad_input_is_named(labels, shape, words):
    with pytest.raises(RunError, match=words):
        auc(labels, np.zeros(shape))


def test_a_single_jet_of_a_class_has_an_auc_but_no_error():
    scores = np.eye(3)[[0, 0, 1, 1, 2]]
    assert auc([0, 0, 1, 1, 2], scores) == 1
    with pytest.raises(RunError, match="1 jets of class 2"):
        delong([0, 0, 1, 1, 2], scores[None])
    with pytest.raises(RunError, match="not finite"):
        auc([0, 0, 1, 1, 2], scores * np.nan)
