"""The label budget where the gain of an arm ends: from its verdicts budget by budget, and read off its gains with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jetbench.report.matching import about, ending, ending_seeds, labels_interval
from jetbench.report.results import Results
from jetbench.report.words import brief_difference, count, joined, spoilt_by
from jetbench.statistics.comparison import Verdict

__all__ = ["GainEnd", "end_of", "ending_text", "gain_end"]


@dataclass(frozen=True)
class GainEnd:
    """`last` is the largest budget at which the arm is better, `ended` the first one beyond at which it is equivalent or worse;
    None where there is none. `open` are the undecided ones beyond `last` and below `ended`."""

    last: int | None
    ended: int | None
    open: tuple[int, ...]


def end_of(verdicts: Mapping[int, Verdict]) -> GainEnd:
    """Find where the gain ends, from the verdicts by budget, in rising order."""
    last = max((labels for labels, verdict in verdicts.items() if verdict is Verdict.BETTER), default=None)
    beyond = [labels for labels in verdicts if last is None or labels > last]
    ended = next((labels for labels in beyond if verdicts[labels] is not Verdict.UNDECIDED), None)
    return GainEnd(last, ended, tuple(labels for labels in beyond if ended is None or labels < ended))


def gain_end(results: Results, arm: str) -> str:
    """Write a sentence on where the gain of an arm ends, with the difference and its interval at the budgets that say so. Empty
    for an arm that is compared at one budget only."""
    found = {labels: one for (name, labels), one in results.comparisons.items() if name == arm}
    if len(found) < 2:
        return ""
    end = end_of({labels: one.verdict for labels, one in found.items()})

    def at(budgets: Sequence[int]) -> str:
        told = {n: ", ".join(filter(None, (brief_difference(results.metric, found[n]), spoilt_by(found[n])))) for n in budgets}
        return "at " + joined([f"{count(n)} labels ({text})" for n, text in told.items()])

    parts = [f"better {at([end.last])}"] if end.last else []
    parts += [f"undecided {at(end.open)}"] if end.open else []
    parts += [f"{found[end.ended].verdict} {at([end.ended])}"] if end.ended else []
    return f"{_finding(end)}: {arm} is {', '.join(parts)}."


def ending_text(results: Results, arm: str) -> str:
    """Write a sentence: at how many labels the gain of an arm falls below the margin of equivalence, with its interval. Empty
    where nothing can be said."""
    found = ending(results, arm)
    if found is None:
        return ""
    budgets, seeds = ending_seeds(results, arm)
    over = f"; over {count(len(seeds), 'seed')} at {joined([count(n) for n in budgets])} labels"
    nowhere = found.low is not None and found.low <= found.smallest and found.high is None
    none = ", which leaves out none of the budgets" if nowhere else ""
    return (
        f"The gain of {arm} falls below the margin of equivalence at {about(found, found.labels)} labels "
        f"({labels_interval(results, found)}{none}{over})."
    )


def _finding(end: GainEnd) -> str:
    if end.last and end.ended:
        return f"The gain ends between {count(end.last)} and {count(end.ended)} labels"
    if end.last:
        return "Where the gain ends is undecided" if end.open else "The gain does not end within the budgets"
    return "No budget shows a gain" if end.ended else "Whether any budget shows a gain is undecided"
