"""Which class a jet is of, two classes or more; class 0 is the background."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from jetbench.evaluation.artifacts import evaluate_scores, write_evaluation, write_scores
from jetbench.evaluation.likelihood import log_losses
from jetbench.statistics.delong import auc, delong, mean_covariance, mean_difference_variance, paired_delong
from jetbench.tasks.task import LEAST, MARGIN_SHARE, Metric, Paired, Part, Task

if TYPE_CHECKING:
    from torch import Tensor

    from jetbench.jets import Jets, Meta

__all__ = ["Classification"]

AUC = Metric(key="auc", name="AUC", larger_is_better=True, low=0.0, high=1.0)


class Classification(Task):
    """Cross-entropy of one output per class. Predictions are probabilities: of class 1 (n,) where there are two classes, of all
    of them (n, K) where there are more; the headline is the AUC, a mean over pairs of classes where there are more than two."""

    column = "label"
    headline = AUC
    chance = 0.5
    sections = ("rejection", "scores", "classes", "roc")

    def unmet(self, meta: Meta, targets: Collection[str] | None) -> str:
        if len(meta.class_names) >= 2 and (targets is None or "label" in targets):
            return ""
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
        return len(meta.class_names)

    def target(self, jets: Jets) -> np.ndarray:
        return jets.targets["label"][:]

    def strata(self, jets: Jets) -> np.ndarray:
        return self.target(jets)

    def encode(self, target: Tensor, meta: Meta) -> Tensor:
        from torch.nn.functional import one_hot

        return one_hot(target.long(), self.outputs(meta)).float()

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        return cross_entropy(outputs, encoded)

    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]:
        hit = outputs.argmax(1) == encoded.argmax(1)
        return {"accuracy": hit.float().mean().detach()}

    def predict(self, outputs: Tensor) -> np.ndarray:
        import torch

        if outputs.shape[1] == 2:
            return torch.sigmoid((outputs[:, 1] - outputs[:, 0]).double()).numpy()
        return torch.softmax(outputs.double(), dim=1).numpy()

    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        """Return loss, accuracy and, where every class is there, AUC."""
        from torch.nn.functional import cross_entropy

        labels = target.long()
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

    def margin(self, baseline: float) -> float:
        return MARGIN_SHARE * (1 - baseline)

    def margin_text(self, baseline: str) -> str:
        return f"{100 * MARGIN_SHARE:.3g} % of what {baseline} leaves"

    def headline_of(self, meta: Meta) -> Metric:
        return AUC.replace(name="AUC (one-vs-one)") if len(meta.class_names) > 2 else AUC
