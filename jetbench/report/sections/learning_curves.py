"""Validation and training of every network against the passes that it has made, and the test metric where they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.arms import Look, is_fitted, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.curves import Curve, count_passes, draw_curve, stacked
from jetbench.report.drawing import legend, style
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, capital, count, heading, label
from jetbench.statistics.means import Mean
from jetbench.suites.plan import CellKey
from jetbench.tracking.journal import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "plot", "render"]

MOST_ACROSS = 4  # budgets side by side; more stand one below the other

CHECKED = (
    " Hollow stars on a dotted line: the test metric of a training at its usual length and for longer, on labels of their own."
)

Panels = dict[tuple[int, int], dict[str, Curve]]  # by row (a quantity) and label budget, the curves by arm
Ends = dict[int, dict[str, tuple[float, Mean]]]  # by label budget and arm, passes and test metric of the finished seeds
Checks = dict[int, dict[str, tuple[np.ndarray, np.ndarray]]]  # likewise passes (2,) and test metric (2,) of a length check


def render(results: Results) -> SectionContent:
    drawn = plot(results, results.plan.instance.settings.labels, results.plan.arms)
    if drawn is None:
        return SectionContent("curves", "Learning curves", fragment("<p>No training has left a curve yet.</p>"))
    return SectionContent("curves", "Learning curves", plots=(drawn,))


def plot(results: Results, given: Sequence[int], names: Sequence[str]) -> Plot | None:
    """Show these arms at the given budgets; None where no training of theirs has left a curve."""
    metric = results.task.headline
    shown = {
        f"val/{metric.key}": heading(metric, "validation", ",\n"),
        "val/loss": "validation loss",
        "train/loss": "training loss",
    }
    arms = [arm for arm in names if not is_fitted(results.plan, arm)]
    found: Panels = {}
    ends: Ends = {}
    for labels in given:
        journals = {arm: _journals(results, arm, labels) for arm in arms}
        for row, key in enumerate(shown):
            found[row, labels] = {arm: curve for arm, some in journals.items() if (curve := stacked(some, key))}
        ends[labels] = _ends(results, found[0, labels], labels)
    budgets = [labels for labels in given if any(found[row, labels] for row in range(len(shown)))]
    if not budgets:
        return None
    return Plot(
        "learning_curves",
        f"{capital(label(metric, 'validation'))}, validation loss and training loss against the passes",
        "Mean over seeds of the last stage; the band is the range of the seeds. Validation jets are a fifth of the label budget: "
        f"at small budgets their {metric.name} moves in steps, and its noise exceeds what a longer training gains. A star is the "
        f"mean {label(metric)} with its {LEVEL_TEXT} interval from seeds and test sample, measured once, with the final weights. "
        "The training loss is that of augmented jets, of a head with several output layers their mean."
        f"{CHECKED if results.longer else ''}",
        draw,
        (found, ends, _checks(results), tuple(shown.values()), tuple(budgets), looks(results.plan)),
    )


def _ends(results: Results, curves: Mapping[str, Curve], labels: int) -> dict[str, tuple[float, Mean]]:
    """The test metric of those who are drawn, where their curves end."""
    means = {arm: results.mean(arm, labels) for arm in curves}
    return {arm: (float(curves[arm][0][-1]), mean) for arm, mean in means.items() if mean is not None}


def _checks(results: Results) -> Checks:
    found: Checks = {}
    for (arm, labels), pair in results.longer.items():
        passes = [results.metrics(key)["cost/labelled_passes"] for key in results.plan.checks[arm, labels]]
        found.setdefault(labels, {})[arm] = np.array(passes), np.array([pair.baselines[0], pair.values[0]])
    return found


def _journals(results: Results, arm: str, labels: int) -> list[list[Record]]:
    return [results.journal(results.last[CellKey(arm, labels, seed)]) for seed in results.seeds(arm, labels)]


def draw(
    panels: Panels, ends: Ends, checks: Checks, metrics: Sequence[str], budgets: Sequence[int], named: Mapping[str, Look]
) -> Figure:
    """Draw a panel for each quantity and budget: mean over seeds; the seeds' range as a band and the test metric as a star, but
    for controls; the length checks as hollow stars."""
    from matplotlib.figure import Figure

    across = len(budgets) <= MOST_ACROSS
    size = (max(2.9 * len(budgets), 5.2), 7.6) if across else (10.4, 0.8 + 2.1 * len(budgets))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    if across:  # budgets may differ in passes, quantities do in scale
        grid = figure.subplots(len(metrics), len(budgets), sharex="col", sharey="row", squeeze=False)
    else:
        grid = figure.subplots(len(budgets), len(metrics), sharex="row", sharey="col", squeeze=False)
    by_metric = grid if across else grid.T
    for (row, labels), curves in panels.items():
        if labels in budgets:
            axes = by_metric[row, budgets.index(labels)]
            for arm, curve in sorted(curves.items(), key=lambda one: named[one[0]].muted):  # the legend names controls last
                draw_curve(axes, curve, named[arm], arm, band=not named[arm].muted)
                if row == 0 and arm in ends[labels] and not named[arm].muted:
                    _draw_end(axes, *ends[labels][arm], named[arm])
            for arm, (passes, values) in checks.get(labels, {}).items() if row == 0 else ():
                axes.plot(
                    passes, values, color=named[arm].color, marker="*", markersize=9, linestyle=":", markerfacecolor="white"
                )
            style(axes, f"{count(labels)} labels" if row == 0 else "")
            count_passes(axes, axes in grid[-1])
    for row, text in enumerate(metrics):
        for axes in by_metric[row, : 1 if across else None]:
            axes.set_ylabel(text, fontsize=10.5, color=INK)
    legend(figure, list(grid.flat))
    return figure


def _draw_end(axes: Any, passes: float, mean: Mean, look: Look) -> None:
    half = 0.0 if mean.high is None else mean.high - mean.mean
    axes.errorbar([passes], [mean.mean], [half], color=look.color, marker="*", markersize=9, capsize=3, zorder=4)
