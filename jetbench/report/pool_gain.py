"""What a larger pool of unlabelled jets gains: the largest minus each smaller one, and each over the baseline, all paired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.arms import Look
from jetbench.report.drawing import legend, mark_sizes, style
from jetbench.report.pool_size import PoolCurve, pool_curves
from jetbench.report.results import Results
from jetbench.report.words import brief_difference, count, joined, label, spoilt_by
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.multiplicity import adjust
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Gains", "draw_gains", "largest_minus", "pool_gain_sentences", "pool_gains"]

Gains = Mapping[int, Comparison]  # by the number of unlabelled jets
Place = tuple[str, int]  # arm with a smaller pool, and label budget

KNOWN: WeakKeyDictionary[Results, dict[Place, Comparison]] = WeakKeyDictionary()  # page, terminal and files ask for the same


def largest_minus(results: Results) -> dict[Place, Comparison]:
    """Compare the arm with the largest pool of each curve with every one that saw fewer jets, by the latter and the label budget;
    corrected by Holm for the number of these comparisons, which are secondary."""
    if results not in KNOWN:
        found = {}
        for curve in pool_curves(results):
            *smaller, largest = curve.arms.values()
            for arm in smaller:
                if compared := results.compare(largest, arm, curve.labels):
                    found[arm, curve.labels] = compared
        KNOWN[results] = adjust(found, ())
    return KNOWN[results]


def pool_gains(results: Results, curve: PoolCurve) -> Gains:
    """Return what each arm of a curve gains over its baseline, by the number of jets that it has seen."""
    return {size: one for size, arm in curve.arms.items() if (one := results.comparisons.get((arm, curve.labels)))}


def pool_gain_sentences(results: Results) -> list[str]:
    """Write a sentence for each kind of arm: the largest minus the smallest pool, budget by budget."""
    kinds: dict[tuple[str, tuple[int, ...]], list[PoolCurve]] = {}
    for curve in pool_curves(results):
        if len(curve.arms) > 1:
            kinds.setdefault((curve.name, (min(curve.arms), max(curve.arms))), []).append(curve)
    return [sentence for (name, ends), some in kinds.items() for sentence in _sentence(results, name, ends, some)]


def _sentence(results: Results, name: str, ends: tuple[int, ...], curves: Sequence[PoolCurve]) -> Iterator[str]:
    found = {curve.labels: largest_minus(results).get((curve.arms[ends[0]], curve.labels)) for curve in curves}
    parts = [_part(results.metric, labels, one) for labels, one in found.items() if one]
    if parts:
        sizes = f"{count(ends[1])} against {count(ends[0])} unlabelled jets"
        yield f"Largest minus smallest pool of {name}, {sizes}, {label(results.metric)}: {joined(parts)}."


def _part(metric: Metric, labels: int, found: Comparison) -> str:
    verdict = " ".join(filter(None, (str(found.verdict), spoilt_by(found))))
    return f"{brief_difference(metric, found)} at {count(labels)} labels ({verdict})"


def draw_gains(metric: Metric, curves: Sequence[tuple[PoolCurve, Gains]], named: Mapping[str, Look]) -> Figure:
    """Draw a panel for each label budget: what each size of the pool gains over the baseline, with its interval; the shade is the
    margin of equivalence."""
    from matplotlib.figure import Figure

    budgets = list(dict.fromkeys(curve.labels for curve, _ in curves))
    figure = Figure(figsize=(1.6 + 4.2 * len(budgets), 3.6), dpi=DPI, layout="constrained")
    panels = figure.subplots(1, len(budgets), squeeze=False, sharey=True)[0]
    for axes, labels in zip(panels, budgets, strict=True):
        here = [(curve, gains) for curve, gains in curves if curve.labels == labels]
        margin = max(one.margin for _, gains in here for one in gains.values())
        axes.axhspan(-margin, margin, color=MUTED, alpha=0.2, linewidth=0)
        axes.axhline(0, color=MUTED, linewidth=1)
        for curve, gains in here:
            _draw_curve(axes, curve, gains, named[curve.arms[max(curve.arms)]])
        mark_sizes(axes, sorted({size for _, gains in here for size in gains}))
        axes.set_xlabel("unlabelled jets", fontsize=11, color=INK)
        style(axes, f"{count(labels)} labels")
    panels[0].set_ylabel(f"{label(metric)} minus baseline", fontsize=11, color=INK)
    legend(figure, panels)
    return figure


def _draw_curve(axes: Any, curve: PoolCurve, gains: Gains, look: Look) -> None:
    """One seed has no interval."""
    halves = [0.0 if one.high is None else one.high - one.difference for one in gains.values()]
    axes.errorbar(
        list(gains),
        [one.difference for one in gains.values()],
        halves,
        color=look.color,
        marker=look.marker,
        label=curve.name,
        capsize=3,
    )
