"""Curves over the epochs of many runs: read from their journals, and drawn alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jetbench.evaluation.plots import INK
from jetbench.report.arms import Look
from jetbench.tracking.journal import Record

__all__ = ["Curve", "count_epochs", "draw_curve", "stacked"]

Curve = tuple[np.ndarray, np.ndarray]  # epochs (m,), counted from 1, and values per seed (seeds, m)


def stacked(journals: Sequence[Sequence[Record]], key: str) -> Curve | None:
    """Collect the values that the seeds' journals note epoch by epoch; a run that stopped early keeps its last value to the end.

    The closing line of a journal, which sums the run up, is told from an epoch's by having no training loss."""
    noted = [[r for r in journal if "train/loss" in r.metrics and key in r.metrics] for journal in journals]
    noted = [records for records in noted if records]
    if not noted:
        return None
    longest = max(noted, key=len)
    values = [[r.metrics[key] for r in one] + [one[-1].metrics[key]] * (len(longest) - len(one)) for one in noted]
    return np.array([record.step + 1 for record in longest]), np.array(values)


def draw_curve(axes: Any, curve: Curve, look: Look, name: str, band: bool) -> None:
    """Draw the mean over seeds, with the range of the seeds as a band."""
    epochs, values = curve
    line: dict[str, Any] = {"linewidth": 1.3, "alpha": 0.9} if look.muted else {"linewidth": 1.9}
    line |= {"linestyle": look.dashes, "marker": look.marker, "markersize": 4, "color": look.color}
    line["markevery"] = max(len(epochs) // 10, 1)
    axes.plot(epochs, values.mean(axis=0), label=name, **line)
    if band:
        axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=look.color, alpha=0.13, linewidth=0)


def count_epochs(axes: Any, named: bool) -> None:
    """Write whole numbers at the axis of epochs, and its name where it stands below nothing else."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if named:
        axes.set_xlabel("epoch", fontsize=10.5, color=INK)
