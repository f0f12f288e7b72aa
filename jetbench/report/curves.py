"""Curves of many runs in one picture: learning curves, pretraining losses, ROC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.multiclass import signal_against_background
from jetbench.evaluation.plots import INK, MUTED
from jetbench.report.arms import Look, is_fitted, looks
from jetbench.report.plots import DPI, style
from jetbench.report.results import Results
from jetbench.report.words import count
from jetbench.suites.plan import CellKey, PlannedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["learning_figure", "pretraining_figure", "rejections", "roc_figure"]

SHOWN = {"val/auc": "validation AUC", "train/loss": "training loss"}
MOST_PANELS, PANELS_ACROSS = 12, 3  # signal classes with a panel in a picture of ROC curves
MOST_ACROSS = 4  # budgets side by side; more stand one below the other
LEAST_TOP = 1000  # of the rejection axis: room for the legend where few test jets end the curves early
EFFICIENCIES = np.arange(1, 101)  # percent: R_x of the tables lies on the curves exactly

Curve = tuple[np.ndarray, np.ndarray]  # epochs (m,), counted from 1, and values per seed (seeds, m)


def learning_figure(results: Results) -> Figure | None:
    """Validation AUC and training loss of every network, panel by panel for each budget: mean over seeds; the seeds' range as
    a band, but for controls. None where there is no curve."""
    settings = results.plan.instance.settings
    arms = [arm for arm in settings.arms if not is_fitted(settings, arm)]
    found = {
        (labels, metric): {arm: curve for arm in arms if (curve := _of_cells(results, arm, labels, metric))}
        for labels in settings.labels
        for metric in SHOWN
    }
    budgets = [labels for labels in settings.labels if any(found[labels, metric] for metric in SHOWN)]
    if not budgets:
        return None
    panels = {(row, labels): found[labels, metric] for row, metric in enumerate(SHOWN) for labels in budgets}
    return _grid(panels, budgets, looks(settings))


def _grid(panels: Mapping[tuple[int, int], Mapping[str, Curve]], budgets: Sequence[int], named: dict[str, Look]) -> Figure:
    from matplotlib.figure import Figure

    across, metrics = len(budgets) <= MOST_ACROSS, len(SHOWN)
    size = (max(2.9 * len(budgets), 5.2), 5.6) if across else (8.4, 0.8 + 2.1 * len(budgets))
    shape = (metrics, len(budgets)) if across else (len(budgets), metrics)
    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    grid = figure.subplots(*shape, sharex=True, sharey="row" if across else "col", squeeze=False)
    by_metric = grid if across else grid.T
    for (row, labels), curves in panels.items():
        axes = by_metric[row, budgets.index(labels)]
        for arm, curve in curves.items():
            _draw_curve(axes, curve, named[arm], arm, band=not named[arm].muted)
        style(axes, f"{count(labels)} labels" if row == 0 else "")
        _count_epochs(axes, axes in grid[-1])
    for row, words in enumerate(SHOWN.values()):
        for axes in by_metric[row, : 1 if across else None]:
            axes.set_ylabel(words, fontsize=10.5, color=INK)
    _legend(figure, list(grid.flat))
    return figure


def pretraining_figure(results: Results) -> Figure | None:
    """Training loss of every pretraining, a panel per kind: each seed thin, their mean thick. None where there is none."""
    from matplotlib.figure import Figure

    kinds: dict[str, list[PlannedRun]] = {}
    for run in results.plan.runs.values():
        if run.kind == "pretrain" and results.ledger.done(run.key):
            kinds.setdefault(run.name.rsplit("/", 1)[0], []).append(run)
    named = looks(results.plan.instance.settings)
    curves = {
        kind: (curve, named[runs[0].arm]) for kind, runs in kinds.items() if (curve := _stacked(results, runs, "train/loss"))
    }
    if not curves:
        return None
    figure = Figure(figsize=(max(3.6 * len(curves), 4.6), 3.0), dpi=DPI, layout="constrained")
    for axes, (kind, (curve, look)) in zip(figure.subplots(1, len(curves), squeeze=False)[0], curves.items(), strict=True):
        axes.plot(curve[0], curve[1].T, color=look.color, linewidth=0.9, alpha=0.45)
        _draw_curve(axes, curve, look, "mean", band=False)
        style(axes)
        axes.set_title(f"{kind} ({count(len(curve[1]), 'seed')})", loc="left", fontsize=9.5, color=INK)
        axes.set_ylabel("training loss", fontsize=10.5, color=INK)
        _count_epochs(axes, True)
    return figure


def _of_cells(results: Results, arm: str, labels: int, metric: str) -> Curve | None:
    keys = [results.plan.cells[CellKey(arm, labels, seed)] for seed in results.seeds(arm, labels)]
    return _stacked(results, [results.plan.runs[key] for key in keys], metric)


def _stacked(results: Results, runs: Sequence[PlannedRun], metric: str) -> Curve | None:
    """The values that journals note epoch by epoch; a run that stopped early keeps its last value to the end.

    The closing line of a journal, which sums the run up, is told from an epoch's by having no training loss."""
    journals = [[r for r in results.learning_curve(run) if "train/loss" in r.metrics and metric in r.metrics] for run in runs]
    journals = [journal for journal in journals if journal]
    if not journals:
        return None
    longest = max(journals, key=len)
    values = [[r.metrics[metric] for r in j] + [j[-1].metrics[metric]] * (len(longest) - len(j)) for j in journals]
    return np.array([record.step + 1 for record in longest]), np.array(values)


