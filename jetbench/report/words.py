"""Numbers and verdicts as people read them; the one place that decides on digits, signs and units."""

from __future__ import annotations

import math
from typing import Protocol

from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import LEVEL, Interval, alpha_of
from jetbench.statistics.means import Mean
from jetbench.statistics.power import POWER, Needed
from jetbench.statistics.resolution import LEAST_SEEDS
from jetbench.tasks.task import Metric

__all__ = [
    "LEVEL_TEXT",
    "brief_difference",
    "capital",
    "count",
    "difference_errors",
    "difference_limits",
    "difference_text",
    "differences_of",
    "direction",
    "errors_text",
    "gain",
    "heading",
    "interval_text",
    "is_perfect",
    "joined",
    "label",
    "level_percent",
    "limits",
    "mean_errors",
    "mean_limits",
    "need",
    "number",
    "possible_ends",
    "quantity",
    "signed",
    "spoilt_by",
    "units",
    "verdict_lines",
]

LEVEL_TEXT = f"{100 * LEVEL:g} %"  # of the intervals that have no level of their own
ROUNDING = 1e-12  # relative: what sums of equal values may differ by


class Between(Protocol):
    """What has an interval, or None as its ends."""

    @property
    def low(self) -> float | None: ...

    @property
    def high(self) -> float | None: ...


def count(number: int, noun: str = "") -> str:
    """Write a whole number, from ten thousand on in groups of three digits ("12 000", thin spaces); a noun behind it is singular
    or plural ("1 seed", "5 seeds")."""
    text = f"{number:,}".replace(",", "\u202f") if number >= 10_000 else f"{number}"
    return f"{text} {noun}{'' if number == 1 else 's'}" if noun else text


