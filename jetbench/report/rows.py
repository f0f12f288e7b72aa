"""The comparison as rows, with what a reader of each must know."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from jetbench.report.alarm import early, frozen, limit_text, limited, saturated
from jetbench.report.pool_size import families
from jetbench.report.results import Results
from jetbench.report.words import count, joined
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.means import Mean
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role
from jetbench.suites.studies import named, plain

__all__ = ["Row", "baseline_text", "compared_lines", "notes", "places", "rows"]

EXTERNAL = (
    "external: what its weights have seen is unknown, these test jets perhaps too, so that its labels are not all that it was "
    "taught with; the verdict is of this one file, from which all its seeds start"
)


@dataclass(frozen=True)
class Row:
    """An arm at one label budget. `headline` is the mean over the finished seeds of what arms are compared by, with both of
    its errors; `notes` are what a reader of the numbers must know, without arm and budget."""

    arm: str
    labels: int
    role: Role
    seeds: int
    planned: int
    headline: Mean | None
    comparison: Comparison | None
    primary: bool
    notes: tuple[str, ...]

    @property
    def muted(self) -> bool:
        """Whether it tells if the comparison can be trusted, instead of being compared."""
        return self.role in (Role.CONTROL, Role.FLOOR)


def places(results: Results) -> list[tuple[str, int]]:
    """List arm and label budget of every row: budget by budget, the arms in the suite's order; those that differ in the size of
    their pool alone stand together where the first of them does, the smallest first."""
    settings = results.plan.instance.settings
    ordered = {arm: _by_size(results, family) for family in families(results) for arm in family}
    arms = dict.fromkeys(one for arm in results.plan.arms for one in ordered.get(arm, [arm]))
    return [(arm, labels) for labels in settings.labels for arm in arms if labels in settings.budgets(arm)]


def _by_size(results: Results, family: list[str]) -> list[str]:
    arms = results.plan.instance.settings.arms
    return sorted(family, key=lambda arm: arms[arm].pool_jets or math.inf)


def baseline_text(results: Results) -> str:
    """Name what arms are compared with: the one baseline, or "its baseline" where encoders have their own."""
    found = set(results.baselines.values())
    return found.pop() if len(found) == 1 else "its baseline"


def compared_lines(results: Results) -> list[str]:
    """Say which arms are compared with which baseline, a line for each; nothing where there is only one."""
    arms: dict[str, list[str]] = {}
    for arm, baseline in results.baselines.items():
        arms.setdefault(baseline, []).append(arm)
    return [f"against {baseline}: {joined(some)}" for baseline, some in arms.items()] if len(arms) > 1 else []


def rows(results: Results) -> list[Row]:
    """Make a row for each of the `places`."""
    roles = results.plan.roles
    return [_row(results, arm, labels, roles[arm]) for arm, labels in places(results)]


def _row(results: Results, arm: str, labels: int, role: Role) -> Row:
    return Row(
        arm=arm,
        labels=labels,
        role=role,
        seeds=len(results.seeds(arm, labels)),
        planned=results.plan.instance.settings.seeds,
        headline=results.mean(arm, labels),
        comparison=results.comparisons.get((arm, labels)),
        primary=(arm, labels) in results.primaries,
        notes=tuple(_notes(results, arm, labels)),
    )


def _notes(results: Results, arm: str, labels: int) -> Iterator[str]:
    if results.plan.instance.settings.arms[arm].weights is not None:
        yield EXTERNAL
    if (scores := results.plan.instance.settings.arms[arm].scores) is not None:
        teacher = next(one.teacher for one in results.plan.instance.scores if one.name == scores)
        yield f"taught by {teacher}: the labels of its teacher count too, so that it was taught with more than its own"
    missing = results.gaps(arm, labels)
    for reason in dict.fromkeys(missing.values()):
        seeds = [seed for seed, other in missing.items() if other == reason]
        yield f"{'seed' if len(seeds) == 1 else 'seeds'} {_ranges(seeds)}: {' '.join(reason.split())}"
    if full := saturated(results, arm, labels):
        yield full
    else:  # what could be trained better
        limit = limit_text(limited(results, arm, labels))
        told = (_edges(results, arm, labels), limit, early(results, arm, labels), frozen(results, arm, labels))
        yield from filter(None, told)
    if encoders := results.shared_encoders(arm, labels, results.seeds(arm, labels)):
        rest = ", and on as many rests every difference to it" if arm in results.baselines.values() else ""
        yield f"{count(len(results.seeds(arm, labels)), 'seed')} share {count(encoders, 'pretrained encoder')}{rest}"
    baseline = results.baselines.get(arm)
    if baseline and (single := set(results.seeds(arm, labels)) - set(results.seeds(baseline, labels))):
        yield f"no partner among the seeds of {baseline} for {count(len(single), 'seed')}: left out of the difference"


def _edges(results: Results, arm: str, labels: int) -> str:
    """Name the values that studies have chosen at an end of what they tried, those of all seeds together; empty without any."""
    found: dict[str, set[float]] = {}
    for winner in filter(None, (results.winner(CellKey(arm, labels, seed)) for seed in results.seeds(arm, labels))):
        for path, value in winner.values:
            if path in winner.at_edge and isinstance(value, int | float):
                found.setdefault(named(path), set()).add(value)
    parts = [f"{name} {joined([plain(value) for value in sorted(values)])}" for name, values in found.items()]
    where = "are at the edges" if sum(map(len, found.values())) > 1 else "is at the edge"
    return f"the best {joined(parts)} {where} of what was tried: widen the range" if parts else ""


def _ranges(seeds: list[int]) -> str:
    ordered = sorted(seeds)
    whole = len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1
    return f"{ordered[0]}–{ordered[-1]}" if whole else ", ".join(map(str, ordered))


def notes(results: Results) -> list[str]:
    """List the notes of all rows with arm and budgets in front; budgets that share a note share a line."""
    shared: dict[tuple[str, str], list[int]] = {}
    for row in rows(results):
        for note in row.notes:
            shared.setdefault((row.arm, note), []).append(row.labels)
    return [f"{arm} at {', '.join(count(n) for n in budgets)} labels: {note}" for (arm, note), budgets in shared.items()]
