"""Learning curves against epochs, passes and time, with the epoch that was kept and the onset of overfitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import INK, PALETTE
from jetbench.insight.drawing import panels, style
from jetbench.insight.history import EPOCHS, History, axes_of
from jetbench.insight.inspection import Inspection
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.drawing import legend
from jetbench.report.markup import fragment, table
from jetbench.report.pretrained import FEATURES, feature_cells
from jetbench.report.words import capital, joined
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

NONE = "<p>{{ model }} is fitted at once: there is no course to show.</p>"
TEXT = """<p>{{ kept }} {{ onset }}</p>"""
FEATURED = """
{{ table }}
<p><small>What the features of the encoder are like after the last epoch, and in small print after the first, in two views of 128
jets of the pool: standard deviation (0: all jets alike), effective rank (in how many directions they go), alignment (0: both
views of a jet the same) and uniformity (0: all alike; the lower, the more even).</small></p>
"""
CAPTION = (
    "Thin lines are the other seeds. A dashed line marks the epoch whose weights count, a dotted one the onset of overfitting: "
    "the least validation loss, where the last one lies above it by more than the standard error of such a loss while the "
    "training loss goes on falling. The training loss is that of augmented jets. Time includes the validations."
)
COLORS = {"train": PALETTE[0], "val": PALETTE[1]}
NAMES = {"train": "training", "val": "validation"}


def render(inspection: Inspection) -> SectionContent:
    """Show the loss, and the metric that arms are compared by where epochs have it."""
    history = inspection.shown.history
    if history is None:
        return SectionContent("curves", "Learning curves", fragment(NONE, model=inspection.shown.spec.model.name))
    metric = inspection.shown.task.headline
    rows = {"loss": "loss", metric.key: _heading(metric)}
    shown = {key: text for key, text in rows.items() if {f"train/{key}", f"val/{key}"} & set(history.curves)}
    others = [one.history for one in inspection.seeds[1:] if one.history is not None]
    told = [_course(one) for one in (history, *others)]
    plot = Plot(
        "curves",
        f"{capital(joined(list(shown)))} of training and validation against epochs, passes and time",
        CAPTION,
        draw,
        (told, shown, history.kept, history.onset, inspection.simulated),
    )
    return SectionContent("curves", "Learning curves", fragment(TEXT, **_said(history)) + _features(inspection), (plot,))


def _features(inspection: Inspection) -> str:
    """A table of what the features of each encoder are like; empty where the runs are none of pretraining, which look at them."""
    courses = {one.run.planned.name: _noted(one.history) for one in inspection.seeds if one.history is not None}
    lines = [Line((name, *feature_cells([course]))) for name, course in courses.items() if course]
    return fragment(FEATURED, table=table(("run", *FEATURES.values()), lines)) if lines else ""


def _noted(history: History) -> list[dict[str, float]]:
    """What was noted of the features after each epoch."""
    curves = {name: history.curves[name] for name in FEATURES if name in history.curves}
    return (
        [{name: float(curve[place]) for name, curve in curves.items()} for place in range(len(history.epochs))] if curves else []
    )


def _heading(metric: Metric) -> str:
    return f"{metric.name} [{metric.unit}]" if metric.unit else metric.name


def _said(history: History) -> dict[str, str]:
    last = len(history.epochs) - 1
    epoch = f"epoch {history.epochs[history.kept]} of {history.epochs[last]}"
    kept = f"The weights of {epoch} were kept{', the last one' if history.kept == last else ''}."
    if "val/loss" not in history.curves:
        return {"kept": kept, "onset": "Without validation labels nothing tells where overfitting begins."}
    if history.onset is None:
        return {"kept": kept, "onset": "The validation loss shows no overfitting."}
    return {"kept": kept, "onset": f"Overfitting begins after epoch {history.epochs[history.onset]}."}


def _course(history: History) -> dict[str, dict[str, np.ndarray]]:
    """Axes and curves of one training by name."""
    return {"axes": dict(axes_of(history)), "curves": history.curves}


def draw(
    courses: list[dict[str, Mapping[str, np.ndarray]]], shown: Mapping[str, str], kept: int, onset: int | None, simulated: bool
) -> Figure:
    """Draw a row of panels for each metric and a column for each axis; the first course is the one that is marked."""
    columns = list(courses[0]["axes"])
    figure, grid = panels(len(shown), len(columns), simulated, width=3.5, height=2.5)
    for row, (key, text) in enumerate(shown.items()):
        for column, name in enumerate(columns):
            axes = grid[row, column]
            for place, course in reversed(list(enumerate(courses))):
                _draw_course(axes, course, name, key, main=place == 0)
            for epoch, dashes, what in ((kept, (0, (5, 2)), "kept epoch"), (onset, (0, (1, 1.5)), "onset of overfitting")):
                if epoch is not None:
                    axes.axvline(courses[0]["axes"][name][epoch], color=INK, linewidth=1.1, linestyle=dashes, label=what)
            axes.set_xlabel(name if row == len(shown) - 1 else "", fontsize=10.5, color=INK)
            axes.set_ylabel("" if column else text, fontsize=10.5, color=INK)
            style(axes)
            if name == EPOCHS:
                _count_epochs(axes)
    legend(figure, list(grid.flat))
    return figure


def _count_epochs(axes: Any) -> None:
    """Set ticks at whole epochs alone, also where a training has one or two."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    axes.xaxis.set_minor_locator(NullLocator())


def _draw_course(axes: Any, course: dict[str, Mapping[str, np.ndarray]], name: str, key: str, main: bool) -> None:
    for part, color in COLORS.items():
        curve = course["curves"].get(f"{part}/{key}")
        if curve is not None:
            line: dict[str, Any] = (
                {"linewidth": 2.0, "marker": "o", "markersize": 4} if main else {"linewidth": 0.8, "alpha": 0.5}
            )
            axes.plot(course["axes"][name], curve, color=color, label=NAMES[part] if main else None, **line)
