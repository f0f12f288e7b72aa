"""The answer to a suite's question in plain words, made from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jetbench.report.arms import Role, is_fitted, roles
from jetbench.report.results import Results
from jetbench.report.table import notes
from jetbench.report.truths import truths
from jetbench.report.words import count, difference_text, joined, level_percent, margin_percent, units
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import t_quantile
from jetbench.statistics.resolution import LEAST_SEEDS

__all__ = ["answer", "remarks", "warnings"]


def answer(results: Results) -> str:
    """One sentence: the primary comparison's verdict with everything that a reader needs to weigh it."""
    arm, labels = results.primary
    comparison = results.comparisons.get((arm, labels))
    if comparison is None:
        return _unanswered(results, arm, labels)
    means = f"test AUC {comparison.arm.mean:.4f} against {comparison.baseline.mean:.4f}"
    claim = _claim(comparison, arm, results.baseline, labels)
    return f"{claim}: {means}, a difference of {difference_text(comparison)}, {_sample(results, comparison, arm, labels)}."


def _claim(comparison: Comparison, arm: str, baseline: str, labels: int) -> str:
    at = f"at {count(labels)} labels"
    if comparison.clustered and comparison.units == 1:
        return f"For this one encoder, it is undecided whether {arm} or {baseline} is better {at}"
    if comparison.verdict is Verdict.UNDECIDED:
        return f"It is undecided whether {arm} or {baseline} is better {at}"
    if comparison.verdict is Verdict.EQUIVALENT:
        return (
            f"{arm} and {baseline} are equivalent {at}, within ±{comparison.margin:.4f} "
            f"({margin_percent(comparison)} of what {baseline} leaves)"
        )
    return f"{arm} is {comparison.verdict} than {baseline} {at}"


def _sample(results: Results, comparison: Comparison, arm: str, labels: int) -> str:
    text = f"over {count(comparison.seeds, 'seed')}"
    if comparison.clustered:
        text += f" that share {count(comparison.units, 'pretrained encoder')}"
    if (planned := results.plan.instance.settings.seeds) > comparison.seeds:
        text += f" of {planned} planned, the others being unfinished or failed"
    return text + (f"; {_need(comparison)}" if comparison.verdict is Verdict.UNDECIDED else "")


def _need(comparison: Comparison) -> str:
    """What an undecided comparison lacks."""
    what, needed = units(comparison), comparison.seeds_needed
    few = ""
    if comparison.clustered and comparison.units == 1:
        few = "one encoder's own luck cannot be told from its method"
    elif comparison.units < LEAST_SEEDS:
        few = f"{count(comparison.units, what[:-1])} {'is' if comparison.units == 1 else 'are'} too few for a verdict"
    if needed is None:
        rest = f"at the observed spread no number of {what} would decide it, more test jets are needed"
    elif comparison.units == 1:
        rest = f"{needed} {what} are the least"
    else:
        rest = f"at the observed spread about {needed} {what} would be needed"
    return f"{few}; {rest}" if few else rest


def _unanswered(results: Results, arm: str, labels: int) -> str:
    lacking = [name for name in (arm, results.baseline) if not results.seeds(name, labels)]
    if not lacking:
        return f"There is no answer yet: {arm} and {results.baseline} have no finished seed in common at {count(labels)} labels."
    reasons = {r for cell, r in results.missing.items() if cell.labels == labels and cell.arm in lacking}
    return f"There is no answer yet: no seed of {joined(lacking)} has finished at {count(labels)} labels ({'; '.join(sorted(reasons))})."


def remarks(results: Results) -> list[str]:
    """Short sentences: the other budgets, the fitted rivals, the floors, and the planted truths that hold."""
    return [*_other_budgets(results), *_rivals(results), *_trees(results), *_floors(results), *_held(results)]


def _other_budgets(results: Results) -> Iterator[str]:
    arm, primary = results.primary
    for (name, labels), comparison in results.comparisons.items():
        if name == arm and labels != primary:
            yield f"At {count(labels)} labels {arm} is {_briefly(comparison, results.baseline)}."


def _rivals(results: Results) -> Iterator[str]:
    settings = results.plan.instance.settings
    for arm, role in roles(settings).items():
        found = {labels: c for (name, labels), c in results.comparisons.items() if name == arm}
        if found and role is Role.RIVAL and arm != results.primary[0]:
            listed = joined([f"{_briefly(c, results.baseline)} at {count(labels)} labels" for labels, c in found.items()])
            yield f"{arm} is {listed}."


