"""The pictures of an arm at one label budget, beside its baseline; of one name for all arms, so that pages compare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.classification import confusion
from jetbench.evaluation.multiclass import class_confusion
from jetbench.evaluation.plots import confusion_plot, save_png
from jetbench.report.content import Plot
from jetbench.report.results import Results
from jetbench.report.sections import learning_curves, prediction, roc
from jetbench.report.words import count
from jetbench.suites.plan import CellKey
from jetbench.tracking.arm_card import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CURVES", "keys", "pictures"]

CURVES = "learning_curves"


def keys(results: Results) -> tuple[str, ...]:
    """Name the pictures that the task has, as pages order them."""
    return ("roc", CURVES, "confusion") if "roc" in results.task.sections else (CURVES, "prediction")


def pictures(results: Results, arm: str, labels: int) -> Iterator[Picture]:
    """Yield the pictures that the task and the arm have; each is drawn when it is saved."""
    shown = [name for name in (results.baselines.get(arm), arm) if name and results.seeds(name, labels)]
    makers = {
        "roc": lambda: roc.plot(results, labels, shown),
        "confusion": lambda: _confusion(results, arm, labels),
        "prediction": lambda: prediction.plot(results, labels, [arm]),
        CURVES: lambda: _curves(results, arm, labels, shown),
    }
    for key in keys(results):
        if plot := makers[key]():
            yield Picture(key, plot.digest(), partial(_save, plot))


def _save(plot: Plot, path: Path) -> None:
    save_png(plot.draw(*plot.given), path)


def _curves(results: Results, arm: str, labels: int, shown: Sequence[str]) -> Plot | None:
    """None for an arm without a curve of its own, such as trees: its baseline alone would pass for it."""
    own = learning_curves.plot(results, (labels,), [arm])
    return learning_curves.plot(results, (labels,), shown) if own else None


def _confusion(results: Results, arm: str, labels: int) -> Plot:
    names = tuple(results.plan.instance.meta.class_names)
    read = [results.scores(CellKey(arm, labels, seed))[1:] for seed in results.seeds(arm, labels)]
    table = sum(class_confusion(*one) if one[1].ndim > 1 else confusion(*one) for one in read)
    title = f"{arm}, {count(labels)} labels"
    return Plot("confusion", f"Confusion matrix of {arm}", "", draw_confusion, (np.asarray(table), names, title))


def draw_confusion(table: np.ndarray, names: tuple[str, ...], title: str) -> Figure:
    """Draw the counts (k, k) of all seeds together."""
    return confusion_plot(table, names, title)
