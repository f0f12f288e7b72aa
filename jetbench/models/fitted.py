"""Models that are fitted at once on a table of observables: the honest rivals and the floors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import replacing, write_atomically

__all__ = ["BoostedTrees", "ClassPrior", "FittedModel", "MassCut"]


class FittedModel(Protocol):
    """`fit` on a table (n, columns) and targets (n,): labels in 0 … K−1, each of which occurs, or floats to be regressed.
    `predict` gives the probabilities of signal (n,) for two classes, those of all classes (n, K) for more, or the regressed
    values (n,). `FILE` is what `save` writes, without pickle."""

    FILE: str

    def fit(self, table: np.ndarray, names: tuple[str, ...], target: np.ndarray, seed: int, learning_rate: float) -> None: ...
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

    def fit(self, table: np.ndarray, names: tuple[str, ...], target: np.ndarray, seed: int, learning_rate: float) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        regressed = np.issubdtype(target.dtype, np.floating)
        kind = HistGradientBoostingRegressor if regressed else HistGradientBoostingClassifier
        self.model = kind(learning_rate=learning_rate, random_state=seed % 2**32, **self.options)
        self.model.fit(table, target)

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
        self.state: dict[str, Any] = {}

    def save(self, folder: Path) -> None:
        write_atomically(folder / self.FILE, json.dumps(self.state).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        loaded = cls()
        loaded.state = json.loads((folder / cls.FILE).read_text())
        return loaded


class MassCut(_JsonModel):
    """Two classes: heavier than a threshold is signal, or lighter where the labelled signal is (a quark jet beside gluon jets).
    The threshold is the one with the best accuracy on the labels; the score is a logistic function of the mass around it, so
    that its order is the mass's.

    More classes: a jet's probabilities are the shares of the classes among the labelled jets of its bin of mass. The bins hold
    equally many jets, 2 n^(1/3) bins for n labels (the Rice rule); the overall shares count as one more jet in each bin, so
    that no class is impossible anywhere."""

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None:
        mass = table[:, names.index("mass")].astype(float)
        self.state = {"column": names.index("mass")} | (_best_cut(mass, labels) if labels.max() < 2 else _bins(mass, labels))

    def predict(self, table: np.ndarray) -> np.ndarray:
        mass = table[:, int(self.state["column"])].astype(float)
        if "edges" in self.state:
            return np.array(self.state["shares"])[np.searchsorted(self.state["edges"], mass, "right")]
        return 1 / (1 + np.exp(-(mass - self.state["threshold"]) / self.state["width"]))


def _best_cut(mass: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """`threshold` and `width` [GeV]; a negative width says that signal is light."""
    if np.median(mass[labels == 1]) < np.median(mass[labels == 0]):
        mirrored = _best_cut(-mass, labels)
        return {name: -value for name, value in mirrored.items()}
    order = np.argsort(mass)
    # cutting before sorted jet i calls jets i.. signal: right are the signal above and the background below
    right = np.append(np.cumsum(labels[order][::-1])[::-1], 0) + np.append(0, np.cumsum(1 - labels[order]))
    best = int(np.argmax(right))
    edges = np.concatenate([mass[order][:1], (mass[order][1:] + mass[order][:-1]) / 2, mass[order][-1:]])
    return {"threshold": float(edges[best]), "width": max(float(np.std(mass)), 1e-9)}


def _bins(mass: np.ndarray, labels: np.ndarray) -> dict[str, list[Any]]:
    """Inner edges (bins−1,) and the shares (bins, K) of the classes."""
    bins = round(2 * len(mass) ** (1 / 3))
    edges = np.unique(np.quantile(mass, np.arange(1, bins) / bins))
    classes = np.eye(labels.max() + 1)[labels]
    counts = np.zeros((len(edges) + 1, classes.shape[1]))
    np.add.at(counts, np.searchsorted(edges, mass, "right"), classes)
    shares = (counts + classes.mean(axis=0)) / (counts.sum(axis=1, keepdims=True) + 1)
    return {"edges": edges.tolist(), "shares": shares.tolist()}


class ClassPrior(_JsonModel):
    """The shares of the classes among the labels."""

    def fit(self, table: np.ndarray, names: tuple[str, ...], labels: np.ndarray, seed: int, learning_rate: float) -> None:
        shares = np.bincount(labels) / len(labels)
        self.state = {"prior": float(labels.mean()) if len(shares) == 2 else shares.tolist()}

    def predict(self, table: np.ndarray) -> np.ndarray:
        return np.full((len(table), *np.shape(self.state["prior"])), self.state["prior"])
