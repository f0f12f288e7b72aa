"""Many classes one by one: how well each is told from all others, and from the background."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.evaluation.multiclass import class_keys
from jetbench.report.results import Results
from jetbench.report.table import SeedRejection, seed_rejection
from jetbench.statistics.intervals import Interval

__all__ = ["SHOWN", "ClassRow", "class_rows"]

SHOWN = 50  # percent of signal kept: the working point of JetClass's tables for most of its classes (arXiv:2202.03772)


@dataclass(frozen=True)
class ClassRow:
    """An arm at one label budget. In the order of the classes: `areas` hold the AUC against all other classes, `rejections`
    R_x at x = `SHOWN` against the background, which has none itself."""

    arm: str
    labels: int
    areas: tuple[Interval | None, ...]
    rejections: tuple[SeedRejection | None, ...]


def class_rows(results: Results) -> list[ClassRow]:
    """Budget by budget, the arms with a finished seed in the suite's order; empty for two classes."""
    settings = results.plan.instance.settings
    if not results.many_classes:
        return []
    pairs = [(arm, labels) for labels in settings.labels for arm in settings.arms if results.seeds(arm, labels)]
    return [_row(results, arm, labels) for arm, labels in pairs]


def _row(results: Results, arm: str, labels: int) -> ClassRow:
    keys = class_keys(results.class_names)
    return ClassRow(
        arm=arm,
        labels=labels,
        areas=tuple(results.interval(arm, labels, f"test/auc_{key}") for key in keys),
        rejections=tuple(seed_rejection(results, arm, labels, SHOWN, key) for key in keys),
    )
