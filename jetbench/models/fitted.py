"""Models that are fitted at once on a table of numbers: what they have in common, and boosted trees, the honest rivals."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, Self
from zipfile import BadZipFile

import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import replacing

__all__ = ["BoostedTrees", "FittedModel"]


class FittedModel(Protocol):
    """`fit` on a table (n, columns) and targets (n,): labels in 0 … K−1, each of which occurs, or floats to be regressed. Jets
    may have positive weights (n,) of mean one, `sample_weight`; those whose row says nothing of it are given none. `predict`
    gives the probabilities of signal (n,) for two classes, those of all classes (n, K) for more, or the regressed values (n,).
    `FILE` is what `save` writes, without pickle."""

    FILE: str

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        target: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None: ...
    def predict(self, table: np.ndarray) -> np.ndarray: ...
    def save(self, folder: Path) -> None: ...
    @classmethod
    def load(cls, folder: Path) -> Self: ...


class BoostedTrees:
    """Histogram gradient boosting. Leaves hold at least five jets where labels are few (the library's twenty would leave a
    tree of 80 jets with four leaves), and no early stopping on a handful."""

    FILE = "model.skops"

    def __init__(self, trees: int = 100, max_leaf_nodes: int = 15, min_samples_leaf: int = 5, l2: float = 1.0) -> None:
        self.options: dict[str, Any] = {
            "max_iter": trees,
            "max_leaf_nodes": max_leaf_nodes,
            "min_samples_leaf": min_samples_leaf,
            "l2_regularization": l2,
            "early_stopping": False,
        }
        self.model: Any = None

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        target: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        regressed = np.issubdtype(target.dtype, np.floating)
        kind = HistGradientBoostingRegressor if regressed else HistGradientBoostingClassifier
        self.model = kind(learning_rate=learning_rate, random_state=seed % 2**32, **self.options)
        self.model.fit(table, target, sample_weight)

    def predict(self, table: np.ndarray) -> np.ndarray:
        if not hasattr(self.model, "classes_"):
            return np.asarray(self.model.predict(table), np.float64)
        probabilities = self.model.predict_proba(table)
        return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities

    def save(self, folder: Path) -> None:
        import skops.io

        with replacing(folder / self.FILE) as temporary:
            skops.io.dump(self.model, temporary)

    @classmethod
    def load(cls, folder: Path) -> Self:
        import skops.io

        path, loaded = folder / cls.FILE, cls()
        try:
            unknown = set(skops.io.get_untrusted_types(file=path)) - TRUSTED
            if unknown:
                raise DataFileError(f"{path}: holds types that trees do not need ({', '.join(sorted(unknown))}); not loaded")
            loaded.model = skops.io.load(path, trusted=sorted(TRUSTED))
        except (BadZipFile, ValueError, KeyError) as error:
            raise DataFileError(f"{path}: damaged ({error}); train the run again") from error
        return loaded


TRUSTED = {"sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"}
