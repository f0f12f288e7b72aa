"""What a task is: the target, the loss, the metrics, and the statistic that compares two arms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jetbench.jets import Jets, Meta
from jetbench.values import Value

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Metric", "Paired", "Task"]


class Metric(Value):
    """A metric by its key; `low` and `high` are the ends of its range, None where it has none."""

    key: str
    name: str
    larger_is_better: bool = True
    low: float | None = None
    high: float | None = None
    unit: str = ""
    digits: int = 4

    def better(self, value: float, other: float) -> bool:
        """Whether a value is better than another one."""
        return value > other if self.larger_is_better else value < other


@dataclass(frozen=True, eq=False)
class Paired:
    """The headline metric of an arm and its baseline, each (seeds,), the variances (seeds,) of their differences over the test
    sample, and that of the mean difference."""

    values: np.ndarray
    baselines: np.ndarray
    variances: np.ndarray
    variance_of_mean: float


class Task(ABC):
    """`column` is the target's name in a file of jets. `least` is how many jets of each group each part of a split needs."""

    column: str
    selection: Metric
    tuning: Metric
    headline: Metric
    sections: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    least: ClassVar[Mapping[str, int]] = {"test": 2, "train": 1, "validation": 2}

    @abstractmethod
    def unmet(self, meta: Meta, targets: tuple[str, ...]) -> str: ...
    @abstractmethod
    def outputs(self, meta: Meta) -> int: ...
    @abstractmethod
    def target(self, jets: Jets) -> np.ndarray: ...
    @abstractmethod
    def strata(self, jets: Jets) -> np.ndarray: ...
    @abstractmethod
    def groups(self, meta: Meta) -> tuple[str, ...]: ...
    @abstractmethod
    def counts(self, strata: np.ndarray, meta: Meta) -> np.ndarray: ...
    @abstractmethod
    def refuse_training(self, target: np.ndarray, meta: Meta) -> None: ...
    @abstractmethod
    def encode(self, target: Tensor, meta: Meta) -> Tensor: ...
    @abstractmethod
    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor: ...
    @abstractmethod
    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]: ...
    @abstractmethod
    def predict(self, outputs: Tensor) -> np.ndarray: ...
    @abstractmethod
    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]: ...
    @abstractmethod
    def choose(self, truth: np.ndarray, predictions: np.ndarray, meta: Meta) -> dict[str, float]: ...
    @abstractmethod
    def evaluate(
        self, truth: np.ndarray, predictions: np.ndarray, rows: np.ndarray, meta: Meta, folder: Path
    ) -> dict[str, float]: ...
    @abstractmethod
    def paired(self, truth: np.ndarray, arm: np.ndarray, baseline: np.ndarray, weights: np.ndarray) -> Paired: ...
    @abstractmethod
    def margin(self, baseline: float) -> float: ...