def _briefly(comparison: Comparison, baseline: str) -> str:
    preposition = {Verdict.BETTER: "than ", Verdict.WORSE: "than ", Verdict.EQUIVALENT: "to ", Verdict.UNDECIDED: "against "}
    return f"{comparison.verdict} {preposition[comparison.verdict]}{baseline}, {difference_text(comparison)}"


def _trees(results: Results) -> Iterator[str]:
    """Who has the largest mean AUC, trees or networks; no test stands behind it, and the sentence says so."""
    settings = results.plan.instance.settings
    rivals = [arm for arm, role in roles(settings).items() if role in (Role.BASELINE, Role.RIVAL)]
    if len({is_fitted(settings, arm) for arm in rivals}) < 2:
        return
    leads = []
    for labels in settings.labels:
        means = {arm: float(found.mean()) for arm in rivals if len(found := results.values(arm, labels, "test/auc"))}
        if len({is_fitted(settings, arm) for arm in means}) == 2:
            best, other = (max((a for a in means if is_fitted(settings, a) == kind), key=means.__getitem__) for kind in (True, False))
            relation = "ahead of" if means[best] > means[other] else "behind"
            leads.append(f"{best} {relation} {other} at {count(labels)} labels ({means[best]:.4f} against {means[other]:.4f})")
    if leads:
        yield f"By mean AUC, without a test between them: {joined(leads)}."


def _floors(results: Results) -> Iterator[str]:
    """Arms that do not clear a floor by mean AUC, budget by budget."""
    settings = results.plan.instance.settings
    named = roles(settings)
    for floor in (arm for arm, role in named.items() if role is Role.FLOOR):
        below: dict[str, list[int]] = {}
        for labels in settings.budgets(floor):
            level = results.values(floor, labels, "test/auc")
            for arm in (a for a, role in named.items() if role in (Role.BASELINE, Role.RIVAL) and len(level)):
                mine = results.values(arm, labels, "test/auc")
                if len(mine) and mine.mean() <= level.mean():
                    below.setdefault(arm, []).append(labels)
        if below:
            listed = joined([f"{arm} at {joined([count(n) for n in budgets])} labels" for arm, budgets in below.items()])
            yield f"The floor {floor} is not cleared by {listed} (mean AUC)."
        elif any(results.seeds(floor, labels) for labels in settings.labels):
            yield f"The floor {floor} is cleared by every rival at every budget (mean AUC)."


def _held(results: Results) -> Iterator[str]:
    held = [truth for truth in truths(results) if truth.state == "holds"]
    if held:
        listed = joined([f"{truth.claim} at {count(truth.labels)} labels" for truth in held])
        yield f"As it must be: {listed}."


def warnings(results: Results) -> list[str]:
    """What should make a reader doubt: violated or open truths, missing cells, grid edges, a test set that is too small."""
    found = truths(results)
    loud = [
        f"A PLANTED TRUTH IS VIOLATED at {count(t.labels)} labels: “{t.claim}” does not come out ({t.text}). "
        "Look for a bug (or bad luck with the seeds) before you believe any other number of this report."
        for t in found if t.state == "violated"
    ]
    still = [
        f"Not shown yet at {count(t.labels)} labels: that {t.claim} ({t.text}); more seeds would tell." for t in found if t.state == "open"
    ]
    done, planned = len(results.cells), len(results.plan.cells)
    partial = [f"Only {count(done)} of {count(planned)} cells are finished: everything here is provisional."] if done < planned else []
    return [*loud, *partial, *notes(results), *still, *_resolution(results)]


def _resolution(results: Results) -> Iterator[str]:
    """Where the test sample's error alone exceeds what two one-sided tests may have, no number of seeds shows equivalence."""
    jets = results.plan.instance.settings.test_jets
    hopeless: dict[int, tuple[Comparison, float]] = {}
    named = roles(results.plan.instance.settings)
    for (arm, labels), comparison in results.comparisons.items():
        half = t_quantile(comparison.level, math.inf) * comparison.test_error
        counts = named[arm] is Role.RIVAL and half > comparison.margin > 0
        if counts and (labels not in hopeless or half < hopeless[labels][1]):
            hopeless[labels] = comparison, half
    for labels, (comparison, half) in hopeless.items():
        needed = math.ceil(jets * (half / comparison.margin) ** 2 / 1000) * 1000
        yield (
            f"Equivalence at {count(labels)} labels is out of reach for most pairs: its margin of {margin_percent(comparison)} is "
            f"±{comparison.margin:.4f}, and {count(jets)} test jets alone leave ±{half:.4f} or more ({level_percent(comparison)}, "
            f"one-sided); about {count(needed)} test jets would be the least."
        )
