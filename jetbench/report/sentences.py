"""The answer to a suite's question in plain words, made from its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.alarm import limits_text
from jetbench.report.arms import is_fitted
from jetbench.report.ends import gain_end
from jetbench.report.floors import floor_remarks
from jetbench.report.gains import Place, encoder_names, gain_differences
from jetbench.report.matching import match_text
from jetbench.report.pool_size import pool_sentences
from jetbench.report.results import Results
from jetbench.report.truths import truths
from jetbench.report.words import (
    brief_difference,
    count,
    difference_text,
    gain,
    joined,
    limits,
    need,
    number,
    quantity,
    units,
)
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.suites.roles import Role

__all__ = ["answer", "answers", "remarks"]


def answer(results: Results) -> str:
    """Write the answer to the suite's question, a line for each of its parts."""
    return "\n".join(answers(results))


def answers(results: Results) -> list[str]:
    """Write a paragraph for each primary comparison: its verdict with everything that a reader needs to weigh it, where
    compute limits one of its arms, up to which budget the arm gains, and how many labels its baseline needs to match it. After
    those of several encoders comes one that compares their gains."""
    names = encoder_names(results)
    found: list[str] = []
    for arm, labels in results.primaries:
        encoder = f"{names[results.baselines[arm]]}: " if len(names) > 1 else ""
        parts = [_verdict(results, arm, labels)]
        if (arm, labels) in results.comparisons:
            told = any(arm == other for other, _ in results.primaries[: len(found)])
            parts.append("" if told else limits_text(results, (arm, results.baselines[arm])))
            parts += ["" if told else gain_end(results, arm), match_text(results, arm, labels)]
        found.append(encoder + " ".join(part for part in parts if part))
    return [*found, *(_gains(results, names, places, one) for places, one in gain_differences(results).items())]


def _verdict(results: Results, arm: str, labels: int) -> str:
    found = results.comparisons.get((arm, labels))
    if found is None:
        return _unanswered(results, arm, labels)
    metric = results.metric
    means = [quantity(metric, number(metric, one.mean)) for one in (found.arm, found.baseline)]
    return (
        f"{_claim(results, found, arm, labels)}: test {metric.name} {means[0]} against {means[1]}, a difference of "
        f"{difference_text(metric, found)}, {_sample(results, found, arm, labels)}."
    )


def _claim(results: Results, found: Comparison, arm: str, labels: int) -> str:
    baseline, at = results.baselines[arm], f"at {count(labels)} labels"
    if found.clustered and found.units == 1:
        return f"For this one encoder, it is undecided whether {arm} or {baseline} is better {at}"
    if found.verdict is Verdict.UNDECIDED:
        return f"It is undecided whether {arm} or {baseline} is better {at}"
    if found.verdict is Verdict.EQUIVALENT:
        margin = quantity(results.metric, number(results.metric, found.margin))
        return f"{arm} and {baseline} are equivalent {at}, within ±{margin} ({results.task.margin_text(baseline)})"
    return f"{arm} is {found.verdict} than {baseline} {at}"


def _gains(results: Results, names: dict[str, str], places: tuple[Place, Place], found: Comparison) -> str:
    """The sentence on two encoders: which of them gains more from its arm."""
    metric = results.metric
    gained = [f"{brief_difference(metric, results.comparisons[place])} at {count(place[1])} labels" for place in places]
    return (
        f"{_gains_claim(results, names, places, found)}: {gained[0]} against {gained[1]}, a difference of "
        f"{difference_text(metric, found)}, paired {_sample(results, found, *places[0])}. This comparison is a secondary one."
    )


def _gains_claim(results: Results, names: dict[str, str], places: tuple[Place, Place], found: Comparison) -> str:
    """Of two arms that are both behind their baselines none gains: the one with the larger difference loses less."""
    (one, arm), (other, against) = ((names[results.baselines[arm]], arm) for arm, _ in places)
    behind = all(gain(results.metric, results.comparisons[place].difference) < 0 for place in places)
    more, alike = ("loses less", "loses as much") if behind else ("gains more", "gains as much")
    if found.verdict is Verdict.UNDECIDED:
        return f"It is undecided whether {one} {more} from {arm} or {other} from {against}"
    if found.verdict is Verdict.EQUIVALENT:
        margin = quantity(results.metric, number(results.metric, found.margin))
        return f"{one} {alike} from {arm} as {other} from {against}, within ±{margin}"
    if found.verdict is Verdict.BETTER:
        return f"{one} {more} from {arm} than {other} from {against}"
    return f"{other} {more} from {against} than {one} from {arm}"


