"""The parts of a report by name, in the order of the page: a part is one file here and one row of this table.

A section of the page is a function `render(results)` that gives its content, or None where it has nothing to say; a part of the
comparison's table is a function `columns(results)`. Plots are not drawn here: `write_report` draws those that have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jetbench.registry import Entry, Registry
from jetbench.report.content import Columns, SectionContent
from jetbench.report.results import Results

__all__ = ["Section", "SectionEntry", "TableColumns", "columns_of", "contents_of", "sections"]


class Section(Protocol):
    """What the target of a section is."""

    def __call__(self, results: Results) -> SectionContent | None: ...


class TableColumns(Protocol):
    """What the target of columns is."""

    def __call__(self, results: Results) -> Columns: ...


@dataclass(frozen=True)
class SectionEntry(Entry):
    """A `general` part suits every task; any other is shown where the task names it. `in_table` ones add columns to the
    comparison's table."""

    general: bool = True
    in_table: bool = False


def _general(name: str, summary: str) -> SectionEntry:
    return SectionEntry(name, f"jetbench.report.sections.{name.replace('-', '_')}:render", summary)


def _special(name: str, summary: str) -> SectionEntry:
    return SectionEntry(name, f"jetbench.report.sections.{name.replace('-', '_')}:render", summary, general=False)


def _columns(name: str, summary: str) -> SectionEntry:
    target = f"jetbench.report.sections.{name.replace('-', '_')}:columns"
    return SectionEntry(name, target, summary, general=False, in_table=True)


sections: Registry[SectionEntry] = Registry(
    "section of a report",
    [
        _general("summary", "what an answer of many parts comes to"),
        _general("answer", "the answer to the suite's question, and what else the numbers say"),
        _general("warnings", "what should make a reader doubt"),
        _general("provenance", "data, software and machines behind the numbers"),
        _general("comparison", "every arm at every budget: metric, difference to its baseline, verdict"),
        _general("faults", "what each fault does to the verdicts, in a suite that is faulty on purpose"),
        _general("floors", "every arm that is compared against each floor"),
        _general("arms", "model, stages, recipes and view of every arm"),
        _columns("rejection", "R_x, the background rejection of two classes at fixed signal efficiencies"),
        _columns("scores", "accuracy, F1, log loss and calibration of a classifier"),
        _columns("errors", "mean absolute error, R², bias, resolution and tails of a predicted number"),
        SectionEntry("metrics", "jetbench.report.sections.metrics:columns", "what the suite asks for beside them", in_table=True),
        _general("label-budget", "the metric against the number of labels"),
        _general("pool-size", "the metric against the number of unlabelled jets, and the power law that it follows"),
        _general("differences", "every difference to a baseline with its interval"),
        _general("also-test", "every arm on the other test sets, beside its own"),
        _general("losses", "what every arm loses on the other test sets, and which arms are sturdier than their baselines"),
        _special("classes", "many classes one by one"),
        _special("roc", "background rejection against signal efficiency"),
        _special("prediction", "prediction against truth, arm by arm"),
        _special("residuals", "residuals and responses of every arm"),
        _special("bins", "bias and resolution in bins of target and momentum"),
        _general("lengths", "whether labels or compute limit each arm: training against test, the end of the loss"),
        _general("learning-curves", "validation and training against the passes, and where they end the test metric"),
        _general("pretraining", "the loss of every pretraining"),
        _general("truths", "what must come out whatever the data"),
        _general("costs", "passes and seconds of every arm"),
        _general("efficiency", "the metric of every arm beside size, memory, speed, and how soon its best epoch came"),
        _general("tuning", "what the studies have decided"),
        _general("search", "how searches went on: the best so far against what each arm had spent"),
        _general("stability", "how much of a grid of learning rates and lengths is nearly as good as the best of each arm"),
        _general("rates", "every arm at each learning rate, and the primary comparisons at equal rates"),
        _general("protocol", "how the comparison is made"),
        _general("skipped", "what the jets do not allow"),
        _general("missing", "cells that are not finished"),
        _general("reproduce", "the command that makes all this again"),
    ],
)


def contents_of(results: Results) -> list[SectionContent]:
    """List the sections that have something to say, in the order of the page."""
    found = [entry.load()(results) for entry in _suiting(results, in_table=False)]
    return [content for content in found if content is not None]


def columns_of(results: Results) -> list[Columns]:
    """List what the task, and what else the suite asks for, adds to the comparison's table."""
    found = [entry.load()(results) for entry in _suiting(results, in_table=True)]
    return [part for part in found if part.columns]


def _suiting(results: Results, in_table: bool) -> list[SectionEntry]:
    """The general parts and those that the task names; raises `UnknownNameError` where there is none of that name."""
    named = {sections[name].name for name in results.task.sections}
    return [entry for entry in sections if entry.in_table == in_table and (entry.general or entry.name in named)]
