"""How arms stand to the floors: cleared, equivalent, below them, or none of it, by the verdicts that the table has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jetbench.report.results import Results
from jetbench.report.words import count, joined
from jetbench.statistics.comparison import Verdict

__all__ = ["FLOOR_WORDS", "floor_remarks", "floor_warnings"]

TESTED = "(paired tests, corrected for their number by Holm)"


REMARKS = {
    Verdict.BETTER: "is cleared by",
    Verdict.UNDECIDED: "is not shown to be cleared by",
    Verdict.EQUIVALENT: "is equivalent to",
    Verdict.WORSE: "has below it",
}
SHORT = {Verdict.WORSE: "below it", Verdict.EQUIVALENT: "equivalent to it", Verdict.UNDECIDED: "not shown to clear it"}
# what an arm is to a floor, as the verdict on it has it
FLOOR_WORDS = {
    Verdict.BETTER: "clears it",
    Verdict.UNDECIDED: "not shown to clear it",
    Verdict.EQUIVALENT: "equivalent",
    Verdict.WORSE: "below it",
}


def floor_warnings(results: Results) -> list[str]:
    """Write one line that counts for each floor the arms at a budget that do not clear it; nothing where all do. The table of the
    page has them one by one."""
    parts = []
    for floor in dict.fromkeys(floor for _, floor, _ in results.clearings):
        found = [one.verdict for (_, other, _), one in results.clearings.items() if other == floor]
        short = [f"{words} {found.count(one)}" for one, words in SHORT.items() if one in found]
        if short:
            parts.append(f"{floor} ({joined(short)} of {len(found)})")
    listed = joined(parts)
    return (
        [f"Not every arm that is compared clears {listed}, arms at each budget: the table “Against the floors”."] if parts else []
    )


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


def _listed(found: Mapping[tuple[str, int], Verdict], one: Verdict) -> str:
    """The arms of one verdict by their budgets: "scratch and moco at 100 and 300 labels"."""
    places: dict[str, list[str]] = {}
    for arm, labels in (place for place, other in found.items() if other == one):
        places.setdefault(arm, []).append(count(labels))
    budgets: dict[tuple[str, ...], list[str]] = {}
    for arm, at in places.items():
        budgets.setdefault(tuple(at), []).append(arm)
    return joined([f"{joined(arms)} at {joined(list(at))} labels" for at, arms in budgets.items()])
