"""What faults do, in sentences, lines of tables and numbers for other programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from jetbench.faults import FAULTY, faults
from jetbench.report.faults import STRETCH, Claim, Effect, Place, effects, moves, one_seed
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count, difference_limits, differences_of, joined, quantity, signed
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.intervals import LEVEL, alpha_of
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.tasks.task import Metric

__all__ = [
    "POINTER",
    "chance_sentence",
    "claim_text",
    "fault_lines",
    "fault_numbers",
    "fault_rules",
    "fault_sentences",
    "move_numbers",
]

POINTER = "What each fault is and who committed it: `jetbench show faults`, and “Faults on purpose” in docs/suites.md."

ANSWERS = {True: "as expected", False: "not as expected", None: "undecided"}  # to what was expected
TURNING = ", as a verdict beside an edge does"


def claim_text(metric: Metric, claim: Claim) -> str:
    """Write a difference with its interval: "+0.0123 [+0.0031, +0.0215]"."""
    return f"{signed(metric, claim.difference)} {difference_limits(metric, claim)}".rstrip()


def fault_sentences(results: Results) -> list[str]:
    """Say how many faults change the verdict on each primary comparison, which, and by what; of which ones the expectation came
    true; of a single seed, what each of them says."""
    told: dict[Place, list[Effect]] = {}
    for one in effects(results):
        told.setdefault((one.arm, one.labels), []).append(one)
    lines = [line for some in told.values() for line in (_told(results, some), _expected(results, some)) if line]
    return [*lines, *_each_seed(results)]


def _few(results: Results) -> bool:
    return results.plan.instance.settings.seeds < LEAST_SEEDS


def _told(results: Results, found: list[Effect]) -> str:
    first, known = found[0], [one for one in found if one.faulty is not None]
    if _few(results):
        seeds = count(results.plan.instance.settings.seeds, "seed")
        return (
            f"{FAULTY.capitalize()}: with {seeds} there is no verdict on {first.arm} against {first.baseline} at "
            f"{count(first.labels)} labels that a fault could change; {LEAST_SEEDS} are the least."
        )
    shown = [one for one in known if one.is_shown]
    turned = [one for one in known if one.changed and not one.is_shown]
    rest = f" {count(len(found) - len(known))} not run yet." if len(known) < len(found) else ""
    are, change = "is" if len(shown) == 1 else "are", "changes" if len(turned) == 1 else "change"
    return (
        f"{FAULTY.capitalize()}: {first.arm} against {first.baseline} at {count(first.labels)} labels, honest verdict "
        f"“{first.honest.verdict}”. Of {count(len(known), 'fault')} {len(shown)} {are} shown to move the difference"
        f"{_kinds(shown)}. {len(turned)} {change} the verdict without a shown move{_kinds(turned)}"
        f"{TURNING if turned else ''}.{rest}"
    )


def _kinds(some: list[Effect]) -> str:
    """The faults by what they do to the verdict."""
    kinds: dict[str, list[str]] = {}
    for one in some:
        verdict = f" (“{one.faulty.verdict}”)" if one.faulty and one.changed else ""
        kinds.setdefault(f"{one.does}{verdict}", []).append(one.fault.name)
    return f" ({'; '.join(f'{what}: {joined(names)}' for what, names in kinds.items())})" if kinds else ""


def _expected(results: Results, found: list[Effect]) -> str:
    """Of which faults what was expected came true; nothing where too few seeds can tell."""
    known = [one for one in found if one.faulty is not None]
    if _few(results) or not known:
        return ""
    answers: dict[str, list[str]] = {answer: [] for answer in ANSWERS.values()}
    for one in known:
        answers[ANSWERS[one.as_expected]].append(one.fault.name)
    parts = [f"{answer}: {joined(names)}" for answer, names in answers.items() if names]
    return f"What the faults do to {found[0].arm} at {count(found[0].labels)} labels — {'; '.join(parts)}."


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


def chance_sentence(results: Results) -> str:
    """Say how many movements are shown, and how many would be by chance; nothing where none has an interval."""
    found = moves(results)
    if not found.intervals:
        return ""
    are = "is" if found.shown == 1 else "are"
    return (
        f"Of {count(found.intervals, 'movement')} with an interval {found.shown} {are} shown. Were all faults harmless, "
        f"{found.intervals} × {100 * alpha_of(LEVEL):g} % = {found.by_chance:.3g} of these intervals would leave out 0 on "
        "average by chance alone, since none is corrected for their number; a move that barely leaves out 0 may be one of those."
    )


def fault_rules() -> str:
    """Say how a table of effects is to be read."""
    return (
        f"A difference is shown to have moved where the {LEVEL_TEXT} interval of the movement, paired over seeds and test jets "
        "and not corrected for the number of faults, leaves out 0; a verdict beside an edge turns without any shown move, and "
        "“same verdict” says nothing of the size of a difference. The width of the interval is told apart: as wide is one within "
        f"a factor of {STRETCH:g}, which no test stands behind. Expected is what follows from which arm a fault hurts or helps, "
        "written when results of these faults were known: as expected is a shown move to that side (or an interval that is "
        "narrower), not as expected one to the other, and undecided all else; that a difference stays can be refuted, not shown."
    )


def fault_lines(results: Results) -> Iterator[Mapping[str, str]]:
    """Yield the effects in words, by column."""
    metric = results.metric
    for one in effects(results):
        after = one.faulty
        yield {
            "fault": one.fault.name,
            "what is done": one.fault.summary,
            "who committed it": one.fault.source,
            "arm": one.arm,
            "comparison": f"{one.arm} against {one.baseline}, {count(one.labels)} labels",
            "honest": claim_text(metric, one.honest),
            "honest verdict": str(one.honest.verdict),
            "faulty": claim_text(metric, after) if after else "–",
            "faulty verdict": str(after.verdict) if after else "–",
            "verdict": one.does,
            "what moved": _shown(one),
            "by how much": _by(metric, one),
            "interval": one.width,
            "expected": _expectation(one),
            "as expected": ANSWERS[one.as_expected] if one.faulty else "–",
            "mixes": one.fault.mixes,
        }


def _shown(one: Effect) -> str:
    """Whether the difference is shown to have moved, and for whom; "–" where no interval can tell."""
    if not one.has_interval:
        return "–"
    return f"the difference, for {one.favours}" if one.is_shown else "not shown"


def _by(metric: Metric, one: Effect) -> str:
    """How far the difference moved, with each arm."""
    if one.faulty is None or one.moved is None:
        return ""
    moved = f"{signed(metric, one.moved.mean)} {difference_limits(differences_of(metric), one.moved)}".rstrip()
    shifts = [
        f"{name} {signed(metric, after - before)}"
        for name, after, before in (
            (one.arm, one.faulty.arm, one.honest.arm),
            (one.baseline, one.faulty.baseline, one.honest.baseline),
        )
        if not math.isclose(after, before, abs_tol=10.0**-metric.digits / 2)
    ]
    arms = f" ({joined(shifts)})" if shifts else ""
    return f"difference {quantity(metric, moved)}{arms}"


def _expectation(one: Effect) -> str:
    return {
        "arm": f"moves for {one.arm}",
        "baseline": f"moves for {one.baseline}",
        "neither": "stays",
        "narrower": "a narrower interval",
    }[one.fault.expected]


def move_numbers(results: Results) -> dict[str, Any] | None:
    """Return how many movements are shown, and how many would be by chance, for other programs; None without faults."""
    found = moves(results)
    return {**asdict(found), "level": LEVEL, "shown_by_chance": found.by_chance} if results.plan.faults else None


def fault_numbers(results: Results) -> list[dict[str, Any]]:
    """Return the effects for other programs: numbers of both sides, of what moved, and what was expected."""
    return [
        {
            "fault": one.fault.name,
            "what is done": one.fault.summary,
            "who committed it": one.fault.source,
            "mixes": one.fault.mixes,
            "arm": one.arm,
            "baseline": one.baseline,
            "labels": one.labels,
            "honest": asdict(one.honest),
            "faulty": asdict(one.faulty) if one.faulty else None,
            "changed": one.changed,
            "verdict": one.does,
            "moved": one.moved.model_dump(mode="json") if one.moved else None,
            "is_shown": one.is_shown,
            "interval_stretch": one.stretch,
            "expected": _expectation(one),
            "as_expected": one.as_expected,
        }
        for one in effects(results)
    ]
