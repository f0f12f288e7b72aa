"""Which class a jet is of, two classes or more; class 0 is the background."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import SuiteError
from jetbench.evaluation.artifacts import evaluate_scores, write_evaluation, write_scores
from jetbench.evaluation.likelihood import log_losses, mean_probabilities
from jetbench.statistics.delong import auc, auc_influences, delong, mean_covariance, mean_difference_variance, paired_delong
from jetbench.tasks.task import LEAST, LOSS, MARGIN_SHARE, Metric, Paired, Part, Task

if TYPE_CHECKING:
    from torch import Tensor

    from jetbench.jets import Jets, Meta

__all__ = ["Classification"]

AUC = Metric(key="auc", name="AUC", larger_is_better=True, low=0.0, high=1.0)
ACCURACY = Metric(key="accuracy", name="accuracy", larger_is_better=True, low=0.0, high=1.0)

Loss = Literal["cross-entropy", "bce"]


class Classification(Task):
    """Cross-entropy of one output per class; with `loss` "bce" binary cross-entropy of one output, whose sigmoid is the
    probability of class 1 of two. Predictions are probabilities: of class 1 (n,) where there are two classes, of all of them
    (n, K) where there are more; the headline is the AUC, a mean over pairs of classes where there are more than two.

    Class weights are those of a training's loss alone: they are in no validation, and in nothing that trials are compared by."""

    column = "label"
    headline = AUC
    selectors = (LOSS, ACCURACY, AUC)
    chance = 0.5
    averaged = "logits"
    sections = ("rejection", "scores", "classes", "roc")

    def __init__(self, loss: Loss = "cross-entropy") -> None:
        self.binary = loss == "bce"
        self.shares: tuple[float, ...] = ()  # of the classes among the training labels
        self.weights: tuple[float, ...] | None = None  # of the classes in the loss of a training

    def unmet(self, meta: Meta, targets: Collection[str] | None) -> str:
        if len(meta.class_names) >= 2 and (targets is None or "label" in targets):
            return self._too_many(meta)
        found = f"one class only, {meta.class_names[0]!r}" if len(meta.class_names) == 1 else "no labels"
        return (
            f"have {found}, and arms are compared by telling classes apart; join files of several classes into one, or give "
            "these jets as --unlabelled"
        )

    def shortage(self, part: Part, strata: np.ndarray, meta: Meta) -> str:
        counts, (least, called) = np.bincount(strata, minlength=len(meta.class_names)), LEAST[part]
        if counts.min() >= least:
            return ""
        name = meta.class_names[int(counts.argmin())]
        return f"the class {name!r} has {counts.min()} of {counts.sum()} {called} and needs {least}"

    def outputs(self, meta: Meta) -> int:
        if reason := self._too_many(meta):
            raise SuiteError(f"these jets {reason}")
        return 1 if self.binary else len(meta.class_names)

    def _too_many(self, meta: Meta) -> str:
        classes = len(meta.class_names)
        if not self.binary or classes <= 2:
            return ""
        return f"have {classes} classes, and binary cross-entropy tells two apart; leave out the task's option `loss`"

    def target(self, jets: Jets) -> np.ndarray:
        return jets.targets["label"][:]

    def strata(self, jets: Jets) -> np.ndarray:
        return self.target(jets)

    def fitted(self, target: np.ndarray, meta: Meta) -> Self:
        counts = np.bincount(target, minlength=len(meta.class_names))
        task = copy(self)
        task.shares = tuple((counts / counts.sum()).tolist())
        return task

    def learnt(self) -> dict[str, Any]:
        return {"shares": list(self.shares)}

    def restored(self, learnt: Mapping[str, Any]) -> Self:
        task = copy(self)
        task.shares = tuple(learnt["shares"])
        return task

    def balanced(self) -> Self:
        """Return it with the weight n/(K·n_k) for class k of K with n_k of the n training labels: their mean weight is one."""
        task = copy(self)
        task.weights = tuple(1 / (len(self.shares) * share) if share else 0.0 for share in self.shares)
        return task

    def encode(self, target: Tensor, meta: Meta) -> Tensor:
        from torch.nn.functional import one_hot

        return target.float()[:, None] if self.binary else one_hot(target.long(), self.outputs(meta)).float()

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        return self._cross_entropy(outputs, encoded, "mean")

    def weighted_loss(self, outputs: Tensor, encoded: Tensor, weight: Tensor) -> Tensor:
        return (weight * self._cross_entropy(outputs, encoded, "none")).mean()

    def _cross_entropy(self, outputs: Tensor, encoded: Tensor, reduction: str) -> Tensor:
        from torch.nn.functional import cross_entropy

        weights = None if self.weights is None else outputs.new_tensor(self.weights)
        return cross_entropy(_per_class(outputs), _shares(encoded), weights, reduction=reduction)

    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]:
        hit = _per_class(outputs).argmax(1) == _shares(encoded).argmax(1)
        return {"accuracy": hit.float().mean().detach()}

    def predictions(self, outputs: Tensor) -> Tensor:
        import torch

        outputs = _per_class(outputs)
        if outputs.shape[1] == 2:
            return torch.sigmoid((outputs[:, 1] - outputs[:, 0]).double())
        return torch.softmax(outputs.double(), dim=1)

    def together(self, predictions: ArrayLike) -> np.ndarray:
        return mean_probabilities(predictions)

    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        """Return loss, accuracy and, where every class is there, AUC."""
        from torch.nn.functional import cross_entropy

        labels, outputs = target.long(), _per_class(outputs)
        metrics = {
            "loss": float(cross_entropy(outputs, labels)),
            "accuracy": float((outputs.argmax(1) == labels).float().mean()),
        }
        if len(labels.unique()) == outputs.shape[1]:
            metrics["auc"] = auc(labels.numpy(), self.predict(outputs))
        return metrics

    def losses(self, truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
        return log_losses(truth, predictions)

    def choose(self, truth: ArrayLike, predictions: ArrayLike, meta: Meta) -> dict[str, float]:
        scores = np.asarray(predictions)
        if self.shortage("validation", np.asarray(truth), meta):
            return {}
        areas, covariance = delong(truth, scores[None])
        return {
            "auc": float(areas[0]),
            "auc_se": float(np.sqrt(covariance[0, 0])),
            "loss": float(self.losses(truth, scores).mean()),
        }

    def evaluate(
        self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, jets: Jets, folder: Path
    ) -> tuple[dict[str, float], tuple[Path, ...]]:
        return write_evaluation(folder, truth, predictions, rows, jets.meta.class_names)

    def score(self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, meta: Meta, path: Path) -> dict[str, float]:
        metrics = evaluate_scores(truth, predictions, meta.class_names)
        write_scores(path, rows, truth, predictions)
        return metrics

    def paired(self, truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike) -> Paired:
        of_mean = mean_difference_variance(truth, arm, baseline, weights)
        return Paired(*paired_delong(truth, arm, baseline), of_mean)

    def covariance(self, truth: ArrayLike, predictions: ArrayLike, weights: ArrayLike) -> np.ndarray:
        return mean_covariance(truth, predictions, weights)

    def influences(self, truth: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        return auc_influences(truth, predictions)

    def margin(self, baseline: float) -> float:
        return MARGIN_SHARE * (1 - baseline)

    def margin_text(self, baseline: str) -> str:
        return f"{100 * MARGIN_SHARE:.3g} % of what {baseline} leaves"

    def headline_of(self, meta: Meta) -> Metric:
        return AUC.replace(name="AUC (one-vs-one)") if len(meta.class_names) > 2 else AUC


def _per_class(outputs: Tensor) -> Tensor:
    """Outputs (n, K), of which only differences count: a single one is that of class 1, beside 0 for class 0."""
    from torch.nn.functional import pad

    return pad(outputs, (1, 0)) if outputs.shape[1] == 1 else outputs


def _shares(encoded: Tensor) -> Tensor:
    """The shares of the classes (n, K) in each encoded target: a single number is that of class 1 of two."""
    import torch

    return torch.cat([1 - encoded, encoded], dim=1) if encoded.shape[1] == 1 else encoded
