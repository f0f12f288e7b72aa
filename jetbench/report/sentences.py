"""The answer to a suite's question in plain words, made from its numbers: below each verdict what weighs it."""

from __future__ import annotations

from collections.abc import Iterator

from jetbench.report.alarm import limit_lines
from jetbench.report.arms import is_fitted
from jetbench.report.ends import ending_text, gain_end
from jetbench.report.floors import floor_remarks
from jetbench.report.gains import Place, gain_differences
from jetbench.report.losses import loss_sentences
from jetbench.report.matching import match_text
from jetbench.report.pool_size import pool_sentences
from jetbench.report.pretraining_length import short_pretrainings
from jetbench.report.results import Results
from jetbench.report.stability import stability_sentences
from jetbench.report.summary import summary
from jetbench.report.truths import truths
from jetbench.report.verdicts import verdicts
from jetbench.report.words import (
    brief_difference,
    count,
    difference_limits,
    differences_of,
    errors_text,
    gain,
    joined,
    need,
    number,
    spoilt_by,
)
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.suites.roles import Role
from jetbench.tasks.task import Metric

__all__ = ["answer", "answers", "details", "remarks"]


def answer(results: Results) -> str:
    """Write the answer to the suite's question: what it comes to, where it has many parts, then each verdict, and below it its
    details, a line each."""
    return "\n".join([*summary(results), *answers(results)])


def answers(results: Results) -> list[str]:
    """Write each verdict with its details, a line each."""
    return ["\n  ".join([one, *below]) for one, below in zip(verdicts(results), details(results), strict=True)]


def details(results: Results) -> list[list[str]]:
    """Write short sentences for each of the `verdicts`: its errors and what it lacks; of a primary comparison which of its
    trainings may be too short, up to which budget the arm gains, where its gain falls below the margin, and how many labels its
    baseline needs to match it."""
    primary = [_primary(results, place) for place in results.primaries]
    return [*primary, *(_gains(results, places[0], found) for places, found in gain_differences(results).items())]


def _primary(results: Results, place: Place) -> list[str]:
    """An arm that is asked about at several budgets has what is said of all of them below the first."""
    (arm, labels), found = place, results.comparisons.get(place)
    if found is None:
        return []
    lines = _weight(results, results.metric, found, arm, labels)
    if place == next(one for one in results.primaries if one[0] == arm):
        pair = (arm, results.baselines[arm])
        lines += [f"{one}." for one in (*limit_lines(results, pair), *short_pretrainings(results, pair))]
        lines += [gain_end(results, arm), ending_text(results, arm)]
    return [line for line in (*lines, match_text(results, arm, labels)) if line]


def _gains(results: Results, place: Place, found: Comparison) -> list[str]:
    return [*_weight(results, differences_of(results.metric), found, *place), "This comparison is a secondary one."]


def _weight(results: Results, metric: Metric, found: Comparison, arm: str, labels: int) -> list[str]:
    """The errors of a difference of two values of the metric, and what a verdict lacks."""
    errors = f"Paired {_sample(results, metric, found, arm, labels)}: {errors_text(metric, found)}."
    return [errors, *([f"Undecided: {need(metric, found)}."] if found.verdict is Verdict.UNDECIDED else [])]


def _sample(results: Results, metric: Metric, comparison: Comparison, arm: str, labels: int) -> str:
    text = f"over {count(comparison.seeds, 'fresh seed' if comparison.pooled else 'seed')}"
    if (pooled := comparison.pooled) and (shown := difference_limits(metric, pooled)):
        text += f" (all {pooled.n}, those looked at before among them: {shown})"
    if comparison.clustered:
        baseline = results.baselines[arm]
        own = results.shared_encoders(arm, labels, results.fresh_seeds(arm, baseline, labels))
        whose = " that share" if own else f", whose partners of {baseline} share"
        text += f"{whose} {count(comparison.units, 'pretrained encoder')}"
    if (planned := results.plan.instance.settings.seeds - results.fresh_from) > comparison.seeds:
        text += f" of {planned} planned, the others being unfinished or failed"
    return text


def remarks(results: Results) -> list[str]:
    """Write short sentences: the other budgets, the other test sets, other rates and lengths, the size of the pool, the fitted
    rivals, the floors, and the planted truths that hold."""
    grown = [*loss_sentences(results), *stability_sentences(results), *pool_sentences(results)]
    return [*_rivals(results), *grown, *_fitted(results), *floor_remarks(results), *_held(results)]


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
    told = {n: ", ".join(filter(None, (brief_difference(results.metric, c), spoilt_by(c)))) for n, c in found.items()}
    places = [f"at {count(labels)} labels ({text})" for labels, text in told.items()]
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
