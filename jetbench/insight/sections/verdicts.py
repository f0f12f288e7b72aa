"""Who is ahead: the metric of every run that is compared, and the paired test against the first subject."""

from __future__ import annotations

from scipy.special import ndtr

from jetbench.insight.agreement import paired_test, seed_pairs
from jetbench.insight.inspection import Inspection
from jetbench.insight.sections.summary import metric_cell
from jetbench.insight.side_by_side import SideBySide
from jetbench.report.content import Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count, difference_text, label, number, quantity, signed
from jetbench.statistics.comparison import Comparison
from jetbench.tasks.task import Metric

__all__ = ["render", "sentences"]

TEXT = """{% for sentence in told %}<p>{{ sentence }}.</p>{% endfor %}
<p class="told">{{ sentences }}</p>"""
ONE = "Of one run each, the error is that of the test sample alone: what another seed would change is not in it."
MANY = "The test is paired, seed by seed on the same jets, with the errors between seeds and of the test sample."


def render(given: SideBySide) -> SectionContent:
    """Say for each subject how it stands to the first, and show a line for each with its seeds."""
    metric = given.baseline.shown.task.headline_of(given.baseline.meta)
    seeds = sorted({one.spec.seed for side in given.inspections for one in side.seeds})
    lines = [_line(side, seeds, metric) for side in given.inspections]
    several = all(len(one.seeds) > 1 for one in given.inspections)
    body = fragment(TEXT, told=sentences(given), sentences=MANY if several else ONE)
    return SectionContent("verdicts", body=body + table((label(metric), *(f"seed {seed}" for seed in seeds)), lines))


def _line(side: Inspection, seeds: list[int], metric: Metric) -> Line:
    """A subject with the metric of each of its seeds."""
    cells = {one.spec.seed: metric_cell(one, metric) for one in side.seeds}
    return Line((side.subject.name, *(cells.get(seed, "–") for seed in seeds)))


def sentences(given: SideBySide) -> list[str]:
    """Say of each subject but the first how far it is ahead of that, with the verdict of the paired test."""
    metric = given.baseline.shown.task.headline_of(given.baseline.meta)
    return [_sentence(given, i, metric) for i in range(1, len(given.inspections))]


def _sentence(given: SideBySide, i: int, metric: Metric) -> str:
    first, other = given.names[0], given.names[i]
    pairs = seed_pairs(given.inspections[i].seeds, given.baseline.seeds)
    if not pairs:
        return f"{other} and {first} have no seed in common, so that nothing is paired"
    instance = given.baseline.subject.plan.instance
    found = paired_test(pairs, instance.jets - instance.settings.test_jets)
    if found.units == 1:
        return f"{label(metric)} of {other} less that of {first}: {_one(found, metric)}"
    told = f"{difference_text(metric, found)}, over {count(len(pairs), 'common seed')}"
    return f"{label(metric)} of {other} less that of {first}: {told}: {found.verdict}"


def _one(found: Comparison, metric: Metric) -> str:
    """The difference of two single runs with the error and the two-sided p of the test sample."""
    difference = quantity(metric, signed(metric, found.difference))
    if not found.test_error > 0:
        return f"{difference}, to which the test sample gives no error: both order its jets alike, or without a mistake"
    p = 2 * float(ndtr(-abs(found.difference) / found.test_error))
    return f"{difference} ±{number(metric, found.test_error)} from the test sample, p = {p:.2g}"
