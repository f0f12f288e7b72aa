"""Boosted trees by LightGBM, a second opinion beside scikit-learn's. The package is an extra, imported where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import write_atomically

__all__ = ["LightGBM"]

# one thread and one way of building histograms: otherwise the library chooses by the clock, and sums differ in their last digits
SETTLED: dict[str, Any] = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
END = "end of parameters"  # of a model in LightGBM's text format, but for a line about pandas


class LightGBM:
    """Gradient boosting of trees that grow leaf by leaf. Options have the names and the defaults of `BoostedTrees`, so that
    the two differ in the library: leaves hold at least five jets where labels are few (LightGBM would have twenty)."""

    FILE = "model.txt"

    def __init__(self, trees: int = 100, max_leaf_nodes: int = 15, min_samples_leaf: int = 5, l2: float = 1.0) -> None:
        self.trees = trees
        self.options = {"num_leaves": max_leaf_nodes, "min_data_in_leaf": min_samples_leaf, "lambda_l2": l2}
        self.booster: Any = None

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        target: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        import lightgbm

        given = {**SETTLED, **self.options, **_objective(target), "learning_rate": learning_rate, "seed": seed % 2**31}
        jets = lightgbm.Dataset(np.asarray(table), target, weight=sample_weight, feature_name=list(names))
        self.booster = lightgbm.train(given, jets, num_boost_round=self.trees)

    def predict(self, table: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.predict(np.asarray(table), num_threads=1), np.float64)

    def save(self, folder: Path) -> None:
        write_atomically(folder / self.FILE, self.booster.model_to_string().encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        import lightgbm

        path, loaded = folder / cls.FILE, cls()
        text = path.read_text()
        if END not in text:  # the library's own reader ends the process at the first tree that is cut off
            raise DataFileError(f"{path}: not a whole model of LightGBM; train the run again")
        try:
            loaded.booster = lightgbm.Booster(model_str=text)
        except ValueError as error:  # of the line about pandas, which comes last
            raise DataFileError(f"{path}: not a whole model of LightGBM ({error}); train the run again") from error
        return loaded


def _objective(target: np.ndarray) -> dict[str, Any]:
    """What is minimised for targets (n,): floats are regressed, labels are told apart."""
    if np.issubdtype(target.dtype, np.floating):
        return {"objective": "regression"}
    classes = int(target.max()) + 1
    return {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": classes}
