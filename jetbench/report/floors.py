"""How arms stand to the floors: cleared by a test, below them, or neither."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, brief_difference, count, gain, joined
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.tasks.task import Metric

__all__ = ["Standing", "floor_notes", "floor_remarks", "standing"]

TESTED = "(paired tests, corrected for their number by Holm)"


class Standing(StrEnum):
    """How an arm stands to a floor, in the words of a remark on the floor."""

    CLEARED = "is cleared by"
    OPEN = "is not shown to be cleared by"
    EQUIVALENT = "is equivalent to"
    BELOW = "has below it"


NOTES = {
    Standing.BELOW: "below",
    Standing.EQUIVALENT: "does not clear",
    Standing.OPEN: "not shown to clear",
}


def standing(metric: Metric, found: Comparison) -> Standing:
    """Return how an arm stands to a floor, by their comparison. It is below one where the paired interval lies wholly on that
    side; that is a finding whether or not a test decides after the correction for the number of all."""
    if found.verdict is Verdict.BETTER:
        return Standing.CLEARED
    nearest = found.high if metric.larger_is_better else found.low
    if nearest is not None and gain(metric, nearest) < 0:
        return Standing.BELOW
    return Standing.EQUIVALENT if found.verdict is Verdict.EQUIVALENT else Standing.OPEN


def floor_notes(results: Results, arm: str, labels: int) -> Iterator[str]:
    """Write for each way in which an arm at a budget does not clear floors which ones these are, with the differences."""
    beside = {floor: c for (name, floor, n), c in results.clearings.items() if (name, n) == (arm, labels)}
    for one, words in NOTES.items():
        at = [floor for floor, c in beside.items() if standing(results.metric, c) is one]
        if at:
            yield f"{words} {joined([f'{floor} ({brief_difference(results.metric, beside[floor])})' for floor in at])}"


def floor_remarks(results: Results) -> Iterator[str]:
    """Write a sentence for each floor: which arms clear it by a test of their paired difference, which are below it, budget by
    budget."""
    for floor in dict.fromkeys(floor for _, floor, _ in results.clearings):
        found = {(arm, n): standing(results.metric, c) for (arm, other, n), c in results.clearings.items() if other == floor}
        if set(found.values()) == {Standing.CLEARED}:
            who = "the baseline and every rival" if len(results.primaries) == 1 else "every baseline and every rival"
            yield f"The floor {floor} is cleared by {who} {TESTED}."
        else:
            parts = [f"{one} {_listed(found, one)}" for one in Standing if one in found.values()]
            below = (
                f"; below: by the {LEVEL_TEXT} interval of the paired difference, uncorrected"
                if Standing.BELOW in found.values()
                else ""
            )
            yield f"The floor {floor} {'; '.join(parts)} {TESTED[:-1]}{below})."


def _listed(found: dict[tuple[str, int], Standing], one: Standing) -> str:
    """The arms of one standing, each with its budgets: "scratch at 100 and 300 labels"."""
    places: dict[str, list[str]] = {}
    for arm, labels in (place for place, other in found.items() if other is one):
        places.setdefault(arm, []).append(count(labels))
    return joined([f"{arm} at {joined(budgets)} labels" for arm, budgets in places.items()])
