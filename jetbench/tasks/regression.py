"""A number of each jet in GeV, as its mass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from jetbench.evaluation.artifacts import write_predictions
from jetbench.evaluation.regression import (
    evaluate_regression,
    mean_rmse_covariance,
    paired_rmse,
    residuals,
    rmse,
    rmse_error,
    rmse_influences,
)
from jetbench.evaluation.regression_files import write_regression
from jetbench.tasks.forgery import forgery
from jetbench.tasks.task import LEAST, LOSS, MARGIN_SHARE, Metric, Paired, Part, Task

if TYPE_CHECKING:
    from torch import Tensor

    from jetbench.jets import Jets, Meta

__all__ = ["Regression"]

RMSE = Metric(key="rmse", name="RMSE", larger_is_better=False, low=0.0, unit="GeV", digits=3)
QUANTILES = 10  # strata of jets without classes


class Regression(Task):
    """Smooth L1 of one output, which stands for the target's distance from the mean of the training labels in units of their
    spread: errors beyond that spread weigh linearly. Predictions (n,) are in GeV, as the target is; the headline is the root of
    their mean squared error. `target` is a column among the targets of the jets. Losses of trainings on the same labels, as those
    of the trials of a study, are in the same unit."""

    headline = RMSE
    selectors = (LOSS, RMSE)
    averaged = "predicted numbers"
    sections = ("errors", "prediction", "residuals", "bins")

    def __init__(self, target: str = "gen_sdmass") -> None:
        self.column, self.quantity = target, _quantity(target)
        self.mean, self.spread = 0.0, 1.0  # [GeV], before there are training labels

    def unmet(self, meta: Meta, targets: Collection[str] | None) -> str:
        own = set() if "jet_pt" in meta.unknown else {"pt"}
        if targets is None or self.column in own.union(targets):
            return ""
        others = sorted(own.union(targets) - {"label"})
        alike = [name for name in others if self.quantity and _quantity(name) == self.quantity]
        remedy = f"; --set task.options.target={(alike or others)[0]} takes that" if len(alike or others) == 1 else ""
        remedy = remedy or ("; --set task.options.target=NAME takes another" if others else "")
        return f"have no {self.column!r} to predict; targets that they have: {', '.join(others) or 'none'}{remedy}"

    def forged(self, jets: Jets) -> str:
        return forgery(jets, self.target(jets))

    def shortage(self, part: Part, strata: np.ndarray, meta: Meta) -> str:
        least, called = LEAST[part]
        return "" if len(strata) >= least else f"{least} {called} are needed, at the least, and there are {len(strata)}"

    def outputs(self, meta: Meta) -> int:
        return 1

    def target(self, jets: Jets) -> np.ndarray:
        return jets.predictable()[self.column][:]

    def strata(self, jets: Jets) -> np.ndarray:
        """Return the class of each jet; where there are none, the tenth of the jets, by target, that it belongs to."""
        if "label" in jets.targets:
            return jets.targets["label"][:]
        truth = self.target(jets)
        return np.searchsorted(np.quantile(truth, np.arange(1, QUANTILES) / QUANTILES), truth, side="right")

    def fitted(self, target: np.ndarray, meta: Meta) -> Self:
        task, values = copy(self), np.asarray(target, np.float64)
        task.mean, task.spread = float(values.mean()), float(values.std()) or 1.0  # equal targets have no spread
        return task

    def learnt(self) -> dict[str, Any]:
        return {"mean": self.mean, "spread": self.spread}

    def restored(self, learnt: Mapping[str, Any]) -> Self:
        task = copy(self)
        task.mean, task.spread = learnt["mean"], learnt["spread"]
        return task

    def encode(self, target: Tensor, meta: Meta) -> Tensor:
        return ((target.double() - self.mean) / self.spread).float()[:, None]

    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        from torch.nn.functional import smooth_l1_loss

        return smooth_l1_loss(outputs, encoded)

    def weighted_loss(self, outputs: Tensor, encoded: Tensor, weight: Tensor) -> Tensor:
        from torch.nn.functional import smooth_l1_loss

        return (weight[:, None] * smooth_l1_loss(outputs, encoded, reduction="none")).mean()

    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]:
        return {"rmse": self.spread * (outputs - encoded).square().mean().sqrt().detach()}

    def predictions(self, outputs: Tensor) -> Tensor:
        return self.mean + self.spread * outputs[:, 0].double()

    def together(self, predictions: ArrayLike) -> np.ndarray:
        return np.asarray(predictions, np.float64).mean(axis=0)

    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        """Return loss and RMSE."""
        error = self.predict(outputs) - target.double().numpy()
        return {"loss": float(self._smooth(error).mean()), "rmse": float(np.sqrt(np.square(error).mean()))}

    def losses(self, truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
        return self._smooth(residuals(truth, predictions))

    def choose(self, truth: ArrayLike, predictions: ArrayLike, meta: Meta) -> dict[str, float]:
        if self.shortage("validation", np.asarray(truth), meta):
            return {}
        return {
            "rmse": float(rmse(truth, predictions)),
            "rmse_se": float(rmse_error(truth, predictions)),
            "loss": float(self.losses(truth, predictions).mean()),
        }

    def evaluate(
        self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, jets: Jets, folder: Path
    ) -> tuple[dict[str, float], tuple[Path, ...]]:
        pt = None if "jet_pt" in jets.meta.unknown else jets.jet_pt[:][np.asarray(rows)]
        return write_regression(folder, truth, predictions, rows, self.column, pt)

    def score(self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, meta: Meta, path: Path) -> dict[str, float]:
        metrics = evaluate_regression(truth, predictions)
        write_predictions(path, rows, truth, predictions)
        return metrics

    def paired(self, truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike) -> Paired:
        return Paired(*paired_rmse(truth, arm, baseline, weights))

    def covariance(self, truth: ArrayLike, predictions: ArrayLike, weights: ArrayLike) -> np.ndarray:
        return mean_rmse_covariance(truth, predictions, weights)

    def influences(self, truth: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        return rmse_influences(truth, predictions)

    def margin(self, baseline: float) -> float:
        return MARGIN_SHARE * baseline

    def margin_text(self, baseline: str) -> str:
        return f"{100 * MARGIN_SHARE:.3g} % of the RMSE of {baseline}"

    def _smooth(self, error: np.ndarray) -> np.ndarray:
        """Smooth L1 of errors (n,) [GeV] in units of the spread."""
        size = np.abs(error) / self.spread
        return np.where(size < 1, size**2 / 2, size - 0.5)


def _quantity(column: str) -> Literal["mass", "pt", ""]:
    """What a column is, by the last word of its name: "gen_sdmass", "m0", "jet_pt"."""
    last = column.lower().split("_")[-1]
    if last == "pt":
        return "pt"
    return "mass" if last.endswith("mass") or last in ("m", "m0", "msd") else ""
