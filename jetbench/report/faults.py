"""What each fault of a suite that is faulty on purpose does to the verdict of a primary comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jetbench.faults import FAULTY, FaultEntry, faults
from jetbench.report.results import Results
from jetbench.report.words import count, gain, joined, limits, quantity, signed
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.multiplicity import adjust, holm
from jetbench.statistics.resolution import LEAST_SEEDS, Spread
from jetbench.suites.faulty import FaultyArm
from jetbench.tasks.task import Metric

__all__ = ["Claim", "Effect", "claim_text", "effects", "fault_lines", "fault_sentences", "one_seed"]

Place = tuple[str, int]  # arm and label budget of a primary comparison
DECIDED = (Verdict.BETTER, Verdict.WORSE)


@dataclass(frozen=True)
class Claim:
    """What a reader would be told of an arm against its baseline: both means, their difference with its interval, the verdict."""

    arm: float
    baseline: float
    difference: float
    low: float | None
    high: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Effect:
    """A fault in one primary comparison. `faulty` is None as long as a run of it is missing."""

    fault: FaultEntry
    arm: str
    baseline: str
    labels: int
    honest: Claim
    faulty: Claim | None

    @property
    def changed(self) -> bool | None:
        """Whether the verdict is another one; None where that is not known yet."""
        return None if self.faulty is None else self.faulty.verdict is not self.honest.verdict

    @property
    def does(self) -> str:
        """What the fault does to the verdict, in a word."""
        if self.faulty is None:
            return "not run yet"
        before, after = self.honest.verdict in DECIDED, self.faulty.verdict in DECIDED
        if not self.changed:
            return "no change"
        if before and after:
            return "reverses it"
        if after:
            return "creates one"
        return "hides it" if before else "changes it"


def effects(results: Results) -> list[Effect]:
    """List the effect of each fault of a suite on each primary comparison whose honest runs are there; both sides of each are
    corrected for the same number of comparisons. Nothing for a suite without faults."""
    honest = {place: _claim(one) for place in results.primaries if (one := results.comparisons.get(place)) is not None}
    found = []
    for name in results.plan.faults:
        claims = one_seed(results) if faults[name].spoils == "none" else _spoilt(results, name)
        for (arm, labels), claim in honest.items():
            baseline = results.baselines[arm]
            found.append(Effect(faults[name], arm, baseline, labels, claim, claims.get((arm, labels))))
    return found


def _spoilt(results: Results, fault: str) -> dict[Place, Claim]:
    """The primary comparisons with a fault, by the same tests and corrections as without. What the fault does not touch is the
    honest arm itself."""
    found: dict[Place, Comparison] = {}
    for arm, labels in results.primaries:
        names = [_with(results, fault, name, labels) for name in (arm, results.baselines[arm])]
        whole = all(len(results.seeds(name, labels)) == results.plan.instance.settings.seeds for name in names)
        if whole and (compared := results.compare(names[0], names[1], labels)):
            found[arm, labels] = compared
    return {place: _claim(one) for place, one in adjust(found, results.primaries).items()}


def _with(results: Results, fault: str, arm: str, labels: int) -> str:
    spoilt = FaultyArm(fault, arm, labels).name
    return spoilt if spoilt in results.plan.faulty else arm


def _claim(found: Comparison) -> Claim:
    return Claim(found.arm.mean, found.baseline.mean, found.difference, found.low, found.high, found.verdict)


def one_seed(results: Results, place: int = 0) -> dict[Place, Claim]:
    """Return what the primary comparisons come to by one fresh seed alone, the first unless another `place` is named, with the
    error of the test sample alone, corrected for their number as all others are."""
    found: dict[Place, Comparison] = {}
    for arm, labels in results.primaries:
        seeds = results.fresh_seeds(arm, results.baselines[arm], labels)
        if len(seeds) > place and (one := results.compare(arm, results.baselines[arm], labels, seeds=[seeds[place]])):
            found[arm, labels] = one
    spreads = {where: Spread(0.0, one.test_error, 1) for where, one in found.items()}
    differ = holm([spreads[where].p_difference(one.difference) for where, one in found.items()])
    alike = holm([spreads[where].p_equivalence(one.difference, one.margin) for where, one in found.items()])
    return {
        where: _naked(one, spreads[where], p, p_equivalence)
        for (where, one), p, p_equivalence in zip(found.items(), differ, alike, strict=True)
    }


def _naked(found: Comparison, spread: Spread, p: float, p_equivalence: float) -> Claim:
    alpha, half = alpha_of(LEVEL), spread.half_width(alpha_of(LEVEL))
    ahead = found.difference > 0 if found.larger_is_better else found.difference < 0
    verdict = Verdict.UNDECIDED
    if p_equivalence <= alpha:
        verdict = Verdict.EQUIVALENT
    elif p <= alpha:
        verdict = Verdict.BETTER if ahead else Verdict.WORSE
    low, high = found.difference - half, found.difference + half
    return Claim(found.arm.mean, found.baseline.mean, found.difference, low, high, verdict)


def claim_text(metric: Metric, claim: Claim) -> str:
    """Write a difference with its interval: "+0.0123 [+0.0031, +0.0215]"."""
    return f"{signed(metric, claim.difference)} {limits(metric, claim.low, claim.high, signs=True)}".rstrip()


def fault_sentences(results: Results) -> list[str]:
    """Say how many faults change the verdict on each primary comparison, and which; of a single seed, what each of them says."""
    found = effects(results)
    told: dict[Place, list[Effect]] = {}
    for one in found:
        told.setdefault((one.arm, one.labels), []).append(one)
    return [*(_told(results, some) for some in told.values()), *_each_seed(results)]


def _told(results: Results, found: list[Effect]) -> str:
    first, known = found[0], [one for one in found if one.faulty is not None]
    if (seeds := results.plan.instance.settings.seeds) < LEAST_SEEDS:
        return (
            f"{FAULTY.capitalize()}: with {count(seeds, 'seed')} there is no verdict on {first.arm} against {first.baseline} at "
            f"{count(first.labels)} labels that a fault could change; {LEAST_SEEDS} are the least."
        )
    kinds: dict[str, list[str]] = {}
    for one in known:
        if one.changed:
            kinds.setdefault(f"{one.does} ({one.faulty.verdict if one.faulty else ''})", []).append(one.fault.name)
    listed = "; ".join(f"{what}: {joined(names)}" for what, names in kinds.items())
    changed = sum(bool(one.changed) for one in known)
    rest = f"; {count(len(found) - len(known))} not run yet" if len(known) < len(found) else ""
    return (
        f"{FAULTY.capitalize()}: of {count(len(known), 'fault')} {changed} change the honest verdict on {first.arm} against "
        f"{first.baseline} at {count(first.labels)} labels, “{first.honest.verdict}”{f' — {listed}' if listed else ''}{rest}."
    )


def _each_seed(results: Results) -> Iterator[str]:
    """What every single seed would have said: which one is looked at is luck."""
    if not any(faults[name].spoils == "none" for name in results.plan.faults):
        return
    claims = [one_seed(results, place) for place in range(results.plan.instance.settings.seeds)]
    for arm, labels in results.primaries:
        said: dict[Verdict, int] = {}
        for claim in claims:
            if (arm, labels) in claim:
                said[claim[arm, labels].verdict] = said.get(claim[arm, labels].verdict, 0) + 1
        if said:
            parts = joined([f"{times} “{verdict}”" for verdict, times in said.items()])
            yield f"By one seed alone, {arm} at {count(labels)} labels: {parts}, of {count(sum(said.values()), 'seed')}."


def fault_lines(results: Results) -> Iterator[Mapping[str, str]]:
    """Yield the effects in words, by column: fault, arm, honest, faulty, verdicts, changed and how."""
    metric = results.metric
    for one in effects(results):
        after = one.faulty
        yield {
            "fault": one.fault.name,
            "what is done": one.fault.summary,
            "who committed it": one.fault.source,
            "comparison": f"{one.arm} against {one.baseline}, {count(one.labels)} labels",
            "honest": claim_text(metric, one.honest),
            "honest verdict": str(one.honest.verdict),
            "faulty": claim_text(metric, after) if after else "–",
            "faulty verdict": str(after.verdict) if after else "–",
            "changed": {None: "–", True: "yes", False: "no"}[one.changed],
            "how": _how(metric, one),
        }


def _how(metric: Metric, one: Effect) -> str:
    """In what direction the fault moves the difference, and which of the two arms it is that moves."""
    if one.faulty is None:
        return one.does
    moved = one.faulty.difference - one.honest.difference
    favours = one.arm if gain(metric, moved) > 0 else one.baseline
    shifts = [
        f"{name} by {signed(metric, after - before)}"
        for name, after, before in (
            (one.arm, one.faulty.arm, one.honest.arm),
            (one.baseline, one.faulty.baseline, one.honest.baseline),
        )
        if not math.isclose(after, before, abs_tol=10.0**-metric.digits / 2)
    ]
    towards = f"the difference moves by {quantity(metric, signed(metric, moved))}, in favour of {favours}"
    return f"{one.does}; {towards} ({joined(shifts)})" if shifts else f"{one.does}; the means stay"
