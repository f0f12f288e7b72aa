"""How alike the subjects order the jets, and how alike their encoders describe them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import INK, PALETTE
from jetbench.insight.agreement import correlations, signal_scores, stretched
from jetbench.insight.drawing import draw_cloud, panels, style
from jetbench.insight.embedding import features_of
from jetbench.insight.evidence import Evidence
from jetbench.insight.side_by_side import SideBySide
from jetbench.insight.similarity import linear_cka
from jetbench.jets import Jets
from jetbench.report.content import Line, Plot, SectionContent
from jetbench.report.drawing import legend
from jetbench.report.markup import fragment, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render", "scatter", "similarities"]

MOST = 3000  # jets of a scatter
CORRELATED = "<p>Spearman's rank correlation of their predictions on all test jets, of the runs that are shown.</p>"
ALIKE = """<p>Linear CKA of their encoders on {{ jets|count }} test jets: 1 where the features of one are those of the other but
for rotation and scale. On the diagonal, where a subject has several seeds, that of its first two: what a seed
changes by itself.</p>"""
WITHOUT = """<p class="told">No encoder is compared for {{ names|join(", ") }}: {{ reason }}.</p>"""
CAPTION = "Each point is a test jet{several}, at what the first subject and another one make of it; on the diagonal they agree."


def render(given: SideBySide) -> SectionContent:
    """Show the correlations, then the similarities of the encoders where there are two."""
    names = given.names
    body = fragment(CORRELATED) + _matrix(names, correlations(given.predictions))
    encoders, left_out, reason = _encoders(given)
    if len(encoders) > 1:
        jets = given.baseline.shown.jets
        body += fragment(ALIKE, jets=len(jets)) + _matrix(tuple(encoders), similarities(encoders, jets))
    if left_out:
        body += fragment(WITHOUT, names=left_out, reason=reason)
    return SectionContent("correlation", "How far they agree", body)


def _matrix(names: tuple[str, ...], values: np.ndarray) -> str:
    texts = [["–" if np.isnan(value) else f"{value:.3f}" for value in row] for row in values]
    return table(("", *names), [Line((name, *row)) for name, row in zip(names, texts, strict=True)])


def _encoders(given: SideBySide) -> tuple[dict[str, list[Evidence]], list[str], str]:
    """The first two runs of each subject with an encoder and its jets, the names of the others, and why they have none."""
    found: dict[str, list[Evidence]] = {}
    left_out: list[str] = []
    why = ""
    for one in given.inspections:
        reason = given.baseline.no_jets or one.shown.no_model
        if reason:
            left_out, why = [*left_out, one.shown.run.name], reason
        else:
            found[one.shown.run.name] = list(one.seeds[:2])
    return found, left_out, why


def similarities(encoders: dict[str, list[Evidence]], jets: Jets) -> np.ndarray:
    """Return the linear CKA of the first encoders of m subjects (m, m), and on the diagonal that of the first two of each, NaN
    where there is one."""
    features = [[features_of(one, jets) for one in runs] for runs in encoders.values()]
    found = np.full((len(features),) * 2, np.nan)
    for i, mine in enumerate(features):
        for k, other in enumerate(features):
            if i != k:
                found[i, k] = linear_cka(mine[0], other[0])
            elif len(mine) > 1:
                found[i, i] = linear_cka(*mine)
    return found


def scatter(given: SideBySide) -> Plot:
    """Return the plot of the subjects' predictions against those of the first."""
    every = max(1, -(-len(given.truth) // MOST))
    values = [signal_scores(one)[::every] for one in given.predictions]
    regression = given.baseline.regression
    shown = values if regression else [stretched(one) for one in values]
    groups = np.zeros(len(shown[0]), np.int64) if regression else given.truth[::every]
    what = f"{given.baseline.shown.task.column} [GeV]" if regression else "log-odds"
    drawn = (given.names, shown, groups, given.class_names, what, given.baseline.simulated)
    several = f", every {every}th" if every > 1 else ""
    return Plot("scores", "Predictions against each other", CAPTION.format(several=several), draw, drawn)


def draw(
    names: tuple[str, ...], values: list[np.ndarray], groups: np.ndarray, classes: tuple[str, ...], what: str, simulated: bool
) -> Figure:
    """Draw a panel for each subject but the first: its predictions against those of the first, class by class."""
    figure, grid = panels(1, len(names) - 1, simulated, width=4.4, height=4.0)
    for axes, name, other in zip(grid[0], names[1:], values[1:], strict=True):
        both = np.concatenate([values[0], other])
        ends = [both.min(), both.max()]
        axes.plot(ends, ends, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        for k in np.unique(groups).tolist():
            _draw_class(axes, values[0][groups == k], other[groups == k], k, classes)
        axes.set_xlabel(f"{names[0]}: {what}", fontsize=10.5, color=INK)
        axes.set_ylabel(f"{name}: {what}", fontsize=10.5, color=INK)
        style(axes)
    if classes:
        legend(figure, grid[0])
    return figure


def _draw_class(axes: Any, across: np.ndarray, up: np.ndarray, k: int, classes: tuple[str, ...]) -> None:
    name = classes[k] if classes else None
    draw_cloud(axes, across, up, PALETTE[k % len(PALETTE)], name)
