"""Validation metric and training loss of every network, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.arms import Look, is_fitted, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.curves import Curve, count_epochs, draw_curve, stacked
from jetbench.report.drawing import legend, style
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.words import capital, count, heading, label
from jetbench.suites.plan import CellKey
from jetbench.tracking.journal import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

MOST_ACROSS = 4  # budgets side by side; more stand one below the other

Panels = dict[tuple[int, int], dict[str, Curve]]  # by row (a metric) and label budget, the curves by arm


def render(results: Results) -> SectionContent:
    metric, settings = results.task.headline, results.plan.instance.settings
    shown = {f"val/{metric.key}": heading(metric, "validation", ",\n"), "train/loss": "training loss"}
    arms = [arm for arm in results.plan.arms if not is_fitted(results.plan, arm)]
    found: Panels = {}
    for labels in settings.labels:
        journals = {arm: _journals(results, arm, labels) for arm in arms}
        for row, key in enumerate(shown):
            found[row, labels] = {arm: curve for arm, some in journals.items() if (curve := stacked(some, key))}
    budgets = [labels for labels in settings.labels if any(found[row, labels] for row in range(len(shown)))]
    if not budgets:
        return SectionContent("curves", "Learning curves", fragment("<p>No training has left a curve yet.</p>"))
    plot = Plot(
        "learning_curves",
        f"{capital(label(metric, 'validation'))} and training loss against the epoch",
        "Mean over seeds; the band is the range of the seeds. An epoch is an equal share of all passes. Validation jets are part "
        f"of the label budget, so that at small budgets their {metric.name} moves in steps.",
        draw,
        (found, tuple(shown.values()), tuple(budgets), looks(results.plan)),
    )
    return SectionContent("curves", "Learning curves", plots=(plot,))


def _journals(results: Results, arm: str, labels: int) -> list[list[Record]]:
    return [results.journal(results.key(CellKey(arm, labels, seed))) for seed in results.seeds(arm, labels)]


def draw(panels: Panels, metrics: Sequence[str], budgets: Sequence[int], named: Mapping[str, Look]) -> Figure:
    """Draw a panel for each metric and budget: mean over seeds; the seeds' range as a band, but for controls."""
    from matplotlib.figure import Figure

    across = len(budgets) <= MOST_ACROSS
    size = (max(2.9 * len(budgets), 5.2), 5.6) if across else (8.4, 0.8 + 2.1 * len(budgets))
    shape = (len(metrics), len(budgets)) if across else (len(budgets), len(metrics))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(*shape, sharex=True, sharey="row" if across else "col", squeeze=False)
    by_metric = grid if across else grid.T
    for (row, labels), curves in panels.items():
        if labels in budgets:
            axes = by_metric[row, budgets.index(labels)]
            for arm, curve in sorted(curves.items(), key=lambda one: named[one[0]].muted):  # the legend names controls last
                draw_curve(axes, curve, named[arm], arm, band=not named[arm].muted)
            style(axes, f"{count(labels)} labels" if row == 0 else "")
            count_epochs(axes, axes in grid[-1])
    for row, text in enumerate(metrics):
        for axes in by_metric[row, : 1 if across else None]:
            axes.set_ylabel(text, fontsize=10.5, color=INK)
    legend(figure, list(grid.flat))
    return figure
