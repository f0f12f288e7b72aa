"""The comparison as a table in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jetbench.faults import FAULTY
from jetbench.report.also_table import also_table, losses_table
from jetbench.report.also_test import also_lines, also_sentences
from jetbench.report.content import Cell, Column
from jetbench.report.fault_words import POINTER, chance_sentence, fault_rules, fault_sentences
from jetbench.report.faults_table import faults_table
from jetbench.report.losses import loss_sentences
from jetbench.report.pool_size import pool_sentences
from jetbench.report.published_beside import label_lines, pool_size_lines
from jetbench.report.results import Results
from jetbench.report.rows import Row, baseline_text, rows
from jetbench.report.rules import verdict_rules
from jetbench.report.sections import columns_of
from jetbench.report.stability import stability_sentences
from jetbench.report.warnings import LOUD, warnings
from jetbench.report.words import (
    LEVEL_TEXT,
    count,
    difference_errors,
    difference_limits,
    heading,
    label,
    mean_errors,
    number,
    verdict_lines,
)
from jetbench.statistics.comparison import Verdict
from jetbench.suites.roles import Role
from jetbench.suites.weighting import weighting_lines

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["print_table"]

STYLES = {Verdict.BETTER: "bold green", Verdict.WORSE: "bold red", Verdict.EQUIVALENT: "bold", Verdict.UNDECIDED: "dim"}


def print_table(results: Results, console: Console) -> None:
    """Print the table with its notes; where the output is no terminal, without colours and never wrapped."""
    table, lines = _table(results), _lines(results)
    also, lost = also_table(results), losses_table(results)
    spoilt, rules = faults_table(results), [fault_rules(), POINTER]
    told = [*filter(None, [chance_sentence(results)]), *fault_sentences(results)]
    sentences = [*also_lines(results), *also_sentences(results), *loss_sentences(results)]
    width = console.width
    if not console.is_terminal:
        widths = [console.measure(one).maximum for one in (table, also, lost, spoilt) if one is not None]
        console.width = max(width, *widths, *map(len, [*lines, *sentences, *told, *(rules if spoilt else [])]))
    try:
        console.print(results.plan.instance.name, style="bold", highlight=False, markup=False)
        if spoilt is not None:
            console.print("The honest comparison", style="bold", highlight=False, markup=False)
        console.print(table)
        for line in lines:
            console.print(line, style=_style(line), highlight=False, markup=False)
        if also is not None:
            console.print()
            console.print(also)
            if lost is not None:
                console.print()
                console.print(lost)
            for line in sentences:
                console.print(line, style="dim", highlight=False, markup=False)
        if spoilt is not None:
            console.print(f"\nWhat each fault does ({FAULTY})", style="bold", highlight=False, markup=False)
            console.print(spoilt)
            for line in told:
                console.print(line, highlight=False, markup=False)
            for line in rules:
                console.print(line, style="dim", highlight=False, markup=False)
    finally:
        console.width = width


def _style(line: str) -> str:
    if line.startswith(f"! {LOUD}"):
        return "bold red"
    return "yellow" if line.startswith("!") else "dim"


def _lines(results: Results) -> list[str]:
    """What stands below the table: how to read it, what is skipped, and with a mark each warning of the page."""
    metric, jets = results.metric, count(results.plan.instance.settings.test_jets)
    added = columns_of(results)
    lone = any(row.headline and row.headline.seed_error is None for row in rows(results))
    between = "± between seeds (±? of one seed or encoder, which has no such error)" if lone else "± between seeds"
    errors = f"mean over n seeds, below it {between}, ± from the {jets} test jets"
    explained = [errors, *(part.remark for part in added if part.remark)]
    lines = [
        f"{label(metric)}: {'; '.join(explained)}",
        f"minus {baseline_text(results)}: both errors of the paired difference; below it the {LEVEL_TEXT} interval from them",
        *(line for part in added for line in part.lines),
    ]
    lines += verdict_rules(results)
    lines += [*stability_sentences(results), *pool_sentences(results), *weighting_lines(results.plan.instance.settings)]
    lines += [*pool_size_lines(results), *label_lines(results)]
    skipped = [f"skipped {line}" for line in results.plan.skipped_lines()]
    return [*lines, *skipped, *(f"! {warning}" for warning in warnings(results))]


def _table(results: Results) -> Table:
    from rich.table import Table

    metric = results.metric
    added = [column for part in columns_of(results) for column in part.columns if column.beside]
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("arm", overflow="fold")
    table.add_column("n", justify="right")
    table.add_column(heading(metric, comma="\n"), no_wrap=True)
    for column in added:
        table.add_column(column.heading, overflow="fold")
    table.add_column(f"minus {baseline_text(results)}", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    labels = None
    for row in rows(results):
        if row.labels != labels:
            if labels is not None:
                table.add_row()
            labels = row.labels
            table.add_row(_text(f"{count(labels)} labels", "bold"))
        table.add_row(*_cells(results, row, added))
    return table


def _cells(results: Results, row: Row, added: list[Column]) -> list[Text]:
    metric, mean = results.metric, row.headline
    mark = " !" if row.notes else ""
    seeds = f"{row.seeds}" if row.seeds == row.planned else f"{row.seeds}/{row.planned}"
    return [
        _text(f"{row.arm}{mark}", "dim" if row.muted else ""),
        _text(seeds),
        _text(f"{number(metric, mean.mean)}\n{mean_errors(metric, mean)}" if mean else "–"),
        *(_text(_lined(column.cells[row.arm, row.labels])) for column in added),
        *_verdict(results, row),
    ]


def _verdict(results: Results, row: Row) -> tuple[Text, Text]:
    """The difference to the baseline with its errors, and what follows from it."""
    metric, found = results.metric, row.comparison
    if found is None:
        return _text(""), _text("baseline" if row.role is Role.BASELINE else "", "dim")
    parts = [difference_errors(metric, found), difference_limits(metric, found)]
    if found.pooled:
        parts.append(f"all: {difference_limits(metric, found.pooled)}")
    return _text("\n".join(filter(None, parts))), _text("\n".join(verdict_lines(found, row.primary)), STYLES[found.verdict])


def _lined(cell: Cell) -> str:
    return f"{cell.text}\n{cell.under}".rstrip()


def _text(content: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(content, style=style)
