"""Columns of the metrics that a suite asks for beside those of its task."""

from __future__ import annotations

from jetbench.evaluation.metrics import MetricEntry, metrics
from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import places

__all__ = ["columns"]

LEGEND = "{{ heading }}: {{ summary }}{% if whose %}, of the plug-in {{ whose }}{% endif %}."


def columns(results: Results) -> Columns:
    """Show means over the finished seeds of each; nothing where none is asked for."""
    asked = [metrics[name] for name in results.plan.instance.settings.metrics]
    legends = [
        fragment(LEGEND, heading=_heading(one), summary=one.summary, whose=one.plugin.text if one.plugin else "") for one in asked
    ]
    return Columns(
        tuple(Column(_heading(one), {place: _cell(results, one, *place) for place in places(results)}) for one in asked),
        legend=" ".join(legends),
    )


def _heading(entry: MetricEntry) -> str:
    return entry.heading or entry.name


def _cell(results: Results, entry: MetricEntry, arm: str, labels: int) -> Cell:
    found = results.average(arm, labels, f"test/{entry.name}")
    return Cell("–" if found is None else f"{found:.{entry.digits}f}")
