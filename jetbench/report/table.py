"""The comparison as rows, and the table that a terminal shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.arms import Role, role
from jetbench.report.results import Results
from jetbench.report.words import count, interval, share_interval, signed, verdict_lines
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

__all__ = ["Row", "SeedRejection", "efficiencies", "notes", "print_table", "rows", "seed_rejection"]

METRICS = ("auc", "accuracy", "f1", "log_loss", "ece")
STYLES = {Verdict.BETTER: "bold green", Verdict.WORSE: "bold red", Verdict.EQUIVALENT: "bold", Verdict.UNDECIDED: "dim"}


@dataclass(frozen=True)
class SeedRejection:
    """R_x over the seeds of an arm. `mean` is over those that have background left; `empty` counts the others, for which 1/ε_B is
    larger than anything this test set can show, so that with any of them the mean is a lower bound. `low` is the least of the
    seeds' lower 95 % limits, `left` the mean number of background jets."""

    mean: float | None
    low: float
    left: float
    empty: int
    seeds: int

    @property
    def text(self) -> str:
        if self.mean is None:
            return f">{math.floor(self.low)}"  # a lower bound is never rounded up
        return f"{'>' if self.empty else ''}{self.mean:.{0 if self.mean >= 10 else 1}f}"


@dataclass(frozen=True)
class Row:
    """An arm at one label budget. `metrics` hold the mean over the finished seeds with its t interval; `notes` are what a reader
    of the numbers must know, without arm and budget."""

    arm: str
    labels: int
    role: Role
    seeds: int
    planned: int
    metrics: dict[str, Interval]
    rejections: dict[int, SeedRejection]  # by percent of signal efficiency
    comparison: Comparison | None
    primary: bool
    notes: tuple[str, ...]

    @property
    def auc(self) -> Interval | None:
        return self.metrics.get("auc")


def rows(results: Results) -> list[Row]:
    """Budget by budget, the arms in the suite's order."""
    settings = results.plan.instance.settings
    arms = results.plan.arms
    return [_row(results, arm, labels) for labels in settings.labels for arm in arms if labels in settings.budgets(arm)]


def _row(results: Results, arm: str, labels: int) -> Row:
    settings = results.plan.instance.settings
    return Row(
        arm=arm,
        labels=labels,
        role=role(settings, arm),
        seeds=len(results.seeds(arm, labels)),
        planned=settings.seeds,
        metrics={name: found for name in METRICS if (found := results.interval(arm, labels, f"test/{name}"))},
        rejections={x: left for x in efficiencies(results) if (left := seed_rejection(results, arm, labels, x))},
        comparison=results.comparisons.get((arm, labels)),
        primary=(arm, labels) == results.primary,
        notes=tuple(_notes(results, arm, labels)),
    )


def efficiencies(results: Results) -> tuple[int, ...]:
    """The working points of the table, the largest first [percent]; with many classes each signal has its own rejection."""
    return () if results.many_classes else EFFICIENCIES[::-1]


def seed_rejection(results: Results, arm: str, labels: int, percent: int, signal: str = "") -> SeedRejection | None:
    """R_x of an arm at a budget, of many classes that of the class with the key `signal`; None where no seed has it."""
    suffix = f"_{signal}" if signal else ""
    name = f"test/background_rejection_{percent}{suffix}"
    found, lows = results.values(arm, labels, name), results.values(arm, labels, f"{name}_low")
    left = results.values(arm, labels, f"test/background_left_{percent}{suffix}")
    if not len(left):
        return None
    mean = float(found.mean()) if len(found) else None
    return SeedRejection(mean, float(lows.min()), float(left.mean()), int(np.count_nonzero(left == 0)), len(left))


def _notes(results: Results, arm: str, labels: int) -> Iterator[str]:
    missing = {cell.seed: reason for cell, reason in results.missing.items() if (cell.arm, cell.labels) == (arm, labels)}
    for reason in dict.fromkeys(missing.values()):
        seeds = [seed for seed, other in missing.items() if other == reason]
        yield f"{'seed' if len(seeds) == 1 else 'seeds'} {_ranges(seeds)}: {' '.join(reason.split())}"
    winner = results.winners.get((arm, labels))
    if winner and winner.at_edge:
        yield f"the best {winner.text} is at the edge of what was tried: widen the range"
    shared = results.comparisons.get((arm, labels))
    if shared and shared.clustered:
        yield f"{count(shared.seeds, 'seed')} share {count(shared.units, 'pretrained encoder')}"
    baseline = set(results.seeds(results.baseline, labels))
    if arm != results.baseline and (single := set(results.seeds(arm, labels)) - baseline):
        yield f"no partner among the seeds of {results.baseline} for {count(len(single), 'seed')}: left out of the difference"


