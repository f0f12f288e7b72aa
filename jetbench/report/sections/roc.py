"""Background rejection against signal efficiency: the ROC curves of all arms, budget by budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.multiclass import signal_against_background
from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.arms import Look, is_fitted, looks
from jetbench.report.content import Plot, SectionContent
from jetbench.report.drawing import MOST_BANDS, legend, style
from jetbench.report.results import Results
from jetbench.report.words import count, joined
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EFFICIENCIES", "draw_panels", "draw_two_classes", "plot", "rejections", "render"]

MOST_PANELS, PANELS_ACROSS = 12, 3  # signal classes with a panel of their own
MOST_CURVES = 8  # of all arms in one panel; of more those that the suite asks about stand for all
LEAST_TOP = 1000  # of the rejection axis, where few test jets end the curves early
EFFICIENCIES = np.arange(1, 101)  # percent: R_x of the tables lies on the curves exactly

Curves = dict[str, np.ndarray]  # by arm: background efficiencies (seeds, 100)


def render(results: Results) -> SectionContent:
    """Show a plot for each budget; without the arms that rank nothing, which would hide the line of chance."""
    budgets, arms = results.plan.instance.settings.labels, results.plan.arms
    found = [one for labels in budgets if (one := plot(results, labels, arms))]
    beside = len(results.plan.instance.meta.class_names) <= 2
    return SectionContent("roc", "Background rejection", plots=tuple(found), beside=beside)


def plot(results: Results, labels: int, arms: Sequence[str]) -> Plot | None:
    """Show the curves of these arms at one budget, or where they are too many of those that matter; None where none of them ranks
    anything."""
    names, settings = results.plan.instance.meta.class_names, results.plan.instance.settings
    signals = range(1, max(len(names), 2))[:MOST_PANELS]
    panels = {one: found for one, found in _ranking(results, labels, signals, arms).items() if found}
    if not panels:
        return None
    ranking = [arm for arm in arms if any(arm in found for found in panels.values())]
    shown = _chosen(results, labels, ranking)
    panels = {one: kept for one, found in panels.items() if (kept := {arm: found[arm] for arm in found if arm in shown})}
    alt = f"ROC curves at {labels} labels"
    banded = len(_bright(panels, looks(results.plan))) <= MOST_BANDS
    caption = f"Mean background efficiency of the seeds{', with their range as a band,' if banded else ''} at {labels} labels."
    if left := [arm for arm in ranking if arm not in shown]:
        caption += (
            " Of many arms it shows those of the primary comparisons, fitted rivals, imported weights, and the best control and "
            f"floor. Left out: {joined(left)}."
        )
    common = (labels, looks(results.plan), max(LEAST_TOP, settings.test_jets))
    if len(names) <= 2:
        means = {arm: float(results.values(arm, labels, "test/auc").mean()) for arm in panels[1]}
        return Plot(f"roc_{labels}", alt, caption, draw_two_classes, (panels[1], means, *common))
    titles = {one: f"{names[one]} vs {names[0]}, {count(labels)} labels" for one in panels}
    return Plot(f"roc_{labels}", alt, caption, draw_panels, (panels, titles, *common[1:]))


def _ranking(results: Results, labels: int, signals: range, arms: Sequence[str]) -> dict[int, Curves]:
    """By signal class the curves of the arms that rank its jets and those of the background."""
    found: dict[int, Curves] = {one: {} for one in signals}
    for arm in arms:
        for one, curves in zip(signals, rejections(results, arm, labels, signals), strict=True):
            if len(curves) and curves.min() < 1:
                found[one][arm] = curves
    return found


def _chosen(results: Results, labels: int, arms: Sequence[str]) -> list[str]:
    """Those of many arms that a reader looks for: of the primary comparisons, fitted rivals, and the best control and floor."""
    if len(arms) <= MOST_CURVES:
        return list(arms)
    plan, metric = results.plan, results.metric
    first = {name for one in plan.primaries for name in (one.arm, one.baseline)}
    for role in (Role.CONTROL, Role.FLOOR):
        means = {arm: results.headlines(arm, labels).mean() for arm in arms if plan.roles[arm] is role}
        first |= {(max if metric.larger_is_better else min)(means, key=means.__getitem__)} if means else set()
    return [
        arm
        for arm in arms
        if arm in first or plan.roles[arm] is Role.EXTERNAL or (plan.roles[arm] is Role.RIVAL and is_fitted(plan, arm))
    ]


def _bright(panels: Mapping[int, Curves], named: Mapping[str, Look]) -> set[str]:
    return {arm for found in panels.values() for arm in found if not named[arm].muted}


def rejections(results: Results, arm: str, labels: int, signals: range = range(1, 2)) -> np.ndarray:
    """Return background efficiencies (signals, seeds, 100) at 1 … 100 % efficiency of each signal class, cut as in the tables."""
    curves = []
    for seed in results.seeds(arm, labels):
        _, truth, scores = results.scores(CellKey(arm, labels, seed))
        two = [signal_against_background(truth, scores, one) for one in signals] if scores.ndim == 2 else [(truth, scores)]
        curves.append([_efficiencies(*one) for one in two])
    return np.array(curves).reshape(-1, len(signals), len(EFFICIENCIES)).swapaxes(0, 1)


def _efficiencies(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    passing, background = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
    cuts = passing[np.minimum((100 - EFFICIENCIES) * len(passing) // 100, len(passing) - 1)]
    efficiencies: np.ndarray = 1 - np.searchsorted(background, cuts, "left") / len(background)
    return efficiencies


def draw_two_classes(found: Curves, means: dict[str, float], labels: int, named: dict[str, Look], top: int) -> Figure:
    """Draw 1/ε_B against ε_S of every arm: from the mean ε_B of the seeds, the range of the seeds as a band. A curve ends where
    no seed has background left. `means` are the mean AUCs for the legend."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    _draw_rocs(axes, found, named, {arm: f"{arm}  {mean:.4f}" for arm, mean in means.items()}, top, ticks=0.1)
    style(axes, f"{count(labels)} labels; numbers are mean AUCs")
    legend(figure, [axes])
    return figure


