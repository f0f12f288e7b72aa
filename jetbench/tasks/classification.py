"""Which class a jet is of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jetbench.errors import RunError
from jetbench.evaluation.artifacts import write_evaluation
from jetbench.evaluation.likelihood import likelihood
from jetbench.jets import Jets, Meta
from jetbench.statistics.delong import delong, mean_difference_variance, paired_delong
from jetbench.statistics.placements import auc
from jetbench.tasks.task import Metric, Paired, Task

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Classification"]

AUC = Metric(key="auc", name="AUC", low=0.0, high=1.0)


class Classification(Task):
    column = "label"
    selection = Metric(key="accuracy", name="accuracy", low=0.0, high=1.0)
    tuning = AUC
    headline = AUC
    files = ("scores.h5", "roc.json", "roc.png", "confusion.png", "confusion.json")

    def unmet(self, meta: Meta, targets: tuple[str, ...]) -> str:
        if "label" in targets and len(meta.class_names) > 1:
            return ""
        named = f"one class only, {meta.class_names[0]!r}" if meta.class_names else "no labels"
        return (
            f"they have {named}, and arms are compared by telling classes apart; join files of several classes into one, or give "
            "these jets as --unlabelled"
        )

    def outputs(self, meta: Meta) -> int:
        return len(meta.class_names)

    def target(self, jets: Jets) -> np.ndarray:
        labels: np.ndarray = jets.targets["label"][:]
        return labels

    def strata(self, jets: Jets) -> np.ndarray:
        return self.target(jets)

    def groups(self, meta: Meta) -> tuple[str, ...]:
        return tuple(f"the class {name!r}" for name in meta.class_names)

    def counts(self, strata: np.ndarray, meta: Meta) -> np.ndarray:
        return np.bincount(strata, minlength=len(meta.class_names))

    def refuse_training(self, target: np.ndarray, meta: Meta) -> None:
        if missing := [name for one, name in enumerate(meta.class_names) if one not in target]:
            raise RunError(f"no training label of {', '.join(missing)}; raise the label budget")

    def encode(self, target: Tensor, meta: Meta) -> Tensor:
        import torch.nn.functional as F

        return F.one_hot(target.long(), len(meta.class_names)).float()

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        import torch.nn.functional as F

        return F.cross_entropy(outputs, encoded)

    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]:
        return {"accuracy": (outputs.argmax(1) == encoded.argmax(1)).float().mean()}

    def predict(self, outputs: Tensor) -> np.ndarray:
        import torch

        if outputs.shape[1] == 2:
            return torch.sigmoid((outputs[:, 1] - outputs[:, 0]).double()).numpy()
        return torch.softmax(outputs.double(), dim=1).numpy()

    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        import torch.nn.functional as F

        labels = target.long()
        found = {
            "loss": float(F.cross_entropy(outputs, labels)),
            "accuracy": float((outputs.argmax(1) == labels).float().mean()),
        }
        if len(labels.unique()) == outputs.shape[1]:
            found["auc"] = auc(labels.numpy(), self.predict(outputs))
        return found

    def choose(self, truth: np.ndarray, predictions: np.ndarray, meta: Meta) -> dict[str, float]:
        if self.counts(truth, meta).min() < self.least["validation"]:
            return {}
        areas, covariance = delong(truth, predictions[None])
        return {
            "val/auc": float(areas[0]),
            "val/auc_se": float(np.sqrt(covariance[0, 0])),
            "val/loss": float(-np.log(likelihood(truth, predictions).clip(1e-12)).mean()),
        }

    def evaluate(
        self, truth: np.ndarray, predictions: np.ndarray, rows: np.ndarray, meta: Meta, folder: Path
    ) -> dict[str, float]:
        return write_evaluation(folder, truth, predictions, rows, meta.class_names)

    def paired(self, truth: np.ndarray, arm: np.ndarray, baseline: np.ndarray, weights: np.ndarray) -> Paired:
        values, baselines, variances = paired_delong(truth, arm, baseline)
        return Paired(values, baselines, variances, mean_difference_variance(truth, arm, baseline, weights))

    def margin(self, baseline: float) -> float:
        return 0.03 * (1 - baseline)
