"""Tasks that each break one property of their contract, or of that of a metric which they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import torch  # noqa: F401 (which is what is wrong)
from torch import Tensor

from jetbench.tasks.classification import ACCURACY, AUC, Classification
from jetbench.tasks.regression import RMSE, Regression
from jetbench.tasks.task import LOSS


class Good(Classification):
    pass


class Reversed(Good):
    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        found = super().validate(outputs, target)
        return {**found, "loss": -found["loss"]}


class Detached(Good):
    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        return super().loss(outputs, encoded).double()


class Unnamed(Good):
    selectors = (LOSS, AUC)


class Coarse(Good):
    def predict(self, outputs: Tensor) -> np.ndarray:
        return super().predict(outputs).astype(np.float32)


class First(Good):
    def together(self, predictions: Any) -> np.ndarray:
        return np.asarray(predictions)[0]


class Forgetful(Good):
    def restored(self, learnt: Any) -> Self:
        return self


class NoError(Good):
    def choose(self, truth: Any, predictions: Any, meta: Any) -> dict[str, float]:
        return {**super().choose(truth, predictions, meta), "auc_se": 0.0}


class NotANumber(Good):
    def evaluate(self, truth: Any, predictions: Any, rows: Any, jets: Any, folder: Path) -> Any:
        metrics, files = super().evaluate(truth, predictions, rows, jets, folder)
        return {**metrics, "test/auc": float("nan")}, files


class Lenient(Good):
    def evaluate(self, truth: Any, predictions: Any, rows: Any, jets: Any, folder: Path) -> Any:
        return {}, ()


class Swapped(Good):
    def paired(self, truth: Any, arm: Any, baseline: Any, weights: Any) -> Any:
        return super().paired(truth, baseline, arm, weights)


class Independent(Good):
    def covariance(self, truth: Any, predictions: Any, weights: Any) -> np.ndarray:
        return np.diag(np.diag(super().covariance(truth, predictions, weights)))


class Strict(Good):
    def margin(self, baseline: float) -> float:
        return 10.0


class ByTens(Good):
    def strata(self, jets: Any) -> np.ndarray:
        return 10 * super().strata(jets)


class Silent(Good):
    def unmet(self, meta: Any, targets: Any) -> str:
        return ""


class Fickle(Good):
    def shortage(self, part: Any, strata: np.ndarray, meta: Any) -> str:
        return "" if len(strata) % 2 else "an odd number is needed"


class Sectionless(Good):
    sections = ("nowhere",)


class NoKey(Good):
    selectors = (LOSS, AUC, ACCURACY.replace(low=1.0, high=0.0))


class Beyond(Good):
    selectors = (LOSS, AUC, ACCURACY.replace(high=0.5))


class Backwards(Good):
    selectors = (LOSS, AUC, ACCURACY.replace(larger_is_better=False))


class NeverPerfect(Good):
    selectors = (LOSS, AUC, ACCURACY.replace(high=2.0))


class FirstHalf(Good):
    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        half = len(outputs) // 2
        return super().validate(outputs[:half], target[:half])


class Unitless(Regression):
    headline = RMSE
    selectors = (LOSS, RMSE)

    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        found = super().validate(outputs, target)
        return {**found, "rmse": found["rmse"] / self.spread}


class OfLogits(Good):
    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        found = super().validate(outputs, target)
        return {**found, "auc": found["auc"] - 1e-3 * float(outputs.abs().mean())}
