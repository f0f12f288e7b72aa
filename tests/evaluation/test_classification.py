import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn import metrics as sklearn_metrics

from jetbench.errors import JetbenchError
from jetbench.evaluation.classification import confusion, evaluate_binary, expected_calibration_error
from jetbench.seeds import numpy_rng
from jetbench.statistics.delong import delong, delong_interval
from jetbench.statistics.rejection import background_rejection

KEYS = {
    "auc",
    "auc_se",
    "auc_low",
    "auc_high",
    "accuracy",
    "f1",
    "log_loss",
    "ece",
    "signal_total",
    "background_total",
    *(f"background_left_{x}" for x in (30, 50)),
    *(f"background_rejection_{x}{end}" for x in (30, 50) for end in ("", "_low", "_high")),
}


def sample(jets=2000, separation=1.5):
    rng = numpy_rng("test-classification")
    labels = rng.integers(0, 2, jets)
    return labels, expit(rng.normal(size=jets) + separation * (labels - 0.5))


def test_every_metric_against_its_source():
    labels, scores = sample()
    found = evaluate_binary(labels, scores)
    area, rejection = delong_interval(labels, scores), background_rejection(labels, scores, 30)
    assert found.keys() == KEYS
    assert found["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(labels, scores))
    assert found["auc_se"] == pytest.approx(math.sqrt(delong(labels, scores[None])[1][0, 0]))
    assert (found["auc_low"], found["auc_high"]) == (area.low, area.high)
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, scores >= 0.5))
    assert found["f1"] == pytest.approx(sklearn_metrics.f1_score(labels, scores >= 0.5))
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(labels, scores))
    assert found["background_rejection_30"] == rejection.rejection
    assert found["background_left_30"] == rejection.background_left
    assert found["signal_total"] + found["background_total"] == 2000
    assert all(isinstance(value, float) and math.isfinite(value) for value in found.values())


def test_no_background_left_is_no_number():
    found = evaluate_binary(np.repeat([0, 1], 50), np.repeat([0.1, 0.9], 50))
    assert KEYS - found.keys() == {f"background_rejection_{x}{end}" for x in (30, 50) for end in ("", "_high")}
    assert (found["background_left_30"], found["auc"], found["auc_high"], found["auc_se"]) == (0, 1, 1, 0)
    assert found["background_rejection_30_low"] > 10
    assert 0.9 < found["auc_low"] < 1


def test_certain_and_wrong_scores_stay_finite():
    found = evaluate_binary([0, 0, 1, 1], [1.0, 1.0, 0.0, 0.0])
    assert found["log_loss"] == pytest.approx(-math.log(np.finfo(float).eps))
    assert (found["auc"], found["accuracy"], found["f1"], found["ece"]) == (0, 0, 0, 1)


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.floats(0, 1))
def test_confusion_is_sklearns(jets, threshold):
    labels, scores = np.array([jet[0] for jet in jets]), np.array([jet[1] for jet in jets])
    expected = sklearn_metrics.confusion_matrix(labels, scores >= threshold, labels=[0, 1])
    np.testing.assert_array_equal(confusion(labels, scores, threshold), expected)


def test_calibration_error_by_hand():
    labels, scores = [1, 0, 0, 1], [0.05, 0.05, 1.0, 0.99]
    assert expected_calibration_error(labels, scores, bins=10) == pytest.approx((2 * 0.45 + 2 * (0.995 - 0.5)) / 4)


def test_calibrated_scores_have_a_small_calibration_error():
    rng = numpy_rng("calibrated")
    scores = rng.uniform(size=50_000)
    assert expected_calibration_error(rng.uniform(size=50_000) < scores, scores) < 0.01
    assert expected_calibration_error(rng.uniform(size=50_000) < scores, scores**3) > 0.1


@pytest.mark.parametrize(
    ("labels", "scores", "words"),
    [
        ([1, 1, 1], [0.1, 0.2, 0.3], "both classes"),
        ([0, 1, 1], [0.1, np.nan, 0.3], "not finite"),
        ([0, 1, 1], [0.1, 0.2], "3 labels"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "name two classes"),
        ([0, 1, 1], [[0.1, 0.9]] * 3, "one probability of signal per jet"),
        ([0, 0, 1, 1], [0.1, -2.0, 0.3, 0.4], "probabilities of signal are needed"),
        ([0, 1, 1], [0.1, 0.2, 0.3], "two of each"),
        ([], [], "no jets"),
    ],
)
def test_what_cannot_be_evaluated_is_one_clear_error(labels, scores, words):
    with pytest.raises(JetbenchError, match=words):
        evaluate_binary(labels, scores)


def test_confusion_needs_one_score_per_jet():
    with pytest.raises(JetbenchError, match="one score per jet"):
        confusion([0, 1], [0.5])