def draw_panels(panels: Mapping[int, Curves], titles: Mapping[int, str], named: dict[str, Look], top: int) -> Figure:
    """Draw a panel for each signal class of many."""
    from matplotlib.figure import Figure

    across = min(len(panels), PANELS_ACROSS)
    rows = -(-len(panels) // PANELS_ACROSS)
    figure = Figure(figsize=(3.7 * across + 0.3, 3.3 * rows + 0.7), dpi=DPI, layout="constrained")
    for place, (one, found) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(rows, across, place)
        _draw_rocs(axes, found, named, {arm: arm for arm in found}, top, ticks=0.2)
        style(axes, titles[one])
    legend(figure, figure.axes)
    return figure


def _draw_rocs(axes: Any, found: Curves, named: dict[str, Look], texts: Mapping[str, str], top: int, ticks: float) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    x = EFFICIENCIES / 100
    axes.plot(x, 1 / x, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="chance")
    banded = len(_bright({1: found}, named)) <= MOST_BANDS
    for arm, curves in found.items():
        _draw_roc(axes, x, curves, named[arm], texts[arm], band=banded and not named[arm].muted)
    axes.set(xlim=(0, 1), ylim=(1, top), yscale="log")
    axes.xaxis.set_major_locator(MultipleLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    axes.set_xlabel("signal efficiency  $\\epsilon_S$", fontsize=11, color=INK)
    axes.set_ylabel("background rejection  $1/\\epsilon_B$", fontsize=11, color=INK)


def _draw_roc(axes: Any, x: np.ndarray, curves: np.ndarray, look: Look, name: str, band: bool) -> None:
    mean = curves.mean(axis=0)
    left = mean > 0
    line = {"linewidth": 1.3} if look.muted else {"linewidth": 2.0}
    axes.plot(x[left], 1 / mean[left], color=look.color, linestyle=look.dashes, label=name, zorder=2 if look.muted else 3, **line)
    if band:
        lowest = np.maximum(curves.min(axis=0), 1e-9)  # a seed without background: the band is open upwards
        axes.fill_between(x[left], 1 / curves.max(axis=0)[left], 1 / lowest[left], color=look.color, alpha=0.13, linewidth=0)
