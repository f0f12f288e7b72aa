"""A fitted model that keeps its contract, and for each property one that breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import numpy as np

from jetbench.models.floors import AnalyticMass, MassLikelihood


class Good(MassLikelihood):
    pass


class Scores(Good):
    def predict(self, table: np.ndarray) -> np.ndarray:
        return 3 * super().predict(table)


class Coarse(AnalyticMass):
    def predict(self, table: np.ndarray) -> np.ndarray:
        return super().predict(table).astype(np.float32)


class Global(Good):
    def predict(self, table: np.ndarray) -> np.ndarray:
        return super().predict(table) * np.random.rand()


class Weightless(Good):
    def fit(self, table, names, labels, seed, learning_rate) -> None:
        super().fit(table, names, labels, seed, learning_rate)


class InPlace(Good):
    def predict(self, table: np.ndarray) -> np.ndarray:
        table[:, 0] += 1
        return super().predict(table)


class OfTheBatch(Good):
    def predict(self, table: np.ndarray) -> np.ndarray:
        found = super().predict(table)
        return found / found.max()


class Forgetful(Good):
    @classmethod
    def load(cls, folder: Path) -> Self:
        loaded = super().load(folder)
        loaded.state["shares"] = loaded.state["shares"][::-1]
        return loaded


class Lenient(Good):
    @classmethod
    def load(cls, folder: Path) -> Self:
        loaded = cls()
        try:
            loaded.state = json.loads((folder / cls.FILE).read_text())
        except ValueError:
            loaded.state = {}
        return loaded
