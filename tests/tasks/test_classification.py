from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, roc_auc_score

from jetbench.jets import Jets
from jetbench.tasks.classification import Classification

TASK = Classification()


def outputs(jets: int, classes: int) -> torch.Tensor:
    return 2 * torch.randn(jets, classes, generator=torch.Generator().manual_seed(classes))


def test_predictions_are_probabilities() -> None:
    two, four = outputs(50, 2), outputs(50, 4)
    np.testing.assert_allclose(TASK.predict(two), torch.softmax(two.double(), 1)[:, 1], rtol=1e-6)
    assert TASK.predict(four).shape == (50, 4)
    np.testing.assert_allclose(TASK.predict(four).sum(axis=1), 1)


@pytest.mark.parametrize("classes", [2, 4])
def test_numbers_of_a_validation_are_those_of_others(classes: int, pronged_jets: Callable[[int, int], Jets]) -> None:
    jets = pronged_jets(200, classes)
    labels, values = TASK.target(jets), outputs(200, classes)
    scores = TASK.predict(values)
    judged, chosen = TASK.validate(values, torch.from_numpy(labels)), TASK.choose(labels, scores, jets.meta)
    area = roc_auc_score(labels, scores, multi_class="ovo", average="macro")
    assert judged["auc"] == pytest.approx(area)
    assert chosen["auc"] == pytest.approx(area)
    assert judged["accuracy"] == pytest.approx(np.mean(values.argmax(1).numpy() == labels))
    for found in (judged, chosen):
        assert found["loss"] == pytest.approx(log_loss(labels, torch.softmax(values.double(), 1)), rel=1e-5)


def test_an_epoch_without_a_class_has_no_auc() -> None:
    assert set(TASK.validate(outputs(6, 2), torch.zeros(6, dtype=torch.int32))) == {"loss", "accuracy"}


def test_a_class_that_is_too_rare_is_named(pronged_jets: Callable[[int, int], Jets]) -> None:
    meta = pronged_jets(9, 3).meta
    labels = np.array([0, 0, 1, 1, 1, 2])
    assert TASK.shortage("train", labels, meta) == ""
    assert (
        TASK.shortage("train", labels[:-1], meta) == f"the class {meta.class_names[2]!r} has 0 of 5 training labels and needs 1"
    )
    assert TASK.shortage("test", labels, meta) == f"the class {meta.class_names[2]!r} has 1 of 6 test jets and needs 2"
    assert "1 of 6 validation labels, on which trials are compared, and needs 2" in TASK.shortage("validation", labels, meta)
    assert TASK.choose(labels, TASK.predict(outputs(6, 3)), meta) == {}


def test_two_classes_with_labels_are_needed(toy_jets: Jets) -> None:
    for names, targets, found in [
        ((), None, "no labels"),
        (("qcd",), {"label"}, "one class only, 'qcd'"),
        (("a", "b"), (), "no labels"),
    ]:
        told = TASK.unmet(toy_jets.meta.replace(class_names=names), targets)
        assert told.startswith(f"have {found}, and arms are compared by telling classes apart")


def test_the_margin_is_a_share_of_what_is_left(toy_jets: Jets, pronged_jets: Callable[[int, int], Jets]) -> None:
    assert TASK.margin(0.9) == pytest.approx(0.003)
    assert TASK.margin_text("scratch") == "3 % of what scratch leaves"
    assert TASK.headline_of(toy_jets.meta).name == "AUC"
    assert TASK.headline_of(pronged_jets(9, 3).meta).name == "AUC (one-vs-one)"
