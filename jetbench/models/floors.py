"""Floors: models without training that every other must clear."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import numpy as np

from jetbench.errors import DataFileError
from jetbench.files import write_atomically

__all__ = ["AnalyticMass", "ClassMean", "ClassPrior", "GroomedMass", "MassDistance", "MassLikelihood"]

POINTS = 512  # masses at which densities are kept: closer to each other than a bandwidth is wide, up to millions of labels
BANDWIDTH = 1.06  # of the normal reference rule
HALF = 0.2  # of the peak's mass: the distance at which a jet is as likely signal as not; nine tops in ten are nearer


class _JsonModel:
    """A fitted model whose state is a few numbers."""

    FILE = "model.json"

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def save(self, folder: Path) -> None:
        write_atomically(folder / self.FILE, json.dumps(self.state).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        path, loaded = folder / cls.FILE, cls()
        try:
            loaded.state = json.loads(path.read_text())
        except ValueError as error:  # of no UTF-8 too
            raise DataFileError(f"{path}: damaged ({error}); train the run again") from error
        return loaded


class MassLikelihood(_JsonModel):
    """The likelihood ratio in the jet mass, for any number of classes: a jet's probabilities are the shares of the classes at its
    mass, by a kernel density of each class.

    Kernels are Gaussian; their width is the normal reference rule's, 1.06 s n^(-1/5) for the n labelled jets of a class with the
    standard deviation s (Silverman, Density Estimation for Statistics and Data Analysis, 1986, equation 3.28). One more jet,
    shared among the classes as the labels are, is anywhere between the smallest and the largest mass, so that no class is
    impossible. Bins would give jets of one bin the same score, which costs 0.014 of AUC with 80 training jets. Of jets with
    weights w, n is (Σw)²/Σw², and the shares are those of the weights."""

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        labels: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        mass = table[:, names.index("mass")].astype(float)
        grid = np.linspace(mass.min(), max(mass.max(), mass.min() + 1e-6), POINTS)
        spread, weight = 1 / (len(mass) * (grid[-1] - grid[0])), sample_weight
        found = [
            _kernels(mass[one], grid, mass.std(), None if weight is None else weight[one]) + _total(one, weight) * spread
            for one in _members(labels)
        ]
        densities = np.stack(found, axis=1)
        shares = densities / densities.sum(axis=1, keepdims=True)
        self.state = {"column": names.index("mass"), "grid": grid.tolist(), "shares": shares.tolist()}

    def predict(self, table: np.ndarray) -> np.ndarray:
        mass, shares = table[:, int(self.state["column"])].astype(float), np.array(self.state["shares"]).T
        found = np.stack([np.interp(mass, self.state["grid"], share) for share in shares], axis=1)
        return found[:, 1] if len(shares) == 2 else found


def _members(labels: np.ndarray) -> list[np.ndarray]:
    """Which jets (n,) are of each class."""
    return [labels == one for one in range(labels.max() + 1)]


def _total(members: np.ndarray, weight: np.ndarray | None) -> float:
    """How many jets there are where `members` (n,) is true, or what their weights (n,) add up to."""
    return float(members.sum() if weight is None else weight[members].sum())


def _kernels(mass: np.ndarray, grid: np.ndarray, spread: float, weight: np.ndarray | None) -> np.ndarray:
    """The sum of the kernels of a class's masses (k,) [GeV] at the points of the grid [1/GeV], each mass moved to the nearest
    point and counted with its `weight` (k,); `spread`, that of all classes, stands for a class's own where that is zero."""
    step = grid[1] - grid[0]
    own, jets = _spread(mass, weight)
    width = max(BANDWIDTH * (own if np.ptp(mass) else spread) * jets**-0.2, step)
    counts = np.bincount(np.rint((mass - grid[0]) / step).astype(int), weight, minlength=len(grid))
    return np.exp(-0.5 * ((grid[:, None] - grid) / width) ** 2) @ counts / (width * np.sqrt(2 * np.pi))


def _spread(mass: np.ndarray, weight: np.ndarray | None) -> tuple[float, float]:
    """The standard deviation of masses (k,), and of how many jets it is: with weights (k,) Kish's effective number."""
    if weight is None:
        return (float(np.std(mass, ddof=1)) if len(mass) > 1 else 0.0), len(mass)
    jets = float(weight.sum() ** 2 / (weight**2).sum())
    variance = float(np.average((mass - np.average(mass, weights=weight)) ** 2, weights=weight))
    return float(np.sqrt(variance * jets / (jets - 1))) if jets > 1 else 0.0, jets


class MassDistance(_JsonModel):
    """The distance of the jet mass from the `mass` [GeV] at which the signal peaks, without a look at any label: the score falls
    with |m − mass|, to one half at a fifth of `mass`. The default is the mass of the top quark (Particle Data Group, direct
    measurements)."""

    def __init__(self, mass: float = 172.5) -> None:
        super().__init__()
        self.mass = mass

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        labels: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        self.state = {"column": names.index("mass"), "mass": self.mass}

    def predict(self, table: np.ndarray) -> np.ndarray:
        mass, peak = table[:, int(self.state["column"])].astype(float), self.state["mass"]
        return 0.5 ** (np.abs(mass - peak) / (HALF * peak))


class ClassPrior(_JsonModel):
    """The shares of the classes among the labels, or among the weights of their jets."""

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        labels: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        shares = np.bincount(labels, sample_weight) / len(labels)
        signal = float(np.average(labels, weights=sample_weight))
        self.state = {"prior": signal if len(shares) == 2 else shares.tolist()}

    def predict(self, table: np.ndarray) -> np.ndarray:
        return np.full((len(table), *np.shape(self.state["prior"])), self.state["prior"])


class ClassMean(_JsonModel):
    """The mean target of the training jets of a jet's true class, weighted as they are; that of all of them for a class that none
    of them has."""

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        target: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        column = names.index("label")
        classes = table[:, column].astype(int)
        means = {str(one): _mean(target, sample_weight, classes == one) for one in np.unique(classes)}
        self.state = {"column": column, "means": means, "mean": _mean(target, sample_weight, np.ones(len(target), bool))}

    def predict(self, table: np.ndarray) -> np.ndarray:
        means, rest = self.state["means"], self.state["mean"]
        return np.array([means.get(str(int(one)), rest) for one in table[:, int(self.state["column"])]], np.float64)


def _mean(target: np.ndarray, weight: np.ndarray | None, members: np.ndarray) -> float:
    return float(np.average(target[members], weights=None if weight is None else weight[members]))


class AnalyticMass(_JsonModel):
    """The mass that the view shows, as it is: nothing is fitted."""

    COLUMN = "mass"

    def fit(
        self,
        table: np.ndarray,
        names: tuple[str, ...],
        target: np.ndarray,
        seed: int,
        learning_rate: float,
        sample_weight: np.ndarray | None = None,
    ) -> None:
        self.state = {"column": names.index(self.COLUMN)}

    def predict(self, table: np.ndarray) -> np.ndarray:
        return table[:, int(self.state["column"])].astype(np.float64)


class GroomedMass(AnalyticMass):
    """The soft-drop mass that the view shows, as it is."""

    COLUMN = "softdrop_mass"
