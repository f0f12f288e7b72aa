"""What every arm loses on the other test sets, as a table and a forest of intervals, and who is sturdier than the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jetbench.evaluation.plots import DPI, INK, MUTED
from jetbench.report.also_test import also_heading
from jetbench.report.arms import Look, looks
from jetbench.report.content import Cell, Line, Plot, SectionContent
from jetbench.report.drawing import style
from jetbench.report.losses import STURDY, LossTable, loss_sentences, loss_table
from jetbench.report.markup import fragment, table
from jetbench.report.results import Results
from jetbench.report.rows import baseline_text, places
from jetbench.report.words import (
    LEVEL_TEXT,
    brief_difference,
    capital,
    count,
    difference_limits,
    differences_of,
    errors_text,
    mean_errors,
    signed,
)
from jetbench.spec import Variation
from jetbench.statistics.means import Mean
from jetbench.tasks.task import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "render"]

BODY = """
{{ losses }}
{% for sentence in sentences %}
<p>{{ sentence }}</p>
{% endfor %}
{% if moved %}
<p>Shares of the classes move what counts jets, and no ranking of the classes: accuracy, log loss and calibration error (ECE), the
own test jets → those thinned, means over the finished seeds. The loss of {{ name }} there tells how far chance alone goes.</p>
{{ moved }}
{% endif %}
<p><small>Loss: {{ name }} on the own test jets {{ order }}, mean over the finished seeds ± error between seeds ± error from the
test jets, with the {{ level }} interval from both. Where the varied jets are the own ones, once more or some of them, the error
from the test jets is paired jet by jet; other jets share nothing with the own ones, and the errors of both samples add.
Minus {{ baseline }}: the difference of two losses, paired by seeds and by the jets of both samples, so that the hardness of the
jets cancels. An arm is sturdier where it loses less, less sturdy where it loses more, and as sturdy where the difference lies
within the margin of equivalence, by the same tests as every other verdict. Where the other jets are easier and all arms gain,
losing less is gaining more. A loss is one of {{ name }} itself and not of what is left to gain: who is better on the other jets
is another question, answered in the table of the arms there. Holm's method corrects the {{ family }} of the primary comparisons
(*) for their number, and all others for theirs; intervals are not corrected, so that one which leaves out 0 may be undecided. The
verdict on the suite's primary comparison rests on the own test jets alone.</small></p>
"""
MOVED = {"accuracy": "accuracy", "log_loss": "log loss", "ece": "ECE"}  # by the key of what depends on the shares of the classes


def render(results: Results) -> SectionContent | None:
    found = loss_table(results)
    if not found.losses:
        return None
    metric, named = results.metric, results.plan.instance.variations
    body = fragment(
        BODY,
        losses=_table(results, found),
        sentences=loss_sentences(results),
        moved=_moved(results),
        name=metric.name,
        order="minus that on the varied ones" if metric.larger_is_better else "taken off that on the varied ones",
        level=LEVEL_TEXT,
        baseline=baseline_text(results),
        family=count(len(results.primaries) * len(named), "difference"),
    )
    budgets = dict.fromkeys(labels for _, labels, _ in found.losses)
    return SectionContent("losses", "What is lost on other jets", body, plots=tuple(_plot(results, found, n) for n in budgets))


def _table(results: Results, found: LossTable) -> str:
    metric, lines = results.metric, list[Line]()
    for one in results.plan.instance.variations:
        rows = [(arm, labels) for arm, labels in places(results) if (arm, labels, one.name) in found.losses]
        lines += [Line((also_heading(results, one),), "budget")] if rows else []
        lines += [_line(results, found, arm, labels, one) for arm, labels in rows]
    headings = ("arm", "labels", f"loss of {metric.name}", f"minus {baseline_text(results)}", "verdict")
    return table(headings, lines, left=("verdict",))


def _line(results: Results, found: LossTable, arm: str, labels: int, one: Variation) -> Line:
    metric, key = results.metric, (arm, labels, one.name)
    loss, compared = found.losses[key], found.differences.get(key)
    lost = Cell(f"{signed(metric, loss.mean)} {mean_errors(metric, loss)}", difference_limits(metric, loss))
    primary = (arm, labels) in results.primaries
    if compared is None:
        return Line((arm, count(labels), lost, "", ""))
    verdict = Cell(f"{STURDY[compared.verdict]}{' *' if primary else ''}")
    difference = Cell(brief_difference(differences_of(metric), compared), errors_text(metric, compared))
    return Line((arm, count(labels), lost, difference, verdict), "primary" if primary else "")


def _moved(results: Results) -> str:
    """What the shares of the classes change, arm by arm; empty where no test set has other shares, or no such metric is there."""
    thinned = [one for one in results.plan.instance.variations if one.shares is not None]
    lines = []
    for one in thinned:
        for arm, labels in places(results):
            keys = [(f"test/{key}", f"also/{one.name}/{key}") for key in MOVED]
            pairs = [[results.average(arm, labels, key) for key in pair] for pair in keys]
            if all(value is not None for pair in pairs for value in pair):
                shown = [" → ".join(f"{value:.4f}" for value in pair) for pair in pairs]
                lines.append(Line((one.name, arm, count(labels), *shown)))
    return table(("test set", "arm", "labels", *MOVED.values()), lines, left=("arm",)) if lines else ""


def _plot(results: Results, found: LossTable, labels: int) -> Plot:
    metric, plan = results.metric, results.plan
    panels = {
        also_heading(results, one): {
            arm: (found.losses[arm, labels, one.name], _remark(metric, found, (arm, labels, one.name)))
            for arm in plan.arms
            if (arm, labels, one.name) in found.losses
        }
        for one in plan.instance.variations
    }
    title = f"loss of {metric.name} at {count(labels)} labels"
    return Plot(
        f"losses_{labels}",
        f"{capital(title)} of every arm on every other test set, with its interval",
        f"{capital(title)}, right of zero where varied jets are harder. Thin bar: {LEVEL_TEXT} interval from seeds and test "
        f"jets; thick bar: the share of the seeds alone. Behind each: the loss minus that of {baseline_text(results)}, with its "
        "interval, and the verdict; filled marker: a verdict stands, or the baseline itself.",
        draw,
        (metric, title, panels, looks(plan)),
    )


def _remark(metric: Metric, found: LossTable, key: tuple[str, int, str]) -> tuple[str, bool]:
    """What stands behind a bar, and whether a verdict does."""
    compared = found.differences.get(key)
    if compared is None:
        return "", True
    verdict = STURDY[compared.verdict]
    return f"{brief_difference(differences_of(metric), compared)}  {verdict}", verdict != "undecided"


Panel = dict[str, tuple[Mean, tuple[str, bool]]]  # by arm, what it loses with what is said of it


def draw(metric: Metric, title: str, panels: dict[str, Panel], named: dict[str, Look]) -> Figure:
    """Draw a panel for each test set, with a bar for each arm; one scale for all."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    heights = [1 + len(panel) for panel in panels.values()]
    figure = Figure(figsize=(8.8, 0.9 + 0.29 * sum(heights)), dpi=DPI, layout="constrained")
    every = figure.subplots(len(panels), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    reach = _reach([mean for panel in panels.values() for mean, _ in panel.values()])
    for axes, (name, panel) in zip(every, panels.items(), strict=True):
        axes.axvline(0, color=MUTED, linewidth=1)
        for place, (arm, (mean, remark)) in enumerate(panel.items()):
            _draw_loss(axes, place, mean, named[arm], remark)
        axes.set_yticks(range(len(panel)), list(panel))
        axes.set_ylim(len(panel) - 0.4, -0.6)
        style(axes, name)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(*reach)
    every[-1].xaxis.set_major_locator(MaxNLocator(5))
    every[-1].set_xlabel(f"{title}{f' [{metric.unit}]' if metric.unit else ''}", fontsize=11, color=INK)
    return figure


def _reach(means: Sequence[Mean]) -> tuple[float, float]:
    """Both ends of all intervals, an interval of two seeds cut at three spans of the means."""
    centers = [0.0, *(mean.mean for mean in means)]
    span = max(max(centers) - min(centers), 1e-3)
    low = max(min([0.0, *(mean.mean if mean.low is None else mean.low for mean in means)]), min(centers) - 3 * span)
    high = min(max([0.0, *(mean.mean if mean.high is None else mean.high for mean in means)]), max(centers) + 3 * span)
    pad = 0.05 * (high - low)
    return low - pad, high + pad


def _draw_loss(axes: Any, place: int, mean: Mean, look: Look, remark: tuple[str, bool]) -> None:
    text, decided = remark
    if mean.low is not None and mean.high is not None:
        axes.plot([mean.low, mean.high], [place, place], color=look.color, linewidth=1.4, solid_capstyle="butt")
        seed = mean.seed_error or 0.0
        total = (seed**2 + mean.test_error**2) ** 0.5
        half = seed / total * (mean.high - mean.low) / 2 if total else 0.0
        thick = [mean.mean - half, mean.mean + half]
        axes.plot(thick, [place, place], color=look.color, linewidth=4, alpha=0.45, solid_capstyle="butt")
    face = look.color if decided else "white"
    axes.plot([mean.mean], [place], marker=look.marker, markersize=7, color=look.color, markerfacecolor=face, markeredgewidth=1.5)
    axes.text(1.01, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8.5, color=INK)
