"""Validation and training of every network against the passes that it has made, and the test metric where they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.arms import Look, is_fitted, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.curves import Curve, count_passes, draw_curve, stacked
from jetbench.report.drawing import MOST_BANDS, ends, legend, limits, style
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, capital, count, heading, label
from jetbench.statistics.means import Mean
from jetbench.suites.plan import CellKey
from jetbench.tasks.task import Metric
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
    named = looks(results.plan)
    shown = {
        f"val/{metric.key}": heading(metric, "validation", ",\n"),
        "val/loss": "validation loss",
        "train/loss": "training loss",
    }
    arms = [arm for arm in names if not is_fitted(results.plan, arm)]
    found: Panels = {}
    stars: Ends = {}
    for labels in given:
        journals = {arm: _journals(results, arm, labels) for arm in arms}
        for row, key in enumerate(shown):
            found[row, labels] = {arm: curve for arm, some in journals.items() if (curve := stacked(some, key))}
        stars[labels] = _ends(results, found[0, labels], labels)
    budgets = [labels for labels in given if any(found[row, labels] for row in range(len(shown)))]
    if not budgets:
        return None
    band, interval = f" (more than {MOST_BANDS} arms have no bands)", ""
    if _banded(found, named):
        band, interval = "; the band is the range of the seeds", f" with its {LEVEL_TEXT} interval from seeds and test sample"
    return Plot(
        "learning_curves",
        f"{capital(label(metric, 'validation'))}, validation loss and training loss against the passes",
        f"Mean over seeds of the last stage{band}. Validation jets are a fifth of the label budget: "
        f"at small budgets their {metric.name} moves in steps, and its noise exceeds what a longer training gains. A star is the "
        f"mean {label(metric)}{interval}, measured once, with the final weights. "
        "The training loss is that of augmented jets, of a head with several output layers their mean."
        f"{CHECKED if results.longer else ''}",
        draw,
        (metric, found, stars, _checks(results), tuple(shown.values()), tuple(budgets), named),
    )


def _banded(panels: Panels, named: Mapping[str, Look]) -> bool:
    """Whether bands can be told apart in every panel; controls have none."""
    return all(sum(not named[arm].muted for arm in curves) <= MOST_BANDS for curves in panels.values())


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
    metric: Metric,
    panels: Panels,
    stars: Ends,
    checks: Checks,
    quantities: Sequence[str],
    budgets: Sequence[int],
    named: Mapping[str, Look],
) -> Figure:
    """Draw a panel for each quantity, the metric first, and budget: mean over seeds; the seeds' range as a band and the test
    metric as a star, but for controls; the length checks as hollow stars. Many arms have neither bands nor intervals."""
    from matplotlib.figure import Figure

    across = len(budgets) <= MOST_ACROSS
    banded = _banded(panels, named)
    size = (max(2.9 * len(budgets), 5.2 if banded else 7.6), 7.6) if across else (10.4, 0.8 + 2.1 * len(budgets))
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    if across:  # budgets may differ in passes, quantities do in scale
        grid = figure.subplots(len(quantities), len(budgets), sharex="col", sharey="row", squeeze=False)
    else:
        grid = figure.subplots(len(budgets), len(quantities), sharex="row", sharey="col", squeeze=False)
    by_quantity = grid if across else grid.T
    for (row, labels), curves in panels.items():
        if labels in budgets:
            axes = by_quantity[row, budgets.index(labels)]
            for arm, curve in sorted(curves.items(), key=lambda one: named[one[0]].muted):  # the legend names controls last
                draw_curve(axes, curve, named[arm], arm, band=banded and not named[arm].muted)
                if row == 0 and arm in stars[labels] and not named[arm].muted:
                    end, mean = stars[labels][arm]
                    _draw_end(axes, end, mean.mean, ends(metric, mean) if banded else None, named[arm])
            for arm, (passes, values) in checks.get(labels, {}).items() if row == 0 else ():
                axes.plot(
                    passes, values, color=named[arm].color, marker="*", markersize=9, linestyle=":", markerfacecolor="white"
                )
            style(axes, f"{count(labels)} labels" if row == 0 else "")
            count_passes(axes, axes in grid[-1])
    for row, text in enumerate(quantities):
        for axes in by_quantity[row, : 1 if across else None]:
            axes.set_ylabel(text, fontsize=10.5, color=INK)
    by_quantity[0, 0].set_ylim(_limits(metric, panels, stars, checks, named))  # which all budgets share
    legend(figure, list(grid.flat))
    return figure


def _draw_end(axes: Any, passes: float, mean: float, bar: tuple[float, float] | None, look: Look) -> None:
    halves = None if bar is None else [[mean - bar[0]], [bar[1] - mean]]
    axes.errorbar([passes], [mean], halves, color=look.color, marker="*", markersize=9, capsize=3, zorder=4)


def _limits(metric: Metric, panels: Panels, stars: Ends, checks: Checks, named: Mapping[str, Look]) -> tuple[float, float]:
    """Around everything that is drawn of the metric; the intervals of few seeds may leave the plot."""
    banded, values = _banded(panels, named), [values for found in checks.values() for _, values in found.values()]
    for (row, _), curves in panels.items():
        for arm, (_, seeds) in curves.items() if row == 0 else ():
            values.append(seeds if banded and not named[arm].muted else seeds.mean(axis=0))
    means = [mean for found in stars.values() for arm, (_, mean) in found.items() if not named[arm].muted]
    centers = [*(float(end) for one in values for end in (one.min(), one.max())), *(mean.mean for mean in means)]
    return limits(metric, centers, means if banded else ())
