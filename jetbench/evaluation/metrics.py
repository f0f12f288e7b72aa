"""Metrics beside a task's own, by name, which a suite asks for: none is built in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from numpy.typing import ArrayLike

from jetbench.errors import PluginError
from jetbench.plugins import OpenRegistry
from jetbench.registry import Entry

__all__ = ["MetricEntry", "metrics"]


@dataclass(frozen=True)
class MetricEntry(Entry):
    """`target` is a function `(truth, predictions)` that gives a float: of n test jets the classes (n,) with the probabilities of
    class 1 of two (n,) or of all of more (n, K), or the true and the predicted numbers (n,). `heading` names it in tables, and
    `low` and `high` are the ends of its range, None where it has none. `tasks` are those whose predictions it judges, any where
    none is named."""

    table: ClassVar[str] = "metrics"

    heading: str = ""
    larger_is_better: bool = True
    low: float | None = None
    high: float | None = None
    digits: int = 4
    tasks: tuple[str, ...] = ()

    def judge(self, truth: ArrayLike, predictions: ArrayLike) -> float:
        """Compute it of test jets, arguments as for the function. Raises `PluginError` where the function fails, or where what it
        gives is no finite number of the metric's range."""
        function = self.load()
        try:
            value = float(function(truth, predictions))
        except Exception as error:
            raise self._error(f"fails: {type(error).__name__}: {error}") from error
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        if not (math.isfinite(value) and low <= value <= high):
            raise self._error(f"gives {value}, which is no number from {low:g} to {high:g}")
        return value

    def _error(self, what: str) -> PluginError:
        return PluginError(f"the metric {self.name!r} of {self.plugin.text if self.plugin else self.target} {what}")


metrics: OpenRegistry[MetricEntry] = OpenRegistry("metric", [])
