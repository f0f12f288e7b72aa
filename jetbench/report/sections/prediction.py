"""Prediction against truth, arm by arm: where the jets of the test set lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.evaluation.regression_plots import draw_counts, prediction_counts
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import style
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot", "render"]

ACROSS = 4  # panels side by side
BINS = 40  # of truth and of prediction: panels are small

Counts = dict[str, np.ndarray]  # by arm


def render(results: Results) -> SectionContent | None:
    found = [one for labels in results.plan.instance.settings.labels if (one := plot(results, labels, results.plan.arms))]
    return SectionContent("prediction", "Prediction against truth", plots=tuple(found)) if found else None


def plot(results: Results, labels: int, arms: Sequence[str]) -> Plot | None:
    """Show the test jets of these arms at one budget; None where none of them has a finished seed."""
    counts, edges = _counts(results, labels, arms)
    if not counts:
        return None
    alt = f"Prediction against truth at {labels} labels"
    caption = f"Test jets of all seeds together, at {count(labels)} labels; a perfect prediction lies on the diagonal."
    return Plot(f"prediction_{labels}", alt, caption, draw, (counts, edges, results.task.column, labels))


def _counts(results: Results, labels: int, arms: Sequence[str]) -> tuple[Counts, np.ndarray]:
    """Counts (truth, prediction) of each arm with a finished seed, and their common edges."""
    found: Counts = {}
    edges = np.zeros(0)
    for arm in arms:
        for seed in results.seeds(arm, labels):
            _, truth, predictions = results.scores(CellKey(arm, labels, seed))
            edges, counts = prediction_counts(truth, predictions, BINS)
            found[arm] = found.get(arm, 0) + counts
    return found, edges


def draw(found: Counts, edges: np.ndarray, target: str, labels: int) -> Figure:
    """Draw a panel for each arm, with one scale of colours."""
    from matplotlib.figure import Figure

    across = min(len(found), ACROSS)
    rows = -(-len(found) // across)
    figure = Figure(figsize=(3.1 * across + 0.9, 3.1 * rows + 0.5), dpi=DPI, layout="constrained")
    most = max(counts.max() for counts in found.values())
    for place, (arm, counts) in enumerate(found.items(), 1):
        axes = figure.add_subplot(rows, across, place)
        mesh = draw_counts(axes, edges, counts, most)
        style(axes, arm)
    figure.supxlabel(f"true {target}  [GeV]", fontsize=11, color=INK)
    figure.supylabel(f"predicted {target}  [GeV]", fontsize=11, color=INK)
    scale = figure.colorbar(mesh, ax=figure.axes, shrink=0.8, aspect=30)
    scale.set_label(f"test jets, {count(labels)} labels", fontsize=11, color=INK)
    return figure