def _ranges(seeds: list[int]) -> str:
    ordered = sorted(seeds)
    whole = len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1
    return f"{ordered[0]}–{ordered[-1]}" if whole else ", ".join(map(str, ordered))


def notes(results: Results) -> list[str]:
    """The notes of all rows with arm and budgets in front; budgets that share a note share a line."""
    shared: dict[tuple[str, str], list[int]] = {}
    for row in rows(results):
        for note in row.notes:
            shared.setdefault((row.arm, note), []).append(row.labels)
    return [f"{arm} at {', '.join(count(n) for n in budgets)} labels: {note}" for (arm, note), budgets in shared.items()]


def print_table(results: Results, console: Console) -> None:
    """The table with its notes; where the output is no terminal, without colours and never wrapped."""
    table = _table(results)
    instance = results.plan.instance
    skipped = [f"skipped {line}" for line in results.plan.skipped_lines()]
    remarks = [*_legend(results), *skipped, *(f"! {note}" for note in notes(results))]
    width = console.width
    if not console.is_terminal:
        console.width = max(width, console.measure(table).maximum, *map(len, remarks))
    try:
        console.print(f"{instance.name}", style="bold", highlight=False, markup=False)
        console.print(table)
        for remark in remarks:
            console.print(remark, style="yellow" if remark.startswith("!") else "dim", highlight=False, markup=False)
    finally:
        console.width = width


def _legend(results: Results) -> list[str]:
    jets = count(results.plan.instance.settings.test_jets)
    names = ", ".join(f"R{x}" for x in efficiencies(results))
    lines = [
        f"{results.auc_name}: mean over n seeds, below it the 95 % interval of the mean"
        + (f"; {names}: 1/ε_B at that signal efficiency" if names else "; it is the mean over the pairs of classes"),
        f"minus {results.baseline}: ± between seeds, ± from the {jets} test jets; below it the 95 % interval from both",
    ]
    if any(r.empty for row in rows(results) for r in row.rejections.values()):
        lines.append("R with >: in some seeds no background jet is left, so this is a lower bound")
    if results.primary in results.comparisons:
        lines.append("* the primary comparison; the other verdicts (not the intervals) are corrected for their number by Holm")
    return lines


def _table(results: Results) -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("arm", overflow="fold")
    table.add_column("n", justify="right")
    table.add_column(results.auc_name, no_wrap=True)
    for x in efficiencies(results):
        table.add_column(f"R{x}", overflow="fold")
    table.add_column(f"minus {results.baseline}", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    labels = None
    for row in rows(results):
        if row.labels != labels:
            if labels is not None:
                table.add_row()
            labels = row.labels
            table.add_row(_text(f"{count(labels)} labels", "bold"))
        table.add_row(*_cells(row, efficiencies(results)))
    return table


def _cells(row: Row, shown: tuple[int, ...]) -> list[Text]:
    style = "dim" if row.role in (Role.CONTROL, Role.FLOOR) else ""
    mark = " !" if row.notes else ""
    seeds = f"{row.seeds}" if row.seeds == row.planned else f"{row.seeds}/{row.planned}"
    auc = f"{row.auc.mean:.4f}\n{share_interval(row.auc)}" if row.auc else "–"
    rejections = [row.rejections[x].text if x in row.rejections else "–" for x in shown]
    verdict, color = "", ""
    difference = ""
    if row.comparison:
        verdict, color = "\n".join(verdict_lines(row.comparison, row.primary)), STYLES[row.comparison.verdict]
        difference = f"{_errors(row.comparison)}\n{interval(row.comparison.low, row.comparison.high, signs=True)}"
    elif row.role is Role.BASELINE:
        verdict, color = "baseline", "dim"
    return [
        _text(f"{row.arm}{mark}", style),
        _text(seeds),
        _text(auc.rstrip()),
        *(_text(r) for r in rejections),
        _text(difference.rstrip()),
        _text(verdict, color),
    ]


def _errors(comparison: Comparison) -> str:
    seed = f"±{comparison.seed_error:.4f}" if comparison.seed_error is not None else "±?"
    return f"{signed(comparison.difference)} {seed} ±{comparison.test_error:.4f}"


def _text(content: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(content, style=style)
