"""What each fault of a suite that is faulty on purpose does to the verdict of a primary comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

from jetbench.faults import FaultEntry, faults
from jetbench.report.pairing import paired_gains
from jetbench.report.results import Results
from jetbench.report.words import gain
from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import LEVEL, Interval, alpha_of
from jetbench.statistics.multiplicity import adjust, holm
from jetbench.statistics.resolution import Spread
from jetbench.suites.faulty import FaultyArm
from jetbench.suites.plan import CellKey

__all__ = ["STRETCH", "Claim", "Effect", "Moves", "Place", "effects", "moves", "one_seed"]

Place = tuple[str, int]  # arm and label budget of a primary comparison
DECIDED = (Verdict.BETTER, Verdict.WORSE)
STRETCH = 1.25  # an interval is another one where it is wider or narrower by more than this factor


@dataclass(frozen=True)
class Claim:
    """What a reader would be told of an arm against its baseline: both means, their difference with its interval, the verdict."""

    arm: float
    baseline: float
    difference: float
    low: float | None
    high: float | None
    verdict: Verdict

    @property
    def width(self) -> float | None:
        return None if self.low is None or self.high is None else self.high - self.low


@dataclass(frozen=True)
class Effect:
    """A fault in one primary comparison. `faulty` is None as long as a run of it is missing. `moved` is the faulty difference
    minus the honest one, paired over seeds and test jets; without an interval where runs are the same and are read otherwise,
    and where one encoder has none. `gained` is its sign as a gain of the arm: 1, 0 or −1."""

    fault: FaultEntry
    arm: str
    baseline: str
    labels: int
    honest: Claim
    faulty: Claim | None = None
    moved: Interval | None = None
    gained: int = 0

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
            return "same verdict"
        if before and after:
            return "reverses the verdict"
        if after:
            return "creates a verdict"
        return "hides the verdict" if before else "changes the verdict"

    @property
    def has_interval(self) -> bool:
        """Whether the movement of the difference has a paired interval, which alone can show it."""
        return self.moved is not None and self.moved.low is not None and self.moved.high is not None

    @property
    def is_shown(self) -> bool:
        """Whether the movement of the difference is more than chance: its paired interval leaves out zero."""
        ends = (self.moved.low, self.moved.high) if self.moved else (None, None)
        return ends[0] is not None and ends[1] is not None and not ends[0] <= 0 <= ends[1]

    @property
    def stretch(self) -> float | None:
        """How many times as wide the faulty interval is as the honest one; None where one of them has no width."""
        widths = [one.width for one in (self.honest, self.faulty) if one is not None]
        return widths[1] / widths[0] if len(widths) == 2 and widths[0] and widths[1] is not None else None

    @property
    def width(self) -> str:
        """How wide the faulty interval is beside the honest one, in words; "–" where one of them has no width."""
        if self.stretch is None:
            return "–"
        return "as wide" if 1 / STRETCH <= self.stretch <= STRETCH else f"{self.stretch:.2g} times as wide"

    @property
    def favours(self) -> str:
        """The one of both arms that the movement speaks for; empty where none is shown."""
        return {1: self.arm, -1: self.baseline}.get(self.gained, "") if self.is_shown else ""

    @property
    def as_expected(self) -> bool | None:
        """Whether what is to be expected of the fault happened; None where that is undecided. That a difference stays where it
        is can never be shown, only that it does not."""
        if self.fault.expected == "narrower":
            return None if self.width in ("–", "as wide") or self.stretch is None else self.stretch < 1
        if not self.is_shown:
            return None
        return self.favours == {"arm": self.arm, "baseline": self.baseline, "neither": ""}[self.fault.expected]


@dataclass(frozen=True)
class Moves:
    """How many movements have an interval, how many of these leave out zero, and how many would on average by chance alone, were
    all faults harmless: an expected number adds up whatever the intervals have in common. A fault that strikes a baseline alone
    moves all arms beside it by the same, which is one movement."""

    intervals: int
    shown: int

    @property
    def by_chance(self) -> float:
        return self.intervals * alpha_of(LEVEL)


def moves(results: Results) -> Moves:
    """Count the movements of all faults of a suite in all its primary comparisons."""
    found = {_alike(one): one for one in effects(results)}.values()
    return Moves(sum(one.has_interval for one in found), sum(one.is_shown for one in found))


def _alike(one: Effect) -> tuple[object, ...]:
    """What is the same of effects that are one movement: the fault, and how far it moves a difference, to rounding."""
    by = one.moved
    ends = None if by is None else tuple(None if end is None else round(end, 9) for end in (by.mean, by.low, by.high))
    return one.fault.name, one.labels, one.baseline, ends or one.arm


def effects(results: Results) -> list[Effect]:
    """List the effect of each fault of a suite on each primary comparison whose honest runs are there; both sides of each are
    corrected for the same number of comparisons. Nothing for a suite without faults."""
    honest = {place: _claim(one) for place in results.primaries if (one := results.comparisons.get(place)) is not None}
    found = []
    for name in results.plan.faults:
        claims = one_seed(results) if faults[name].spoils == "none" else _spoilt(results, name)
        for (arm, labels), claim in honest.items():
            baseline = results.baselines[arm]
            bare = Effect(faults[name], arm, baseline, labels, claim)
            after = claims.get((arm, labels))
            found.append(bare if after is None else _moved(results, bare, after))
    return found


def _moved(results: Results, bare: Effect, after: Claim) -> Effect:
    """The effect with what the fault has moved."""
    by = after.difference - bare.honest.difference
    moved = Interval(mean=by, low=None, high=None, n=1)
    if bare.fault.spoils != "none":
        compared = _movement(results, bare)
        moved = Interval(mean=by, low=compared.low, high=compared.high, n=compared.units)
    better = gain(results.metric, by)
    return replace(bare, faulty=after, moved=moved, gained=(better > 0) - (better < 0))


def _movement(results: Results, one: Effect) -> Comparison:
    """The faulty difference against the honest one, seed by seed and on the same test jets: what both have in common, the chance
    of the seeds above all, cancels."""
    honest = (one.arm, one.baseline)
    names = [*(_with(results, one.fault.name, name, one.labels) for name in honest), *honest]
    seeds = results.fresh_seeds(*honest, one.labels)
    clusters = next((found for name in names if (found := results.clusters(name, one.labels, seeds))), None)
    sides = [[results.scores(CellKey(name, one.labels, seed)) for seed in seeds] for name in names]
    return paired_gains(results.task, (sides[0], sides[1]), (sides[2], sides[3]), clusters, results.shared(one.labels))


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
