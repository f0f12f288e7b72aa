"""Evaluation of four classes: against scikit-learn, closed forms and the binary case."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, roc_auc_score

from jetbench.errors import RunError
from jetbench.evaluation.artifacts import read_scores, write_evaluation
from jetbench.evaluation.multiclass import class_keys, evaluate_classes, signal_against_background
from jetbench.evaluation.plots import PALETTE
from jetbench.seeds import numpy_rng
from jetbench.statistics.rejection import background_rejection

NAMES = ("QCD", "H→bb", "W", "top")


def sample(jets=800, classes=4):
    rng = numpy_rng("test-multiclass", classes)
    labels = rng.integers(0, classes, jets)
    logits = rng.normal(size=(jets, classes)) + 1.5 * np.eye(classes)[labels]
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return labels, scores, rng.permutation(10**6)[:jets]


def test_metrics_are_scikit_learns():
    labels, scores, _ = sample()
    found = evaluate_classes(labels, scores, NAMES)
    assert found["auc"] == pytest.approx(roc_auc_score(labels, scores, multi_class="ovo", average="macro"), abs=1e-12)
    assert found["auc_low"] < found["auc"] < found["auc_high"]
    assert found["accuracy"] == accuracy_score(labels, scores.argmax(axis=1))
    assert found["f1"] == pytest.approx(f1_score(labels, scores.argmax(axis=1), average="macro"))
    assert found["log_loss"] == pytest.approx(log_loss(labels, scores))
    for one, name in enumerate(class_keys(NAMES)):
        assert found[f"auc_{name}"] == pytest.approx(roc_auc_score(labels == one, scores[:, one]))
        assert found[f"total_{name}"] == np.count_nonzero(labels == one)


def test_rejection_is_that_of_the_two_classes_alone():
    labels, scores, _ = sample()
    found = evaluate_classes(labels, scores, NAMES)
    kept = np.isin(labels, [0, 3])
    ratio = scores[kept, 3] / (scores[kept, 3] + scores[kept, 0])
    expected = background_rejection(labels[kept] == 3, ratio, 50)
    assert found["background_rejection_50_top"] == expected.rejection
    assert found["background_rejection_50_top_low"] == expected.low
    assert found["background_left_50_top"] == expected.background_left
    assert "background_rejection_50_QCD" not in found


def test_a_jet_that_is_neither_has_one_half():
    labels, scores = np.array([0, 1, 2, 1]), np.array([[0, 0, 1], [0.2, 0.6, 0.2], [0, 0, 1], [1, 0, 0]])
    truth, ratio = signal_against_background(labels, scores, 1)
    assert truth.tolist() == [0, 1, 1]
    assert ratio == pytest.approx([0.5, 0.75, 0])


def test_perfect_probabilities_have_no_infinite_figure():
    labels = np.repeat([0, 1, 2], 20)
    found = evaluate_classes(labels, np.eye(3)[labels], ("a", "b", "c"))
    certain = {"auc": 1, "auc_se": 0, "auc_high": 1, "accuracy": 1, "f1": 1, "log_loss": 0, "ece": 0}
    assert {name: found[name] for name in certain} == certain
    assert "background_rejection_50_b" not in found
    assert found["background_rejection_50_b_low"] > 1
    assert np.isfinite(list(found.values())).all()


def test_calibration_of_the_most_probable_class():
    scores = np.array([[0.7, 0.2, 0.1]] * 10 + [[0.1, 0.1, 0.8]] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [2] * 10)  # right in 6 of 10 at 0.7, in 10 of 10 at 0.8
    assert evaluate_classes(labels, scores, ("a", "b", "c"))["ece"] == pytest.approx((0.1 + 0.2) / 2)


def test_names_that_would_be_ambiguous_in_a_metric_are_numbers():
    assert class_keys(["QCD", "H→bb", "Z qq"]) == ["QCD", "H_bb", "Z_qq"]
    assert (
        class_keys(["low", "top"])
        == class_keys(["top", "top_low"])
        == class_keys(["W+", "W-", "→"])[:2]
        == ["class-0", "class-1"]
    )


def test_the_files_of_four_classes(tmp_path):
    labels, scores, indices = sample()
    metrics, _ = write_evaluation(tmp_path, labels, scores, indices, NAMES)
    found = read_scores(tmp_path / "scores.h5")
    for column, expected in zip(found, (indices, labels, scores), strict=True):
        np.testing.assert_array_equal(column, expected)
    assert metrics == {f"test/{name}": value for name, value in evaluate_classes(*found[1:], NAMES).items()}
    curves = json.loads((tmp_path / "roc.json").read_text())
    assert list(curves) == ["H→bb vs QCD", "W vs QCD", "top vs QCD"]
    assert curves["top vs QCD"]["background_total"] == np.count_nonzero(labels == 0)
    table = json.loads((tmp_path / "confusion.json").read_text())
    assert table["counts"] == confusion_matrix(labels, scores.argmax(axis=1)).tolist()
    assert table["classes"] == list(NAMES)


def test_many_classes_have_pictures_too(tmp_path):
    classes = 14
    labels, scores, indices = sample(3000, classes)
    write_evaluation(tmp_path, labels, scores, indices, [f"class number {i}" for i in range(classes)])
    assert len(json.loads((tmp_path / "roc.json").read_text())) == 13 > len(PALETTE)
    assert (tmp_path / "roc.png").stat().st_size > 10_000
    assert (tmp_path / "confusion.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda labels, scores: (labels, scores[:, :3]), "800 jets of 4 classes"),
        (lambda labels, scores: (labels, scores * 2), "sum to one"),
        (lambda labels, scores: (labels, scores * np.nan), "not finite"),
        (lambda labels, scores: (labels % 3, scores), "no jet of class 3"),
        (lambda labels, scores: (labels + 1, scores), "none of the 4 classes"),
    ],
)
def test_what_cannot_be_evaluated_is_named_and_writes_nothing(change, words, tmp_path):
    labels, scores, indices = sample()
    with pytest.raises(RunError, match=words):
        write_evaluation(tmp_path / "run", *change(labels, scores), indices, NAMES)
    assert not (tmp_path / "run").exists()
