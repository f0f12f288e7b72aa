"""What is inspected: its runs with their metrics on the test jets, and what cannot be shown."""

from __future__ import annotations

import numpy as np

from jetbench.faults import fault_text
from jetbench.insight.evidence import Evidence
from jetbench.insight.inspection import Inspection
from jetbench.report.content import Cell, Line, SectionContent
from jetbench.report.markup import fragment, table
from jetbench.report.words import count, label, number
from jetbench.tasks.task import Metric

__all__ = ["metric_cell", "one_class", "reasons", "render"]

TEXT = """
<dl>
<dt>shown</dt><dd>{{ shown }}{% if others %}, the first of {{ others }} seeds; numbers are those of all of them{% endif %}</dd>
<dt>key</dt><dd>{{ key }}</dd>
<dt>model</dt><dd>{{ model }}; view {{ view }}</dd>
<dt>trained by</dt><dd>{{ stages }}</dd>
<dt>jets</dt><dd>{{ jets }}</dd>
</dl>
{% for sentence in told %}
<p class="told">{{ sentence }}</p>
{% endfor %}
"""
THRESHOLD = 0.5  # from which probability on a jet counts as the second of two classes, as in the accuracy of a run
ONE_CLASS = (
    "Warning: {run} calls every one of its {jets} test jets {name}, so that its accuracy is the share of that class and its maps "
    "show no decision. What the AUC says is the order of its scores alone; {remedy}."
)
REMEDY = "a longer training or another learning rate may help"
ALONE = "The jets cannot be shown: {}. What follows is made from stored scores and curves alone."


def render(inspection: Inspection) -> SectionContent:
    """Show a line for each seed, with the interval of its test sample where the metric has one."""
    shown = inspection.shown
    spec, test = shown.spec, f"; {count(len(shown.test_rows))} test jets" if shown.tested else ""
    body = fragment(
        TEXT,
        shown=shown.run.planned.name,
        others=len(inspection.seeds) if len(inspection.seeds) > 1 else 0,
        key=shown.run.planned.key,
        model=_component(spec.model.name, spec.model.options),
        view=_component(spec.view.name, spec.view.options),
        stages=", then ".join(f"{one.objective.name} ({one.recipe.name})" for one in shown.run.specs),
        jets=f"{spec.dataset.name}{test}",
        told=[*reasons(inspection), *one_class(inspection)],
    )
    metric = shown.task.headline_of(inspection.meta)
    lines = [Line((one.run.planned.name, metric_cell(one, metric))) for one in inspection.seeds]
    return SectionContent("summary", body=body + (table(("run", label(metric)), lines) if shown.tested else ""))


def metric_cell(one: Evidence, metric: Metric) -> Cell:
    """Return the headline metric of a run, below it the interval or error of the test sample; a dash for one that was not
    tested."""
    value = one.metrics.get(f"test/{metric.key}")
    return Cell("–") if value is None else Cell(number(metric, value), _error(one, metric))


def _error(one: Evidence, metric: Metric) -> str:
    low, high, error = (one.metrics.get(f"test/{metric.key}_{end}") for end in ("low", "high", "se"))
    if low is not None and high is not None:
        return f"[{number(metric, low)}, {number(metric, high)}]"
    return f"±{number(metric, error)}" if error is not None else ""


def reasons(inspection: Inspection) -> list[str]:
    """Say what of the page is left out, and why."""
    jets, model = inspection.no_jets, inspection.shown.no_model
    told = [ALONE.format(jets)] if jets else []
    return told or ([f"Nothing inside the model is shown: {model}."] if model else [])


def one_class(inspection: Inspection) -> list[str]:
    """Warn of each run that gives all of its test jets the same class."""
    names = inspection.meta.class_names
    if inspection.regression or not inspection.shown.tested:
        return []
    told = []
    for one in inspection.seeds:
        _, _, predicted = one.scores
        called = np.unique(predicted >= THRESHOLD if predicted.ndim == 1 else predicted.argmax(axis=1))
        if len(called) == 1:
            remedy = f"it is {fault_text(one.spec.fault)}, and not to be helped" if one.spec.fault else REMEDY
            told.append(ONE_CLASS.format(run=one.run.name, jets=count(len(predicted)), name=names[int(called[0])], remedy=remedy))
    return told


def _component(name: str, options: tuple[tuple[str, object], ...]) -> str:
    return " ".join([name, *(f"{option}={value}" for option, value in options)])
