"""Columns of what else is known of a classifier's scores: accuracy, F1, log loss, calibration."""

from __future__ import annotations

from jetbench.report.content import Cell, Column, Columns
from jetbench.report.markup import fragment
from jetbench.report.results import Results
from jetbench.report.rows import places

__all__ = ["columns"]

SHOWN = {"accuracy": "accuracy", "f1": "F1", "log_loss": "log loss", "ece": "ECE"}
TWO = "ECE: expected calibration error of the scores; accuracy and F1 at a score of 0.5."
MANY = """The AUC is the mean over all pairs of the {{ classes }} classes, one against one (Hand &amp; Till 2001). F1: unweighted
mean over the classes; accuracy and ECE, the expected calibration error, are those of the most probable class."""
DELONG = "The error from the test sample is DeLong's, of the mean difference over the paired seeds."


def columns(results: Results) -> Columns:
    """Show means over the finished seeds; the terminal has no room for them."""
    classes = len(results.plan.instance.meta.class_names)
    return Columns(
        tuple(Column(name, {place: _cell(results, *place, key) for place in places(results)}) for key, name in SHOWN.items()),
        legend=fragment(f"{MANY if classes > 2 else TWO} {DELONG}", classes=classes),
        remark="it is the mean over the pairs of classes" if classes > 2 else "",
    )


def _cell(results: Results, arm: str, labels: int, key: str) -> Cell:
    found = results.average(arm, labels, f"test/{key}")
    return Cell("–" if found is None else f"{found:.3f}")
