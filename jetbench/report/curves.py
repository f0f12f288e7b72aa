"""Curves over the passes of many runs: read from their journals, and drawn alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jetbench.evaluation.plots import INK
from jetbench.report.arms import Look
from jetbench.tracking.journal import Record

__all__ = ["Curve", "count_passes", "draw_curve", "stacked"]

Curve = tuple[np.ndarray, np.ndarray]  # passes at the ends of the epochs (m,), and values per seed (seeds, m)


def stacked(journals: Sequence[Sequence[Record]], key: str) -> Curve | None:
    """Collect the values that the seeds' journals note epoch by epoch; a run that stopped early keeps its last value to the end.

    The closing line of a journal, which sums the run up, is told from an epoch's by having no training loss."""
    needed = {"train/loss", "train/passes", key}
    noted = [[r for r in journal if needed <= set(r.metrics)] for journal in journals]
    noted = [records for records in noted if records]
    if not noted:
        return None
    longest = max(noted, key=len)
    values = [[r.metrics[key] for r in one] + [one[-1].metrics[key]] * (len(longest) - len(one)) for one in noted]
    return np.array([record.metrics["train/passes"] for record in longest]), np.array(values)


def draw_curve(axes: Any, curve: Curve, look: Look, name: str, band: bool) -> None:
    """Draw the mean over seeds, with the range of the seeds as a band."""
    passes, values = curve
    line: dict[str, Any] = {"linewidth": 1.3, "alpha": 0.9} if look.muted else {"linewidth": 1.9}
    line |= {"linestyle": look.dashes, "marker": look.marker, "markersize": 4, "color": look.color}
    line["markerfacecolor"] = look.face
    line["markevery"] = max(len(passes) // 10, 1)
    axes.plot(passes, values.mean(axis=0), label=name, **line)
    if band:
        axes.fill_between(passes, values.min(axis=0), values.max(axis=0), color=look.color, alpha=0.13, linewidth=0)


def count_passes(axes: Any, named: bool) -> None:
    """Write thousands of passes at the axis, and its name where it stands below nothing else."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / 1000:g}"))
    if named:
        axes.set_xlabel("passes / 1000", fontsize=10.5, color=INK)
