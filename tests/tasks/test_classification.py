from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import log_loss, roc_auc_score

from jetbench.errors import SuiteError
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


def balanced(task: Classification, jets: Jets, *labels: int) -> Classification:
    return task.fitted(np.array(labels), jets.meta).balanced()


def test_binary_cross_entropy_is_that_of_torch(toy_jets: Jets) -> None:
    """In the loss, its gradient, validation and predictions; soft labels, as mixup has them, included."""
    task, single = Classification(loss="bce"), outputs(50, 1).requires_grad_()
    labels = torch.arange(50) % 2
    encoded = task.encode(labels, toy_jets.meta)
    assert (task.outputs(toy_jets.meta), encoded.shape) == (1, (50, 1))
    soft = 0.7 * encoded + 0.3 * encoded.flip(0)
    expected = F.binary_cross_entropy_with_logits(single, soft)
    assert float(task.loss(single, soft).detach()) == pytest.approx(float(expected.detach()), rel=1e-6)
    (mine,) = torch.autograd.grad(task.loss(single, soft), single)
    (theirs,) = torch.autograd.grad(F.binary_cross_entropy_with_logits(single, soft), single)
    torch.testing.assert_close(mine, theirs)
    found, judged = single.detach(), task.validate(single.detach(), labels)
    np.testing.assert_allclose(task.predict(found), torch.sigmoid(found[:, 0].double()), rtol=1e-12)
    assert judged["accuracy"] == pytest.approx(((found[:, 0] > 0) == (labels == 1)).float().mean())
    assert judged["auc"] == pytest.approx(roc_auc_score(labels, found[:, 0]))
    assert float(task.diagnostics(found, encoded)["accuracy"]) == pytest.approx(judged["accuracy"])


def test_two_outputs_have_the_binary_cross_entropy_of_their_difference(toy_jets: Jets) -> None:
    two, labels = outputs(50, 2), torch.arange(50) % 2
    one = two[:, 1:] - two[:, :1]
    tasks = [Classification(), Classification(loss="bce")]
    for task in [*tasks, *(balanced(task, toy_jets, 0, 0, 0, 1) for task in tasks)]:
        loss = task.loss(one if task.binary else two, task.encode(labels, toy_jets.meta))
        expected = F.binary_cross_entropy_with_logits(
            one[:, 0], labels.float(), None if task.weights is None else torch.tensor(task.weights)[labels]
        )
        assert float(loss) == pytest.approx(float(expected), rel=1e-6)


def test_binary_cross_entropy_is_for_two_classes(pronged_jets: Callable[[int, int], Jets], toy_jets: Jets) -> None:
    task, three = Classification(loss="bce"), pronged_jets(9, 3).meta
    told = "have 3 classes, and binary cross-entropy tells two apart; leave out the task's option `loss`"
    assert task.unmet(three, {"label"}) == told
    assert task.unmet(toy_jets.meta, {"label"}) == TASK.unmet(three, {"label"}) == ""
    with pytest.raises(SuiteError, match="these jets have 3 classes"):
        task.outputs(three)


def test_balanced_classes_have_the_same_weight(pronged_jets: Callable[[int, int], Jets]) -> None:
    """n/(K·n_k), jet by jet; validations and what trials are compared by do not know of it."""
    jets, values = pronged_jets(60, 3), outputs(10, 3)
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
    task = balanced(TASK, jets, *labels)
    losses = torch.log_softmax(values.double(), 1)[np.arange(10), labels]
    slow = -sum(float(loss) * 10 / (3 * np.sum(labels == k)) for loss, k in zip(losses, labels, strict=True)) / 10
    assert float(task.loss(values, task.encode(torch.from_numpy(labels), jets.meta))) == pytest.approx(slow, rel=1e-6)
    assert task.validate(values, torch.from_numpy(labels)) == TASK.validate(values, torch.from_numpy(labels))
    np.testing.assert_array_equal(task.losses(labels, task.predict(values)), TASK.losses(labels, TASK.predict(values)))
    assert balanced(TASK, jets, 0, 0, 2).weights == pytest.approx(
        (0.5, 0.0, 1.0)
    )  # there is nothing to weigh of a class without labels
