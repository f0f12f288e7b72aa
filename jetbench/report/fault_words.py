"""What faults do, in sentences, lines of tables and numbers for other programs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from jetbench.faults import FAULTY, faults
from jetbench.report.faults import STRETCH, Claim, Effect, Place, effects, one_seed
from jetbench.report.results import Results
from jetbench.report.words import LEVEL_TEXT, count, joined, limits, quantity, signed
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.tasks.task import Metric

__all__ = ["POINTER", "claim_text", "fault_lines", "fault_numbers", "fault_rules", "fault_sentences"]

POINTER = "What each fault is and who committed it: `jetbench show faults`, and “Faults on purpose” in docs/suites.md."


def claim_text(metric: Metric, claim: Claim) -> str:
    """Write a difference with its interval: "+0.0123 [+0.0031, +0.0215]"."""
    return f"{signed(metric, claim.difference)} {limits(metric, claim.low, claim.high, signs=True)}".rstrip()


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
    kinds: dict[str, list[str]] = {}
    for one in known:
        if one.changed:
            name = f"{one.fault.name} ({one.what_moved})" if one.what_moved != "–" else one.fault.name
            kinds.setdefault(f"{one.does} (“{one.faulty.verdict if one.faulty else ''}”)", []).append(name)
    listed = "; ".join(f"{what}: {joined(names)}" for what, names in kinds.items())
    changed = sum(bool(one.changed) for one in known)
    rest = f"; {count(len(found) - len(known))} not run yet" if len(known) < len(found) else ""
    listed = f" (in brackets what moved) — {listed}" if listed else ""
    return (
        f"{FAULTY.capitalize()}: of {count(len(known), 'fault')} {changed} change the honest verdict on {first.arm} against "
        f"{first.baseline} at {count(first.labels)} labels, “{first.honest.verdict}”{listed}{rest}."
    )


def _expected(results: Results, found: list[Effect]) -> str:
    """Of which faults what was expected came true; nothing where too few seeds can tell."""
    known = [one for one in found if one.faulty is not None]
    if _few(results) or not known:
        return ""
    stays = [one for one in known if one.fault.expected == "neither"]
    parts = [
        f"{text}: {joined(names)}"
        for text, names in (
            ("as expected", [one.fault.name for one in known if one.as_expected is True]),
            ("not as expected", [one.fault.name for one in known if one.as_expected is False]),
            ("expected to move the difference, not shown", _unshown(known, stays, False)),
            ("expected to leave it, and no move is shown", _unshown(known, stays, True)),
        )
        if names
    ]
    return f"What the faults do to {found[0].arm} at {count(found[0].labels)} labels — {'; '.join(parts)}."


def _unshown(known: list[Effect], stays: list[Effect], staying: bool) -> list[str]:
    return [one.fault.name for one in known if one.as_expected is None and (one in stays) == staying]


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


def fault_rules() -> str:
    """Say how a table of effects is to be read."""
    return (
        "What moved, as a reader sees it: the difference, where it lies outside of the honest interval; the interval, where it "
        f"is wider or narrower by more than a factor of {STRETCH:g}; where neither, the verdict stood near its limit. “Same "
        "verdict” says nothing of the size of a difference. Expected is what follows from which arm a fault hurts or helps, and "
        f"happened where the {LEVEL_TEXT} interval of the movement, paired over seeds and test jets, leaves out 0 on that side; "
        "of a fault that strikes both alike, that the difference stays, which can be refuted and not shown."
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
            "what moved": one.what_moved,
            "by how much": _by(metric, one),
            "expected": _expectation(one),
            "as expected": _answer(one),
        }


def _by(metric: Metric, one: Effect) -> str:
    """How far the difference moved, with each arm, and how the width of the interval compares."""
    if one.faulty is None or one.moved is None:
        return ""
    moved = f"{signed(metric, one.moved.mean)} {limits(metric, one.moved.low, one.moved.high, signs=True)}".rstrip()
    shifts = [
        f"{name} {signed(metric, after - before)}"
        for name, after, before in (
            (one.arm, one.faulty.arm, one.honest.arm),
            (one.baseline, one.faulty.baseline, one.honest.baseline),
        )
        if not math.isclose(after, before, abs_tol=10.0**-metric.digits / 2)
    ]
    arms = f" ({joined(shifts)})" if shifts else ""
    width = f"; interval {one.stretch:.2g} times as wide" if one.stretch is not None else ""
    return f"difference {quantity(metric, moved)}{arms}{width}"


def _expectation(one: Effect) -> str:
    return {
        "arm": f"moves for {one.arm}",
        "baseline": f"moves for {one.baseline}",
        "neither": "both alike, stays",
        "narrower": "a narrower interval",
    }[one.fault.expected]


def _answer(one: Effect) -> str:
    if one.faulty is None:
        return "–"
    if one.as_expected is None:
        return "no move shown" if one.fault.expected == "neither" and one.moved and one.moved.low is not None else "not shown"
    return "yes" if one.as_expected else f"no, for {one.favours}" if one.favours else "no"


def fault_numbers(results: Results) -> list[dict[str, Any]]:
    """Return the effects for other programs: numbers of both sides, of what moved, and what was expected."""
    return [
        {
            "fault": one.fault.name,
            "what is done": one.fault.summary,
            "who committed it": one.fault.source,
            "arm": one.arm,
            "baseline": one.baseline,
            "labels": one.labels,
            "honest": asdict(one.honest),
            "faulty": asdict(one.faulty) if one.faulty else None,
            "changed": one.changed,
            "verdict": one.does,
            "moved": one.moved.model_dump(mode="json") if one.moved else None,
            "interval_stretch": one.stretch,
            "what_moved": one.what_moved,
            "expected": _expectation(one),
            "as_expected": one.as_expected,
        }
        for one in effects(results)
    ]
