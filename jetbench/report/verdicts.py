"""The verdict on each primary comparison as one sentence of plain text: what terminal, page and tracker begin with."""

from __future__ import annotations

from jetbench.report.gains import Place, encoder_names, gain_differences
from jetbench.report.results import FAILED, NOT_RUN, Results
from jetbench.report.words import (
    brief_difference,
    count,
    differences_of,
    gain,
    interval_text,
    joined,
    number,
    quantity,
    signed,
    spoilt_by,
)
from jetbench.statistics.comparison import Comparison, Verdict, mirrored
from jetbench.tasks.task import Metric

__all__ = ["verdicts"]


def verdicts(results: Results) -> list[str]:
    """Write a sentence for each primary comparison: who is better at which label budget, with both means and their difference.
    After those of several encoders comes one for each two of them: which gains more."""
    names = encoder_names(results)
    found = [_verdict(results, arm, labels) for arm, labels in results.primaries]
    if len(names) > 1:
        found = [f"{names[results.baselines[arm]]}: {one}" for (arm, _), one in zip(results.primaries, found, strict=True)]
    return [*found, *(_gains(results, names, places, one) for places, one in gain_differences(results).items())]


def _verdict(results: Results, arm: str, labels: int) -> str:
    found = results.comparisons.get((arm, labels))
    if found is None:
        return _unanswered(results, arm, labels)
    metric = results.metric
    means = [quantity(metric, number(metric, one.mean)) for one in (found.arm, found.baseline)]
    claim, difference = _claim(results, found, arm, labels), _difference(metric, found)
    return f"{claim}: test {metric.name} {means[0]} against {means[1]}, a difference of {difference}."


def _difference(metric: Metric, found: Comparison) -> str:
    difference, between = quantity(metric, signed(metric, found.difference)), interval_text(metric, found)
    return f"{difference} ({between})" if between else difference


def _claim(results: Results, found: Comparison, arm: str, labels: int) -> str:
    baseline, at = results.baselines[arm], f"at {count(labels)} labels"
    if found.clustered and found.units == 1:
        return f"For this one encoder, it is undecided whether {arm} or {baseline} is better {at}"
    if found.verdict is Verdict.UNDECIDED:
        return f"It is undecided{_spoilt(found)} whether {arm} or {baseline} is better {at}"
    if found.verdict is Verdict.EQUIVALENT:
        margin = quantity(results.metric, number(results.metric, found.margin))
        return f"{arm} and {baseline} are equivalent {at}, within ±{margin} ({results.task.margin_text(baseline)})"
    return f"{arm} is {found.verdict} than {baseline} {at}"


def _gains(results: Results, names: dict[str, str], places: tuple[Place, Place], found: Comparison) -> str:
    """The sentence on two encoders: which of them gains more from its arm; whoever is ahead comes first."""
    if gain(results.metric, found.difference) < 0:
        places, found = (places[1], places[0]), mirrored(found)
    gained = [f"{brief_difference(results.metric, results.comparisons[place])} at {count(place[1])} labels" for place in places]
    claim = _gains_claim(results, names, places, found)
    return f"{claim}: {gained[0]} against {gained[1]}, a difference of {_difference(differences_of(results.metric), found)}."


def _gains_claim(results: Results, names: dict[str, str], places: tuple[Place, Place], found: Comparison) -> str:
    """Of two arms that are both behind their baselines none gains: the one with the larger difference loses less."""
    (one, arm), (other, against) = ((names[results.baselines[arm]], arm) for arm, _ in places)
    behind = all(gain(results.metric, results.comparisons[place].difference) < 0 for place in places)
    more, alike = ("loses less", "loses as much") if behind else ("gains more", "gains as much")
    if found.verdict is Verdict.UNDECIDED:
        return f"It is undecided{_spoilt(found)} whether {one} {more} from {arm} or {other} from {against}"
    if found.verdict is Verdict.EQUIVALENT:
        margin = quantity(results.metric, number(results.metric, found.margin))
        return f"{one} {alike} from {arm} as {other} from {against}, within ±{margin}"
    return f"{one} {more} from {arm} than {other} from {against}"


def _spoilt(found: Comparison) -> str:
    return f" ({cause})" if (cause := spoilt_by(found)) else ""


def _unanswered(results: Results, arm: str, labels: int) -> str:
    baseline = results.baselines[arm]
    lacking = [name for name in (arm, baseline) if not results.seeds(name, labels)]
    if not lacking:
        shared = f"have no finished {'fresh ' if results.fresh_from else ''}seed in common at {count(labels)} labels"
        return f"There is no answer yet: {arm} and {baseline} {shared}."
    reasons = [r for cell, r in results.missing.items() if cell.labels == labels and cell.arm in lacking]
    where = f"at {count(labels)} labels ({'; '.join(_once(reasons))})"
    return f"There is no answer yet: no seed of {joined(lacking)} has finished {where}."


def _once(reasons: list[str]) -> list[str]:
    """Each reason for missing cells once; what several have failed with, whether or not in runs that they need, with their
    number."""
    causes: dict[str, list[str]] = {}
    for reason in sorted(reasons):
        causes.setdefault(" ".join((reason.partition(FAILED)[2] or reason).split()), []).append(reason)
    return [
        found[0] if len(found) == 1 or cause == NOT_RUN else f"{count(len(found), 'run')} failed: {cause}"
        for cause, found in causes.items()
    ]
