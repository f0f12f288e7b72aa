"""Who is ahead: the metric of every run that is compared, and the paired test against the first subject."""

from __future__ import annotations

from scipy.special import ndtr

from jetbench.insight.evidence import Evidence
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.summary import metric_cell
from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Line, SectionContent
from jetbench.report.markup import fragment, table, warnings_box
from jetbench.report.words import count, difference_text, joined, label, number, quantity, signed, units
from jetbench.statistics.comparison import Comparison
from jetbench.tasks.task import Metric

__all__ = ["render", "sentences"]

TEXT = """{% for sentence in told %}<p>{{ sentence }}.</p>{% endfor %}
<p class="told">{{ errors }} What follows below the table is of the runs {{ shown }}.</p>"""
ONE = "Of one run each, the error is that of the test sample alone: what another seed would change is not in it."
SHARED = "Of seeds of one encoder, the error is that of the test sample alone: what another encoder would change is not in it."
MANY = "The test is paired, seed by seed on the same jets, with the errors between {} and of the test sample."


def render(given: SideBySide) -> SectionContent:
    """Say for each subject how it stands to the first, and show a line for each with its seeds."""
    metric = given.baseline.shown.task.headline_of(given.baseline.meta)
    seeds = sorted({one.spec.seed for side in given.inspections for one in side.seeds})
    lines = [_line(side, seeds, metric) for side in given.inspections]
    errors = dict.fromkeys(_errors(found) for found in given.comparisons if found is not None)
    body = fragment(TEXT, told=sentences(given), shown=joined(list(given.names)), errors=" ".join(errors))
    if warned := given.warnings():
        body += warnings_box(warned)
    return SectionContent("verdicts", body=body + table((label(metric), *(f"seed {seed}" for seed in seeds)), lines))


def _errors(found: Comparison) -> str:
    """Say which errors a comparison has."""
    if found.units > 1:
        return MANY.format(units(found))
    return ONE if found.seeds == 1 else SHARED


def _line(side: Inspection, seeds: list[int], metric: Metric) -> Line:
    """A subject with the metric of each of its seeds."""
    cells = {one.spec.seed: metric_cell(one, metric) for one in side.seeds}
    return Line((side.subject.name, *(cells.get(seed, "–") for seed in seeds)))


def sentences(given: SideBySide) -> list[str]:
    """Say of each subject but the first how far it is ahead of that, with the verdict of the paired test."""
    metric = given.baseline.shown.task.headline_of(given.baseline.meta)
    compared = zip(given.inspections[1:], given.pairs, given.comparisons, strict=True)
    return [_sentence(metric, other, given.baseline, pairs, found) for other, pairs, found in compared]


def _sentence(
    metric: Metric, other: Inspection, first: Inspection, pairs: list[tuple[Evidence, Evidence]], found: Comparison | None
) -> str:
    names = other.subject.name, first.subject.name
    if found is None:
        return f"{names[0]} and {names[1]} have no seed in common, so that nothing is paired"
    if found.seeds == 1:
        mine, against = (one.run.name for one in pairs[0])
        return f"{label(metric)} of {mine} less that of {against}: {_one(found, metric)}{_unused(other, first, 1)}"
    what = f"{label(metric)} of {names[0]} less that of {names[1]}"
    shared = f" of {count(found.units, 'encoder')}" if found.clustered else ""
    over = f"over {count(found.seeds, 'common seed')}{shared}{_unused(other, first, found.seeds)}"
    return f"{what}: {difference_text(metric, found)}, {over}: {found.verdict}"


def _unused(other: Inspection, first: Inspection, used: int) -> str:
    """Say of how many seeds of an arm those that have a partner are."""
    parts = [f"{used} of the {len(one.seeds)} seeds of {one.subject.name}" for one in (other, first) if len(one.seeds) > used]
    return f" ({' and '.join(parts)})" if parts else ""


def _one(found: Comparison, metric: Metric) -> str:
    """The difference of two single runs with the error and the two-sided p of the test sample."""
    difference = quantity(metric, signed(metric, found.difference))
    if not found.test_error > 0:
        return f"{difference}, to which the test sample gives no error: both order its jets alike, or without a mistake"
    p = 2 * float(ndtr(-abs(found.difference) / found.test_error))
    return f"{difference} ±{number(metric, found.test_error)} from the test sample, p = {p:.2g}"
