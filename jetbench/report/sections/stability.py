"""How stable each arm is against learning rate, length and seed: shares of its grid as a table, and the grid as heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK, MUTED, finish
from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.stability import (
    Stability,
    ends,
    setting_text,
    share_text,
    stabilities,
    stability_sentences,
    tolerance_text,
)
from jetbench.report.words import LEVEL_TEXT, capital, count, heading, label, number
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

BODY = """
{{ table }}
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
<p><small>Every arm with all combinations of the same factors on the learning rate and the length of its own recipe in its last
stage, the one on the label budget; a pretraining before it is what it is, and the same for all of them. Factors of one are the
arm's own run. A setting is near the best where it lies within {{ tolerance }} of the arm; one where a training diverged is not.
The number to quote is the share by seeds, each seed held against its own best, its mean with the {{ level }} interval over the
seeds; minus the baseline: the difference, paired. By means: the share of the settings whose mean over the seeds is near the best
mean, which describes this picture and has no interval. The test jets are the same throughout, and a seed counts
once it has ended at every setting. All of this describes, and nothing is chosen by it: the best of a grid is the best on these
test jets, picked by looking at them. It is thus flattered by chance, the more the more settings there are, and is no estimate
of what a tuned training reaches; and the noisier an arm, the fewer of its settings lie near its luckiest one, with each seed by
itself most of all.</small></p>
"""

Grid = tuple[tuple[float, ...], tuple[float, ...], np.ndarray, np.ndarray, np.ndarray]  # factors, means, spreads, near the best


def render(results: Results) -> SectionContent | None:
    found = stabilities(results)
    if not found:
        return None
    metric = results.metric
    body = fragment(
        BODY,
        table=_table(results, found),
        sentences=stability_sentences(results),
        tolerance=tolerance_text(results),
        level=LEVEL_TEXT,
    )
    grids = {one.arm: (one.rates, one.lengths, one.means, _spread(one.values), one.near) for one in found}
    plot = Plot(
        "stability",
        f"{capital(label(metric))} of each arm against the factors on its learning rate and length",
        f"{capital(heading(metric))}, mean over the seeds ± their standard deviation, against the factors on learning rate and "
        f"length of the last stage. Framed: within {tolerance_text(results)} of the arm. One scale of colours for all arms; a "
        "setting at which a training diverged has no colour.",
        draw,
        (metric, grids),
    )
    return SectionContent("stability", "How stable is it?", body, plots=(plot,))


def _spread(values: np.ndarray) -> np.ndarray:
    """The standard deviation between seeds (rates, lengths) of values (rates, lengths, seeds); NaN for a single seed."""
    return values.std(axis=2, ddof=1) if values.shape[2] > 1 else np.full(values.shape[:2], np.nan)


def _table(results: Results, found: Sequence[Stability]) -> str:
    headings = ("arm", "near the best, by seeds", "minus its baseline", "by means", "the best", "the recipe's own", "the worst")
    return table(headings, [_line(results, one) for one in found])


def _line(results: Results, one: Stability) -> Line:
    metric, own = results.metric, one.means[one.rates.index(1.0), one.lengths.index(1.0)]
    best, worst = (Cell(number(metric, float(one.means[place])), setting_text(one, place)) for place in ends(results, one))
    return Line(
        (
            Cell(one.arm, f"{count(one.labels)} labels, {count(len(one.seeds), 'seed')}"),
            share_text(one.by_seed),
            share_text(one.against, signs=True) if one.against else "",
            Cell(f"{100 * one.share:.0f} %", f"{int(one.near.sum())} of {one.near.size}"),
            best,
            number(metric, float(own)) if np.isfinite(own) else "diverged",
            worst,
        )
    )


def draw(metric: Metric, grids: Mapping[str, Grid]) -> Figure:
    """Draw a heat map for each arm, lengths over rates, with the numbers in the cells and a frame around those near the best."""
    from matplotlib.figure import Figure

    rates, lengths = next(iter(grids.values()))[:2]
    across = min(len(grids), 2)
    down = -(-len(grids) // across)
    width, height = 1.6 + 0.85 * len(rates) * across, 0.4 + (0.9 + 0.5 * len(lengths)) * down
    figure = Figure(figsize=(max(width, 6.0), max(height, 2.4)), dpi=DPI, layout="constrained")
    every = figure.subplots(down, across, squeeze=False).ravel()
    reach = _reach([means for _, _, means, _, _ in grids.values()])
    for axes in every[len(grids) :]:
        axes.set_visible(False)
    for axes, (arm, grid) in zip(every, grids.items(), strict=False):
        image = axes.imshow(grid[2].T, cmap="cividis", vmin=reach[0], vmax=reach[1], aspect="auto", origin="lower")
        _fill(axes, metric, grid, sum(reach) / 2)
        finish(axes, arm, size=11.5)
        axes.set_xticks(range(len(rates)), [f"× {rate:g}" for rate in rates])
        axes.set_yticks(range(len(lengths)), [f"× {length:g}" for length in lengths])
        axes.set_xlabel("learning rate", fontsize=10, color=INK)
        axes.set_ylabel("length", fontsize=10, color=INK)
    figure.colorbar(image, ax=list(every[: len(grids)])).set_label(heading(metric), fontsize=9.5, color=INK)
    return figure


def _reach(means: Sequence[np.ndarray]) -> tuple[float, float]:
    """The ends of the scale of colours; one value alone has a scale of some width too."""
    shown = np.concatenate([some[np.isfinite(some)] for some in means])
    low, high = float(shown.min()), float(shown.max())
    return low, max(high, low + 1e-6)


def _fill(axes: Any, metric: Metric, grid: Grid, middle: float) -> None:
    from matplotlib.patches import Rectangle

    _, _, means, spreads, near = grid
    for (rate, length), mean in np.ndenumerate(means):
        if not np.isfinite(mean):
            axes.text(rate, length, "diverged", ha="center", va="center", fontsize=8, color=MUTED)
            continue
        color = "black" if mean > middle else "white"  # the larger value is the brighter one
        spread = number(metric, float(spreads[rate, length])) if np.isfinite(spreads[rate, length]) else "?"
        text = f"{number(metric, float(mean))}\n±{spread}"
        axes.text(rate, length, text, ha="center", va="center", fontsize=8, color=color)
        if near[rate, length]:
            axes.add_patch(Rectangle((rate - 0.46, length - 0.44), 0.92, 0.88, fill=False, edgecolor=color, linewidth=1.6))
