"""How arms stand to the floors: cleared, equivalent, below them, or none of it, by the verdicts that the table has."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.results import Results
from jetbench.report.words import brief_difference, count, joined
from jetbench.statistics.comparison import Verdict

__all__ = ["floor_notes", "floor_remarks"]

TESTED = "(paired tests, corrected for their number by Holm)"


REMARKS = {
    Verdict.BETTER: "is cleared by",
    Verdict.UNDECIDED: "is not shown to be cleared by",
    Verdict.EQUIVALENT: "is equivalent to",
    Verdict.WORSE: "has below it",
}
NOTES = {
    Verdict.WORSE: "below",
    Verdict.EQUIVALENT: "does not clear",
    Verdict.UNDECIDED: "not shown to clear",
}


def floor_notes(results: Results, arm: str, labels: int) -> Iterator[str]:
    """Write for each way in which an arm at a budget does not clear floors which ones these are, with the differences."""
    beside = {floor: c for (name, floor, n), c in results.clearings.items() if (name, n) == (arm, labels)}
    for verdict, words in NOTES.items():
        at = [floor for floor, c in beside.items() if c.verdict is verdict]
        if at:
            yield f"{words} {joined([f'{floor} ({brief_difference(results.metric, beside[floor])})' for floor in at])}"


def floor_remarks(results: Results) -> Iterator[str]:
    """Write a sentence for each floor: which arms clear it, which are below it, budget by budget."""
    for floor in dict.fromkeys(floor for _, floor, _ in results.clearings):
        found = {(arm, n): c.verdict for (arm, other, n), c in results.clearings.items() if other == floor}
        if set(found.values()) == {Verdict.BETTER}:
            who = "the baseline and every rival" if len(results.primaries) == 1 else "every baseline and every rival"
            yield f"The floor {floor} is cleared by {who} {TESTED}."
        else:
            parts = [f"{words} {_listed(found, one)}" for one, words in REMARKS.items() if one in found.values()]
            yield f"The floor {floor} {'; '.join(parts)} {TESTED}."


def _listed(found: dict[tuple[str, int], Verdict], one: Verdict) -> str:
    """The arms of one verdict, each with its budgets: "scratch at 100 and 300 labels"."""
    places: dict[str, list[str]] = {}
    for arm, labels in (place for place, other in found.items() if other is one):
        places.setdefault(arm, []).append(count(labels))
    return joined([f"{arm} at {joined(budgets)} labels" for arm, budgets in places.items()])
