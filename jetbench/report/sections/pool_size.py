"""The metric against the number of unlabelled jets of a pretraining, budget by budget, and the power law that it follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.evaluation.plots import DPI, INK
from jetbench.report.arms import Look, looks
from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.drawing import ends, legend, limits, mark_sizes, style
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.pool_gain import draw_gains, largest_minus, pool_gain_sentences, pool_gains
from jetbench.report.pool_size import PoolCurve, exponent_text, pool_curves, pool_sentences, size_text
from jetbench.report.published_beside import pool_size_lines
from jetbench.report.results import Results
from jetbench.report.words import (
    LEVEL_TEXT,
    brief_difference,
    capital,
    count,
    heading,
    label,
    mean_errors,
    mean_limits,
    number,
    spoilt_by,
)
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

BODY = """
{{ table }}
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
<p><small>{{ metric }} ± error between seeds ± error from the test sample, with the {{ level }} interval;
below it the same less the baseline, and the largest pool less each smaller one, paired by seeds and test jets, the latter
corrected by Holm for their number. All sizes have the
passes of their recipe: what differs is how many different jets they are of. The exponent is the mean over seeds, each with a
straight line of its own through the logarithms of all sizes; its interval has the seeds' spread and the covariance of
all models on the same test jets. Where the largest size is most of the pool, its seeds share their jets, and the chance of that
pool is in no interval. A flat curve has an exponent too, whose interval holds zero in 19 of 20 cases; where the arm with the
largest pool is not shown to be better than its baseline, that is said beside it: that there is a gain which grows is then not
shown.</small></p>
"""

Means = Mapping[str, Mean]  # by arm


def render(results: Results) -> SectionContent | None:
    curves = pool_curves(results)
    if not curves:
        return None
    metric, means = results.metric, {curve.labels: _means(results, curves, curve.labels) for curve in curves}
    body = fragment(
        BODY,
        table=_table(results, curves, means),
        sentences=[*pool_gain_sentences(results), *pool_sentences(results), *pool_size_lines(results)],
        metric=capital(label(metric)),
        level=LEVEL_TEXT,
    )
    plot = Plot(
        "pool_size",
        f"{capital(label(metric))} against the number of unlabelled jets, for each label budget",
        f"Mean {label(metric)} with {LEVEL_TEXT} intervals from seeds and test sample against the number of unlabelled jets. "
        "Band: the interval of the baseline, which sees none of them. Dashed: the power law, where there is one.",
        draw,
        (metric, curves, means, looks(results.plan)),
    )
    return SectionContent(
        "pool-size", "Against the size of the unlabelled pool", body, plots=(plot, *_gain_plot(results, curves))
    )


def _gain_plot(results: Results, curves: Sequence[PoolCurve]) -> Iterator[Plot]:
    """What each size gains over the baseline, where both have finished seeds."""
    gains = [(curve, found) for curve in curves if (found := pool_gains(results, curve))]
    if gains:
        name = f"{label(results.metric)} minus that of the baseline"
        yield Plot(
            "pool_size_gain",
            f"{capital(name)} against the number of unlabelled jets, for each label budget",
            f"{capital(name)}, paired by seeds and test jets, with {LEVEL_TEXT} intervals: the hardness of the jets, which all "
            "sizes share, cancels. Shade: margin of equivalence.",
            draw_gains,
            (results.metric, gains, looks(results.plan)),
        )


def _means(results: Results, curves: Sequence[PoolCurve], labels: int) -> dict[str, Mean]:
    """The means of all arms of the curves at a budget, and of their baselines."""
    here = [curve for curve in curves if curve.labels == labels]
    names = dict.fromkeys(name for curve in here for name in (*curve.arms.values(), curve.baseline))
    found = {name: results.mean(name, labels) for name in names}
    return {name: mean for name, mean in found.items() if mean is not None}


def _table(results: Results, curves: Sequence[PoolCurve], means: Mapping[int, Means]) -> str:
    seen = {size: arm for curve in curves for size, arm in curve.arms.items()}
    sizes = {size: size_text(results, seen[size], size) for size in sorted(seen)}
    headings = ("arms", *sizes.values(), "baseline", "exponent α")
    lines = [line for curve in curves for line in _lines(results, curve, list(sizes), means[curve.labels])]
    return table(headings, by_budget(lines))


def _lines(results: Results, curve: PoolCurve, sizes: Sequence[int], means: Means) -> Iterator[tuple[int, Line]]:
    """The means of a curve, below them what each size gains over the baseline and what the largest size gains over each."""
    metric, more = results.metric, largest_minus(results)
    yield curve.labels, _line(metric, curve, sizes, means)
    beside = {size: one for size, arm in curve.arms.items() if (one := more.get((arm, curve.labels)))}
    for name, found in ((f"minus {curve.baseline}", pool_gains(results, curve)), ("largest pool minus it", beside)):
        if found:
            yield curve.labels, Line((name, *(_difference(metric, found.get(size)) for size in sizes), "", ""), "muted")


def _difference(metric: Metric, found: Comparison | None) -> Cell:
    if found is None:
        return Cell("–")
    return Cell(brief_difference(metric, found), " ".join(filter(None, (str(found.verdict), spoilt_by(found)))))


def _line(metric: Metric, curve: PoolCurve, sizes: Sequence[int], means: Means) -> Line:
    found = [_cell(metric, means.get(curve.arms.get(size, ""))) for size in sizes]
    law = exponent_text(curve.law.exponent) if curve.law else "none"
    return Line((curve.name, *found, _cell(metric, means.get(curve.baseline)), law))


def _cell(metric: Metric, mean: Mean | None) -> Cell:
    if mean is None:
        return Cell("–")
    return Cell(f"{number(metric, mean.mean)} {mean_errors(metric, mean)}", mean_limits(metric, mean))


def draw(metric: Metric, curves: Sequence[PoolCurve], means: Mapping[int, Means], named: Mapping[str, Look]) -> Figure:
    """Draw a panel for each label budget: a line with intervals for each curve, its law, and the band of its baseline."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.6 + 4.2 * len(means), 4.6), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(means), squeeze=False)[0]
    for axes, (labels, found) in zip(panels, means.items(), strict=True):
        here = [curve for curve in curves if curve.labels == labels]
        for baseline in dict.fromkeys(curve.baseline for curve in here if curve.baseline in found):
            _draw_band(axes, metric, baseline, found[baseline], named[baseline])
        for curve in here:
            _draw_curve(axes, metric, curve, found, named[curve.arms[max(curve.arms)]])
        mark_sizes(axes, sorted({size for curve in here for size in curve.arms}))
        axes.set_xlabel("unlabelled jets", fontsize=11, color=INK)
        style(axes, f"{count(labels)} labels")
        axes.set_ylim(limits(metric, [mean.mean for mean in found.values()], list(found.values())))
    panels[0].set_ylabel(heading(metric), fontsize=11, color=INK)
    legend(figure, panels)
    return figure


def _draw_band(axes: Any, metric: Metric, name: str, mean: Mean, look: Look) -> None:
    axes.axhline(mean.mean, color=look.color, linewidth=1.2, label=name)
    if mean.low is not None and mean.high is not None:
        axes.axhspan(*ends(metric, mean), color=look.color, alpha=0.15, linewidth=0)


def _draw_curve(axes: Any, metric: Metric, curve: PoolCurve, means: Means, look: Look) -> None:
    """One seed has no interval, and no bar."""
    sizes, found = np.array(list(curve.arms)), [means[arm] for arm in curve.arms.values()]
    centers, bars = np.array([mean.mean for mean in found]), np.array([ends(metric, mean) for mean in found])
    axes.errorbar(
        sizes,
        centers,
        [centers - bars[:, 0], bars[:, 1] - centers],
        color=look.color,
        marker=look.marker,
        linestyle="none" if curve.law else "-",
        label=curve.name,
        capsize=3,
        markerfacecolor=look.face,
    )
    if curve.law:
        along = np.geomspace(sizes[0], sizes[-1], 100)
        axes.plot(along, metric.leaving(curve.law.left(along)), color=look.color, linestyle=(0, (5, 2)))