def _draw_curve(axes: Any, curve: Curve, look: Look, name: str, band: bool) -> None:
    epochs, values = curve
    line: dict[str, Any] = {"linewidth": 1.3, "alpha": 0.9} if look.muted else {"linewidth": 1.9}
    line |= {"linestyle": look.dashes, "marker": look.marker, "markersize": 4, "color": look.color}
    line["markevery"] = max(len(epochs) // 10, 1)
    axes.plot(epochs, values.mean(axis=0), label=name, **line)
    if band:
        axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=look.color, alpha=0.13, linewidth=0)


def _count_epochs(axes: Any, named: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    if named:
        axes.set_xlabel("epoch", fontsize=10.5, color=INK)


def _legend(figure: Any, panels: Sequence[Any]) -> None:
    entries = {name: handle for axes in panels for handle, name in zip(*axes.get_legend_handles_labels(), strict=True)}
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="outside lower center",
            ncols=min(len(entries), 4),
            fontsize=9.5,
            frameon=False,
            labelcolor=INK,
        )


def rejections(results: Results, arm: str, labels: int, signal: int = 1) -> np.ndarray:
    """Background efficiencies (seeds, 100) at 1 … 100 % efficiency of the class `signal`, cut as in the tables."""
    curves = []
    for seed in results.seeds(arm, labels):
        _, truth, scores = results.scores(CellKey(arm, labels, seed))
        if scores.ndim == 2:
            truth, scores = signal_against_background(truth, scores, signal)
        passing, background = np.sort(scores[truth == 1]), np.sort(scores[truth == 0])
        cuts = passing[np.minimum((100 - EFFICIENCIES) * len(passing) // 100, len(passing) - 1)]
        curves.append(1 - np.searchsorted(background, cuts, "left") / len(background))
    return np.array(curves).reshape(-1, len(EFFICIENCIES))


def roc_figure(results: Results, labels: int) -> Figure | None:
    """1/ε_B against ε_S of every arm at a budget: from the mean ε_B of the seeds, the range of the seeds as a band.

    A curve ends where no seed has background left. An arm that ranks nothing would hide the line of chance and is left out.
    Of many classes each signal class, up to twelve, has a panel of its own.
    """
    from matplotlib.figure import Figure

    if results.many_classes:
        return _roc_panels(results, labels)
    found = _ranking(results, labels, 1)
    if not found:
        return None
    figure = Figure(figsize=(6.4, 5.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    named = {arm: f"{arm}  {results.values(arm, labels, 'test/auc').mean():.4f}" for arm in found}
    _draw_rocs(axes, results, found, named)
    style(axes, f"{count(labels)} labels")
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[1:] + handles[:1],
        names[1:] + names[:1],
        loc="upper right",
        fontsize=9.5,
        frameon=False,
        labelcolor=INK,
        title="mean AUC",
        title_fontsize=9.5,
        alignment="left",
    )
    return figure


def _roc_panels(results: Results, labels: int) -> Figure | None:
    from matplotlib.figure import Figure

    names = results.class_names
    panels = {one: found for one in range(1, len(names))[:MOST_PANELS] if (found := _ranking(results, labels, one))}
    if not panels:
        return None
    rows = -(-len(panels) // PANELS_ACROSS)
    figure = Figure(figsize=(3.7 * min(len(panels), PANELS_ACROSS) + 0.3, 3.3 * rows + 0.7), dpi=DPI, layout="constrained")
    for place, (one, found) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, min(len(panels), PANELS_ACROSS), place + 1)
        _draw_rocs(axes, results, found, {arm: arm for arm in found})
        style(axes, f"{names[one]} vs {names[0]}, {count(labels)} labels")
    _legend(figure, figure.axes)
    return figure


def _ranking(results: Results, labels: int, signal: int) -> dict[str, np.ndarray]:
    """The background efficiencies of the arms that rank the jets of a signal class and the background."""
    found = {arm: rejections(results, arm, labels, signal) for arm in results.plan.instance.settings.arms}
    return {arm: curves for arm, curves in found.items() if len(curves) and curves.min() < 1}


def _draw_rocs(axes: Any, results: Results, found: Mapping[str, np.ndarray], named: Mapping[str, str]) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    settings, x = results.plan.instance.settings, EFFICIENCIES / 100
    axes.plot(x, 1 / x, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="chance")
    for arm, curves in found.items():
        _draw_roc(axes, x, curves, looks(settings)[arm], named[arm])
    axes.set(xlim=(0, 1), ylim=(1, max(LEAST_TOP, settings.test_jets)), yscale="log")
    axes.xaxis.set_major_locator(MultipleLocator(0.2 if results.many_classes else 0.1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value))))
    axes.set_xlabel("signal efficiency  $\\epsilon_S$", fontsize=11, color=INK)
    axes.set_ylabel("background rejection  $1/\\epsilon_B$", fontsize=11, color=INK)


def _draw_roc(axes: Any, x: np.ndarray, curves: np.ndarray, look: Look, name: str) -> None:
    mean = curves.mean(axis=0)
    left = mean > 0
    line = {"linewidth": 1.3} if look.muted else {"linewidth": 2.0}
    axes.plot(x[left], 1 / mean[left], color=look.color, linestyle=look.dashes, label=name, zorder=2 if look.muted else 3, **line)
    if not look.muted:
        lowest = np.maximum(curves.min(axis=0), 1e-9)  # a seed without background: the band is open upwards
        axes.fill_between(x[left], 1 / curves.max(axis=0)[left], 1 / lowest[left], color=look.color, alpha=0.13, linewidth=0)
