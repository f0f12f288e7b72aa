"""What an answer begins with where the question is not about one verdict: a sentence or two that sum it up."""

from __future__ import annotations

from collections.abc import Callable

from jetbench.report.gains import Place
from jetbench.report.losses import loss_answers
from jetbench.report.pool_gain import pool_gain_sentences
from jetbench.report.results import Results
from jetbench.report.stability import stability_answers
from jetbench.report.words import brief_difference, count, gain, joined
from jetbench.statistics.comparison import Verdict
from jetbench.suites.settings import Asked

__all__ = ["MANY", "summary"]

ASKED: dict[Asked, Callable[[Results], list[str]]] = {
    "verdicts": lambda results: [],
    "losses": loss_answers,
    "stability": stability_answers,
}
MANY = 3  # primary comparisons from which on a reader wants them summed up


def summary(results: Results) -> list[str]:
    """Write who is sturdier or more stable where the suite asks that, what the largest pool gains over the smallest, and of many
    primary comparisons how many are decided, with their differences in order; empty for a suite that asks for one verdict."""
    asked = ASKED[results.plan.instance.asks](results)
    return [*asked, *pool_gain_sentences(results), *_ranking(results)]


def _ranking(results: Results) -> list[str]:
    found = {place: results.comparisons[place] for place in results.primaries if place in results.comparisons}
    if len(results.primaries) < MANY or not found:
        return []
    ordered = sorted(found, key=lambda place: gain(results.metric, found[place].difference), reverse=True)
    listed = [f"{_named(results, place)} {brief_difference(results.metric, found[place])}" for place in ordered]
    lacking = len(results.primaries) - len(found)
    open_ = f", {lacking} {'has' if lacking == 1 else 'have'} no answer yet" if lacking else ""
    return [
        f"Of {len(results.primaries)} primary comparisons {_decided(results, ordered)}{open_}; test {results.metric.name} minus "
        f"that of {_baselines(results)}, in order: {'; '.join(listed)}."
    ]


def _decided(results: Results, ordered: list[Place]) -> str:
    """How many have a verdict, and which."""
    by_verdict = {one: [p for p in ordered if results.comparisons[p].verdict is one] for one in Verdict}
    decided = sum(len(some) for one, some in by_verdict.items() if one is not Verdict.UNDECIDED)
    if not decided:
        return "none is decided"
    parts = [
        f"{joined([_named(results, place) for place in some])} {one}"
        for one, some in by_verdict.items()
        if some and one is not Verdict.UNDECIDED
    ]
    return f"{decided} {'is' if decided == 1 else 'are'} decided ({'; '.join(parts)})"


def _named(results: Results, place: Place) -> str:
    """The arm, with its budget where the primary comparisons have several."""
    arm, labels = place
    return f"{arm} at {count(labels)} labels" if len({n for _, n in results.primaries}) > 1 else arm


def _baselines(results: Results) -> str:
    found = dict.fromkeys(results.baselines[arm] for arm, _ in results.primaries)
    at = dict.fromkeys(labels for _, labels in results.primaries)
    name = next(iter(found)) if len(found) == 1 else "its baseline"
    return f"{name} at {count(next(iter(at)))} labels" if len(at) == 1 else name
