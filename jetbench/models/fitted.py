"""Models that are fitted at once on a table of observables: the honest rivals and the floors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from jetbench.errors import DataFileError

__all__ = ["BoostedTrees", "ClassPrior", "FittedModel", "MassCut"]


class FittedModel(Protocol):
    """`fit` on a table (n, observables) and labels 0/1 (n,); `scores` are signal probabilities (n,); stored without pickle."""

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None: ...
    def scores(self, table: np.ndarray) -> np.ndarray: ...
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

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        self.model = HistGradientBoostingClassifier(learning_rate=learning_rate, random_state=seed % 2**32, **self.options)
        self.model.fit(table, labels)

    def scores(self, table: np.ndarray) -> np.ndarray:
        return self.model.predict_proba(table)[:, 1]

    def save(self, folder: Path) -> None:
        import skops.io

        skops.io.dump(self.model, folder / self.FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        import skops.io

        path = folder / cls.FILE
        unknown = set(skops.io.get_untrusted_types(file=path)) - TRUSTED
        if unknown:
            raise DataFileError(f"{path}: holds types that trees do not need ({', '.join(sorted(unknown))}); not loaded")
        loaded = cls()
        loaded.model = skops.io.load(path, trusted=sorted(TRUSTED))
        return loaded


TRUSTED = {"sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"}


class _JsonModel:
    """A fitted model whose state is a few numbers."""

    FILE = "model.json"

    def __init__(self) -> None:
        self.state: dict[str, float] = {}

    def save(self, folder: Path) -> None:
        (folder / self.FILE).write_text(json.dumps(self.state))

    @classmethod
    def load(cls, folder: Path) -> Self:
        loaded = cls()
        loaded.state = json.loads((folder / cls.FILE).read_text())
        return loaded


class MassCut(_JsonModel):
    """Heavier than a threshold is signal. The threshold is the one with the best accuracy on the labels; the score is a
    logistic function of the mass around it, so that its order is the mass's."""

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None:
        mass = table[:, names.index("mass")].astype(float)
        order = np.argsort(mass)
        # cutting before sorted jet i calls jets i.. signal: right are the signal above and the background below
        right = np.append(np.cumsum(labels[order][::-1])[::-1], 0) + np.append(0, np.cumsum(1 - labels[order]))
        best = int(np.argmax(right))
        edges = np.concatenate([mass[order][:1], (mass[order][1:] + mass[order][:-1]) / 2, mass[order][-1:]])
        self.state = {"column": names.index("mass"), "threshold": float(edges[best]), "width": max(float(np.std(mass)), 1e-9)}

    def scores(self, table: np.ndarray) -> np.ndarray:
        mass = table[:, int(self.state["column"])].astype(float)
        return 1 / (1 + np.exp(-(mass - self.state["threshold"]) / self.state["width"]))


class ClassPrior(_JsonModel):
    """The share of signal among the labels."""

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None:
        self.state = {"prior": float(labels.mean())}

    def scores(self, table: np.ndarray) -> np.ndarray:
        return np.full(len(table), self.state["prior"])
