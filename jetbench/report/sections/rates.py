"""The test metric with all seeds at one learning rate, and the primary comparisons with both arms at it."""

from __future__ import annotations

from collections.abc import Mapping

from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.rates import at_equal_rates, rate_mean, rates, turned
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.words import (
    LEVEL_TEXT,
    capital,
    count,
    difference_errors,
    difference_limits,
    heading,
    mean_errors,
    mean_limits,
    number,
)

__all__ = ["render"]

BODY = """
<p>{{ heading }} with all seeds of an arm at one learning rate, which no choice has touched:</p>
{{ means }}
{% if compared %}
<p>The primary comparisons with both arms at one rate:</p>
{{ compared }}
{% for sentence in turned %}
<p>{{ sentence }}</p>
{% endfor %}
{% if not turned %}
<p>At none of these rates would a primary verdict be another than it is with tuned rates.</p>
{% endif %}
{% endif %}
<p><small>Means over the seeds ± error between seeds ± error from the test sample, below them the {{ level }} interval from both;
an arm is shown when all its seeds are finished, and where fewer of them are at a rate, trials have diverged there. Differences
are paired by seeds and test jets, and their verdicts are corrected for the number of primary comparisons by Holm. Nothing is
chosen by this table.</small></p>
"""


def render(results: Results) -> SectionContent | None:
    found = {place: rates(results, *place) for place in places(results)}
    shown = sorted({rate for some in found.values() for rate in some}, key=float)
    if not shown:
        return None
    lines = [(place[1], _means(results, place, shown)) for place, some in found.items() if some]
    body = fragment(
        BODY,
        heading=capital(heading(results.metric)),
        means=table(("arm", *shown), by_budget(lines)),
        compared=_compared(results),
        turned=turned(results),
        level=LEVEL_TEXT,
    )
    return SectionContent("rates", "At equal learning rates", body)


def _means(results: Results, place: tuple[str, int], shown: list[str]) -> Line:
    tried, seeds = rates(results, *place), len(results.seeds(*place))
    return Line((place[0], *(_mean(results, place, tried.get(rate, {}), seeds) for rate in shown)))


def _mean(results: Results, place: tuple[str, int], trials: Mapping[int, str], seeds: int) -> Cell:
    metric, mean = results.metric, rate_mean(results, *place, trials)
    if mean is None:
        return Cell("–")
    few = f" {len(trials)} of {seeds} seeds" if len(trials) < seeds else ""
    return Cell(f"{number(metric, mean.mean)} {mean_errors(metric, mean)}", mean_limits(metric, mean) + few)


def _compared(results: Results) -> str:
    """The table of the primary comparisons at equal rates; empty without any."""
    metric, headings = results.metric, ("comparison", "labels", "rate of both", f"difference of {results.metric.name}", "verdict")
    lines = [
        Line(
            (
                f"{arm} minus {results.baselines[arm]}",
                count(labels),
                rate,
                Cell(difference_errors(metric, found), difference_limits(metric, found)),
                Cell(str(found.verdict), style=f"verdict {found.verdict}"),
            )
        )
        for rate, some in at_equal_rates(results).items()
        for (arm, labels), found in some.items()
    ]
    return table(headings, lines, left=("verdict",)) if lines else ""
