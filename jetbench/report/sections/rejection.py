"""Columns R_x: the background rejection 1/ε_B of two classes where x % of the signal is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import places

__all__ = ["SeedRejection", "columns", "seed_rejection"]

LEGEND = """R<sub>x</sub> = 1/ε<sub>B</sub> at x % signal efficiency, below it the mean number of background jets that are left; a
“&gt;” marks a lower bound, since in some seeds none is left."""


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
    """R_x of an arm at a budget, of many classes that of the class with the key `signal`; None where no seed has it."""
    suffix = f"_{signal}" if signal else ""
    name = f"test/background_rejection_{percent}{suffix}"
    found, lows = results.values(arm, labels, name), results.values(arm, labels, f"{name}_low")
    left = results.values(arm, labels, f"test/background_left_{percent}{suffix}")
    if not len(left):
        return None
    mean = float(found.mean()) if len(found) else None
    return SeedRejection(mean, float(lows.min()), float(left.mean()), int(np.count_nonzero(left == 0)), len(left))


def columns(results: Results) -> Columns:
    """The working points of the literature, the largest first; none for many classes, where each signal has its own."""
    if len(results.plan.instance.meta.class_names) > 2:
        return Columns()
    points = sorted(EFFICIENCIES, reverse=True)
    found = {percent: {place: seed_rejection(results, *place, percent) for place in places(results)} for percent in points}
    empty = any(one and one.empty for by_place in found.values() for one in by_place.values())
    return Columns(
        tuple(Column(f"R{x}", {place: _cell(one) for place, one in found[x].items()}, in_terminal=True) for x in points),
        legend=fragment(LEGEND),
        remark=f"{', '.join(f'R{x}' for x in points)}: 1/ε_B at that signal efficiency",
        lines=("R with >: in some seeds no background jet is left, so this is a lower bound",) if empty else (),
    )


def _cell(found: SeedRejection | None) -> Cell:
    return Cell(found.text, found.remark) if found else Cell("–")
