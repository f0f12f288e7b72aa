"""The answer to a suite's question in plain words, made from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from jetbench.report.arms import Role, is_fitted, roles
from jetbench.report.results import Results
from jetbench.report.table import notes
from jetbench.report.truths import truths
from jetbench.report.words import brief_difference, count, difference_text, joined, margin_percent, units
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
    means = f"{results.auc_name} {comparison.arm.mean:.4f} against {comparison.baseline.mean:.4f}"
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
            f"({margin_percent()} of what {baseline} leaves)"
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
    reasons = sorted({r for cell, r in results.missing.items() if cell.labels == labels and cell.arm in lacking})
    where = f"at {count(labels)} labels ({'; '.join(reasons)})"
    return f"There is no answer yet: no seed of {joined(lacking)} has finished {where}."


def remarks(results: Results) -> list[str]:
    """Short sentences: the other budgets, the fitted rivals, the floors, and the planted truths that hold."""
    return [*_rivals(results), *_trees(results), *_floors(results), *_held(results)]


def _rivals(results: Results) -> Iterator[str]:
    """The primary arm at its other budgets, then the other rivals, a sentence each."""
    named = roles(results.plan.instance.settings)
    for arm in sorted(named, key=lambda name: name != results.primary[0]):
        found = {n: c for (name, n), c in results.comparisons.items() if name == arm and (name, n) != results.primary}
        if found and (named[arm] is Role.RIVAL or arm == results.primary[0]):
            by_verdict = {verdict: [n for n, c in found.items() if c.verdict is verdict] for verdict in Verdict}
            parts = [_verdicts(verdict, {n: found[n] for n in budgets}) for verdict, budgets in by_verdict.items() if budgets]
            yield f"{arm} against {results.baseline}: {'; '.join(parts)}."


def _verdicts(verdict: Verdict, found: dict[int, Comparison]) -> str:
    return f"{verdict} " + joined([f"at {count(labels)} labels ({brief_difference(c)})" for labels, c in found.items()])


def _trees(results: Results) -> Iterator[str]:
    """Who has the largest mean AUC, trees or networks; no test stands behind it, and the sentence says so."""
    settings = results.plan.instance.settings
    rivals = [arm for arm, role in roles(settings).items() if role in (Role.BASELINE, Role.RIVAL)]
    if len({is_fitted(settings, arm) for arm in rivals}) < 2:
        return
    leads: dict[str, list[str]] = {}
    for labels in settings.labels:
        means = {arm: float(found.mean()) for arm in rivals if len(found := results.values(arm, labels, "test/auc"))}
        kinds = [[arm for arm in means if is_fitted(settings, arm) == kind] for kind in (True, False)]
        if all(kinds):
            best, other = (max(arms, key=means.__getitem__) for arms in kinds)
            relation = "is ahead of" if means[best] > means[other] else "is not ahead of"
            figures = f"at {count(labels)} labels ({means[best]:.4f} against {means[other]:.4f})"
            leads.setdefault(f"{best} {relation} the best network, {other},", []).append(figures)
    if leads:
        yield f"By mean AUC, no test between them: {'; '.join(f'{who} {joined(where)}' for who, where in leads.items())}."


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
        for t in found
        if t.state == "violated"
    ]
    still = [
        f"Not shown yet at {count(t.labels)} labels: that {t.claim} ({t.text}); more seeds or test jets would tell."
        for t in found
        if t.state == "open"
    ]
    done, planned = len(results.cells), len(results.plan.cells)
    partial = f"Only {count(done)} of {count(planned)} cells are finished: everything here is provisional."
    return [*loud, *([partial] if done < planned else []), *notes(results), *still, *_resolution(results)]


def _resolution(results: Results) -> Iterator[str]:
    """Where the test sample's error alone exceeds what two one-sided tests may have, no number of seeds shows equivalence."""
    jets = results.plan.instance.settings.test_jets
    named = roles(results.plan.instance.settings)
    least: dict[int, tuple[float, Comparison]] = {}  # by budget, the rival with the smallest error
    for (arm, labels), comparison in results.comparisons.items():
        half = t_quantile(comparison.level, math.inf) * comparison.test_error
        if named[arm] is Role.RIVAL and (labels not in least or half < least[labels][0]):
            least[labels] = half, comparison
    for labels, (half, comparison) in sorted(least.items()):
        if not half > comparison.margin > 0:
            continue
        needed = math.ceil(jets * (half / comparison.margin) ** 2 / 1000) * 1000
        yield (
            f"Equivalence at {count(labels)} labels is out of reach: its margin of {margin_percent()} is "
            f"±{comparison.margin:.4f}, and {count(jets)} test jets alone leave ±{half:.4f} or more; about {count(needed)} "
            "test jets would be the least."
        )
