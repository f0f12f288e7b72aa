"""Many classes one by one: how well each is told from all others, and from the background."""

from __future__ import annotations

from dataclasses import dataclass

from jetbench.evaluation.multiclass import class_keys
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import by_budget, fragment, table
from jetbench.report.rejections import UNRESOLVED, rejection_text, seed_rejection
from jetbench.report.results import Results
from jetbench.statistics.mean_rejection import MeanRejection

__all__ = ["SHOWN", "ClassRow", "class_rows", "render"]

SHOWN = 50  # percent of signal kept: the working point of JetClass's tables for most of its classes (arXiv:2202.03772)
BODY = """
{{ table }}
<p><small>The AUC of each class against all others by its own probability, mean over the seeds; below it R = 1/ε<sub>B</sub> at
{{ shown }} % efficiency of the class against {{ background }} alone, by
p<sub>s</sub>/(p<sub>s</sub> + p<sub>{{ background }}</sub>). {{ unresolved }}.</small></p>
"""


@dataclass(frozen=True)
class ClassRow:
    """An arm at one label budget. In the order of the classes: `areas` hold the AUC against all other classes, `rejections`
    R_x at x = `SHOWN` against the background, which has none itself."""

    arm: str
    labels: int
    areas: tuple[float | None, ...]
    rejections: tuple[MeanRejection | None, ...]


def render(results: Results) -> SectionContent | None:
    classes = results.plan.instance.meta.class_names
    if len(classes) <= 2:
        return None
    lines = by_budget([(row.labels, _line(row)) for row in class_rows(results)])
    body = fragment(BODY, table=table(("arm", *classes), lines), background=classes[0], shown=SHOWN, unresolved=UNRESOLVED)
    return SectionContent("classes", "Class by class", body)


def _line(row: ClassRow) -> Line:
    below = ["background", *("" for _ in row.rejections[1:])]
    under = [f"R{SHOWN} {rejection_text(r)}" if r else text for r, text in zip(row.rejections, below, strict=True)]
    areas = ["–" if area is None else f"{area:.4f}" for area in row.areas]
    return Line((row.arm, *map(Cell, areas, under)))


def class_rows(results: Results) -> list[ClassRow]:
    """Make a row, budget by budget, for the arms with a finished seed in the suite's order."""
    settings = results.plan.instance.settings
    pairs = [(arm, labels) for labels in settings.labels for arm in settings.arms if results.seeds(arm, labels)]
    return [_row(results, arm, labels) for arm, labels in pairs]


def _row(results: Results, arm: str, labels: int) -> ClassRow:
    keys = class_keys(results.plan.instance.meta.class_names)
    return ClassRow(
        arm=arm,
        labels=labels,
        areas=tuple(results.average(arm, labels, f"test/auc_{key}") for key in keys),
        rejections=(None, *(seed_rejection(results, arm, labels, SHOWN, signal) for signal in range(1, len(keys)))),
    )
