"""Who is ahead: the metric of every run that is compared, and the paired test against the first subject."""

from __future__ import annotations

from scipy.special import ndtr

from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.summary import metric_cell
from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count, difference_text, label, number, quantity, signed, units
from jetbench.statistics.comparison import Comparison
from jetbench.tasks.task import Metric

__all__ = ["render", "sentences"]

TEXT = """{% for sentence in told %}<p>{{ sentence }}.</p>{% endfor %}
<p class="told">{{ errors }}</p>"""
ONE = "Of one run each, the error is that of the test sample alone: what another seed would change is not in it."
SHARED = "Of seeds of one encoder, the error is that of the test sample alone: what another encoder would change is not in it."
MANY = "The test is paired, seed by seed on the same jets, with the errors between {} and of the test sample."


def render(given: SideBySide) -> SectionContent:
    """Say for each subject how it stands to the first, and show a line for each with its seeds."""
    metric = given.baseline.shown.task.headline_of(given.baseline.meta)
    seeds = sorted({one.spec.seed for side in given.inspections for one in side.seeds})
    lines = [_line(side, seeds, metric) for side in given.inspections]
    errors = dict.fromkeys(_errors(found) for found in given.comparisons if found is not None)
    body = fragment(TEXT, told=sentences(given), errors=" ".join(errors))
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
    metric, (first, *others) = given.baseline.shown.task.headline_of(given.baseline.meta), given.names
    return [_sentence(metric, other, first, found) for other, found in zip(others, given.comparisons, strict=True)]


def _sentence(metric: Metric, other: str, first: str, found: Comparison | None) -> str:
    if found is None:
        return f"{other} and {first} have no seed in common, so that nothing is paired"
    what = f"{label(metric)} of {other} less that of {first}"
    if found.seeds == 1:
        return f"{what}: {_one(found, metric)}"
    shared = f" of {count(found.units, 'encoder')}" if found.clustered else ""
    return f"{what}: {difference_text(metric, found)}, over {count(found.seeds, 'common seed')}{shared}: {found.verdict}"


def _one(found: Comparison, metric: Metric) -> str:
    """The difference of two single runs with the error and the two-sided p of the test sample."""
    difference = quantity(metric, signed(metric, found.difference))
    if not found.test_error > 0:
        return f"{difference}, to which the test sample gives no error: both order its jets alike, or without a mistake"
    p = 2 * float(ndtr(-abs(found.difference) / found.test_error))
    return f"{difference} ±{number(metric, found.test_error)} from the test sample, p = {p:.2g}"
