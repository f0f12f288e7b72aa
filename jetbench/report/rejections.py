"""R_x over the seeds of an arm: the background rejection 1/ε_B where x % of the signal is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jetbench.report.results import Results

__all__ = ["SeedRejection", "seed_rejection"]


@dataclass(frozen=True)
class SeedRejection:
    """R_x over the seeds of an arm. `mean` is over those that have background left; `empty` counts the others, for which 1/ε_B is
    larger than anything this test set can show, so that with any of them the mean is a lower bound. `low` is the least of the
    seeds' lower 95 % limits, `left` the mean number of background jets."""

    mean: float | None
    low: float
    left: float
    empty: int
    seeds: int

    @property
    def text(self) -> str:
        if self.mean is None:
            return f">{math.floor(self.low)}"  # a lower bound is never rounded up
        return f"{'>' if self.empty else ''}{self.mean:.{0 if self.mean >= 10 else 1}f}"

    @property
    def remark(self) -> str:
        if self.empty:
            return f"none left in {self.empty} of {self.seeds}"
        return f"{self.left:.{0 if self.left >= 10 else 1}f} left"


def seed_rejection(results: Results, arm: str, labels: int, percent: int, signal: str = "") -> SeedRejection | None:
    """Return R_x of an arm at a budget, of many classes that of the class with the key `signal`; None where no seed has it."""
    suffix = f"_{signal}" if signal else ""
    name = f"test/background_rejection_{percent}{suffix}"
    found, lows = results.values(arm, labels, name), results.values(arm, labels, f"{name}_low")
    left = results.values(arm, labels, f"test/background_left_{percent}{suffix}")
    if not len(left):
        return None
    mean = float(found.mean()) if len(found) else None
    return SeedRejection(mean, float(lows.min()), float(left.mean()), int(np.count_nonzero(left == 0)), len(left))