def _sample(results: Results, comparison: Comparison, arm: str, labels: int) -> str:
    text = f"over {count(comparison.seeds, 'fresh seed' if comparison.pooled else 'seed')}"
    if (pooled := comparison.pooled) and (shown := limits(results.metric, pooled.low, pooled.high, signs=True)):
        text += f" (all {pooled.n}, those looked at before among them: {shown})"
    if comparison.clustered:
        text += f" that share {count(comparison.units, 'pretrained encoder')}"
    if (planned := results.plan.instance.settings.seeds - results.fresh_from) > comparison.seeds:
        text += f" of {planned} planned, the others being unfinished or failed"
    return text + (f"; {_need(comparison)}" if comparison.verdict is Verdict.UNDECIDED else "")


def _need(comparison: Comparison) -> str:
    """What an undecided comparison lacks."""
    what, few = units(comparison), ""
    if comparison.clustered and comparison.units == 1:
        few = "one encoder's own luck cannot be told from its method; "
    elif comparison.units < LEAST_SEEDS:
        few = f"{count(comparison.units, what[:-1])} {'is' if comparison.units == 1 else 'are'} too few for a verdict; "
    return f"{few}{need(comparison)}"


def _unanswered(results: Results, arm: str, labels: int) -> str:
    baseline = results.baselines[arm]
    lacking = [name for name in (arm, baseline) if not results.seeds(name, labels)]
    if not lacking:
        shared = f"have no finished {'fresh ' if results.fresh_from else ''}seed in common at {count(labels)} labels"
        return f"There is no answer yet: {arm} and {baseline} {shared}."
    reasons = sorted({r for cell, r in results.missing.items() if cell.labels == labels and cell.arm in lacking})
    where = f"at {count(labels)} labels ({'; '.join(reasons)})"
    return f"There is no answer yet: no seed of {joined(lacking)} has finished {where}."


def remarks(results: Results) -> list[str]:
    """Write short sentences: the other budgets, the size of the pool, the fitted rivals, the floors, and the planted truths that
    hold."""
    return [*_rivals(results), *pool_sentences(results), *_fitted(results), *floor_remarks(results), *_held(results)]


def _rivals(results: Results) -> Iterator[str]:
    """The primary arms at their other budgets, then the other rivals, a sentence each."""
    named, first = results.plan.roles, [arm for arm, _ in results.primaries]
    for arm in sorted(named, key=lambda name: name not in first):
        found = {n: c for (name, n), c in results.comparisons.items() if name == arm and (name, n) not in results.primaries}
        if found and (named[arm] is Role.RIVAL or arm in first):
            by_verdict = {verdict: {n: c for n, c in found.items() if c.verdict is verdict} for verdict in Verdict}
            parts = [_verdicts(results, verdict, some) for verdict, some in by_verdict.items() if some]
            yield f"{arm} against {results.baselines[arm]}: {'; '.join(parts)}."


def _verdicts(results: Results, verdict: Verdict, found: dict[int, Comparison]) -> str:
    places = [f"at {count(labels)} labels ({brief_difference(results.metric, c)})" for labels, c in found.items()]
    return f"{verdict} {joined(places)}"


def _fitted(results: Results) -> Iterator[str]:
    """Who is ahead by the mean, fitted models or networks; no test stands behind it, and the sentence says so."""
    plan, metric = results.plan, results.metric
    rivals = _compared(results)
    if len({is_fitted(plan, arm) for arm in rivals}) < 2:
        return
    leads: dict[str, list[str]] = {}
    for labels in plan.instance.settings.labels:
        means = {arm: float(found.mean()) for arm in rivals if len(found := results.headlines(arm, labels))}
        kinds = [[arm for arm in means if is_fitted(plan, arm) == kind] for kind in (True, False)]
        if all(kinds):
            best, other = (max(arms, key=lambda arm: gain(metric, means[arm])) for arms in kinds)
            relation = "is ahead of" if gain(metric, means[best] - means[other]) > 0 else "is not ahead of"
            pair = f"{number(metric, means[best])} against {number(metric, means[other])}"
            chosen = f"the best of {len(kinds[1])} networks by these test jets" if len(kinds[1]) > 1 else "the network"
            leads.setdefault(f"{best} {relation} {chosen}, {other},", []).append(f"at {count(labels)} labels ({pair})")
    if leads:
        listed = "; ".join(f"{who} {joined(where)}" for who, where in leads.items())
        yield f"By mean {metric.name}, no test between them: {listed}."


def _compared(results: Results) -> list[str]:
    """The baseline and the rivals."""
    return [arm for arm, role in results.plan.roles.items() if role in (Role.BASELINE, Role.RIVAL)]


def _held(results: Results) -> Iterator[str]:
    held = [truth for truth in truths(results) if truth.state == "holds"]
    if held:
        listed = joined([f"{truth.claim} at {count(truth.labels)} labels" for truth in held])
        yield f"As it must be: {listed}."