def joined(parts: list[str]) -> str:
    """Join parts as in a sentence: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def capital(text: str) -> str:
    """Write the text with a capital letter in front, and all others as they are."""
    return text[:1].upper() + text[1:]


def number(metric: Metric, value: float) -> str:
    """Write a value with the digits of the metric and a true minus sign: "0.9157"."""
    return f"{value:.{metric.digits}f}".replace("-", "−")


def is_perfect(metric: Metric, value: float) -> bool:
    """Tell whether a value is, as it is written, the best that the metric has."""
    best = metric.high if metric.larger_is_better else metric.low
    return best is not None and number(metric, value) == number(metric, best)


def signed(metric: Metric, value: float) -> str:
    """Write a value with its sign: "+0.0123" or "−0.0123"."""
    return f"{value:+.{metric.digits}f}".replace("-", "−")


def quantity(metric: Metric, text: str) -> str:
    """Add the unit of the metric to a written number: "7.81 GeV"."""
    return f"{text} {metric.unit}" if metric.unit else text


def limits(metric: Metric, low: float | None, high: float | None, signs: bool = False) -> str:
    """Write an interval as "[low, high]"; empty where one unit has none."""
    if low is None or high is None:
        return ""
    write = signed if signs else number
    return f"[{write(metric, low)}, {write(metric, high)}]"


def mean_errors(metric: Metric, given: Mean) -> str:
    """Write ±0.0032 ±0.0041: the error of a mean between seeds and that from the test sample."""
    seed = number(metric, given.seed_error) if given.seed_error is not None else "?"
    return f"±{seed} ±{number(metric, given.test_error)}"


def possible_ends(metric: Metric, given: Between) -> tuple[float | None, float | None]:
    """Return the ends of an interval, cut where the metric has no values: Student's knows no limits. For a difference the metric
    is that of `differences_of`."""
    low, high = given.low, given.high
    if low is not None and metric.low is not None:
        low = max(low, metric.low)
    if high is not None and metric.high is not None:
        high = min(high, metric.high)
    return low, high


def mean_limits(metric: Metric, given: Interval | Mean) -> str:
    """Write the interval of a mean between its `possible_ends`. Where it has no width, as for scores that are one number, say so
    instead."""
    if given.low is not None and given.high is not None and given.high - given.low <= ROUNDING * abs(given.mean):
        return "same for every seed"
    return limits(metric, *possible_ends(metric, given))


def differences_of(metric: Metric) -> Metric:
    """Return the metric whose values are the differences of two values of this one: of AUC it ends at −1 and +1."""
    span = None if metric.low is None or metric.high is None else metric.high - metric.low
    found: Metric = metric.replace(low=None if span is None else -span, high=span)
    return found


def difference_limits(metric: Metric, given: Between) -> str:
    """Write the interval of a difference of two values of the metric between its `possible_ends`; empty where one unit has
    none."""
    return limits(metric, *possible_ends(differences_of(metric), given), signs=True)


def label(metric: Metric, sample: str = "test") -> str:
    """Name a metric of a sample: "test AUC", "test RMSE [GeV]"."""
    return f"{sample} {metric.name} [{metric.unit}]" if metric.unit else f"{sample} {metric.name}"


def direction(metric: Metric) -> str:
    """Say "lower is better" of a metric that is; empty for any other."""
    return "" if metric.larger_is_better else "lower is better"


def heading(metric: Metric, sample: str = "test", comma: str = ", ") -> str:
    """Name a metric with its direction: "test AUC", "test RMSE [GeV], lower is better"."""
    return comma.join(part for part in (label(metric, sample), direction(metric)) if part)


def gain(metric: Metric, difference: float) -> float:
    """Return a difference with the sign of an improvement."""
    return difference if metric.larger_is_better else -difference


def level_percent(comparison: Comparison) -> str:
    return f"{100 * comparison.level:g} %"


def verdict_lines(comparison: Comparison, primary: bool) -> list[str]:
    """Write the verdict, and below it what an undecided case would need."""
    lines = [f"{comparison.verdict}{' *' if primary else ''}"]
    if comparison.verdict is not Verdict.UNDECIDED:
        return lines
    needed, what = comparison.needed, units(comparison)
    if comparison.difference == comparison.test_error == 0:
        return [*lines, "no difference", "at all"]
    if needed is None:
        return [*lines, f"needs {LEAST_SEEDS} {what}"]
    if needed.seeds is None:
        return [*lines, f"needs {_scarce(comparison)}"] if _is_short(comparison) else [*lines, "too small", "to be told"]
    return [*lines, f"needs {needed.seeds} {what}", f"({_range(needed)})"]


def need(metric: Metric, comparison: Comparison) -> str:
    """Say in words what an undecided comparison lacks, and what it would take for 80 % power; seeds that were looked at are not
    among it."""
    what, parts = units(comparison), list[str]()
    if comparison.clustered and comparison.units == 1:
        parts.append("one encoder's own luck cannot be told from its method")
    elif _says_nothing(metric, comparison):
        told = "their interval spans more than half of what is possible"
        parts.append(f"{count(comparison.units, what[:-1])} decide nothing: {told}")
    elif comparison.units < LEAST_SEEDS:
        parts.append(f"{count(comparison.units, what[:-1])} {'is' if comparison.units == 1 else 'are'} too few for a verdict")
    if comparison.units < LEAST_SEEDS:
        parts.append(f"{LEAST_SEEDS} {what} are the least")
    return "; ".join([*parts, *([_power(comparison, comparison.needed)] if comparison.needed else [])])


def _says_nothing(metric: Metric, found: Comparison) -> bool:
    """Whether the interval of a difference spans more than half of what a difference can be."""
    possible, (low, high) = differences_of(metric), possible_ends(differences_of(metric), found)
    if low is None or high is None or possible.low is None or possible.high is None:
        return False
    return high - low > (possible.high - possible.low) / 2


def _power(comparison: Comparison, needed: Needed) -> str:
    what, power = units(comparison), f"{100 * POWER:g} % power"
    if needed.seeds is None:
        told = f"the difference seen is too small to be told by any number of {what} at these {_scarce(comparison)} ({power})"
        return f"{told}; more {_scarce(comparison)} are needed" if _is_short(comparison) else told
    fresh = f"fresh {what}" if comparison.units >= LEAST_SEEDS else what
    within = "for true differences within one error of it"
    return f"at the observed spread and difference about {needed.seeds} {fresh} have {power} ({_range(needed)} {within})"


def _range(needed: Needed) -> str:
    return f"{needed.low} or more" if needed.high is None else f"{needed.low}–{needed.high}"


def _scarce(comparison: Comparison) -> str:
    """What more seeds cannot make up for."""
    spread = comparison.spread
    return "pool jets" if spread and spread.hidden > spread.test else "test jets"


def _is_short(comparison: Comparison) -> bool:
    """Whether what more seeds cannot make up for is the larger error; else it is the difference that is too small."""
    spread = comparison.spread
    return spread is not None and max(spread.test, spread.hidden) > spread.deviation / math.sqrt(spread.n)


def spoilt_by(comparison: Comparison) -> str:
    """Say why a comparison is undecided though its interval leaves out zero: "after correction for 7", or since the
    sign-flip test decides too; empty for any other."""
    low, high, p = comparison.low, comparison.high, comparison.p_difference
    if comparison.verdict is not Verdict.UNDECIDED or comparison.units < LEAST_SEEDS:
        return ""
    if low is None or high is None or p is None or low <= 0 <= high:
        return ""
    return f"after correction for {comparison.family}" if p <= alpha_of(comparison.level) else "by the sign-flip test"


def difference_text(metric: Metric, found: Comparison) -> str:
    """Write a difference with all its errors: +0.0412 (95 % interval [+0.0310, +0.0514]; ±0.0032 between seeds, ±0.0041 from the
    test sample)."""
    shown = f"{between}; " if (between := interval_text(metric, found)) else ""
    return f"{quantity(metric, signed(metric, found.difference))} ({shown}{errors_text(metric, found)})"


def interval_text(metric: Metric, found: Comparison) -> str:
    """Write the interval of a difference with its level: 95 % interval [+0.0310, +0.0514]; empty where one unit has none."""
    between = difference_limits(metric, found)
    return f"{level_percent(found)} interval {between}" if between else ""


def errors_text(metric: Metric, found: Comparison) -> str:
    """Write both errors of a difference: ±0.0032 between seeds, ±0.0041 from the test sample."""
    seed = f"±{number(metric, found.seed_error)} between {units(found)}, " if found.seed_error is not None else ""
    return f"{seed}±{number(metric, found.test_error)} from the test sample"


def difference_errors(metric: Metric, found: Comparison) -> str:
    """Write +0.0412 ±0.0032 ±0.0041: the difference, its error between seeds and that from the test sample."""
    seed = f"±{number(metric, found.seed_error)}" if found.seed_error is not None else "±?"
    return f"{signed(metric, found.difference)} {seed} ±{number(metric, found.test_error)}"


def brief_difference(metric: Metric, found: Comparison) -> str:
    """Write a difference with its interval: +0.0412 [+0.0310, +0.0514]."""
    return f"{signed(metric, found.difference)} {difference_limits(metric, found)}".rstrip()


def units(comparison: Comparison) -> str:
    return "encoders" if comparison.clustered else "seeds"
