"""Numbers and verdicts as people read them; the one place that decides on digits and signs."""

from __future__ import annotations

from jetbench.statistics.comparison import Comparison, Verdict
from jetbench.statistics.intervals import Interval

__all__ = [
    "DIGITS",
    "MARGIN_SHARE",
    "brief_difference",
    "count",
    "difference_text",
    "interval",
    "joined",
    "level_percent",
    "margin_percent",
    "share_interval",
    "signed",
    "units",
    "verdict_lines",
]

MARGIN_SHARE = 0.03  # of what the baseline's AUC leaves to one: differences below it are of no weight (protocol, section 5)
DIGITS = 4  # of an AUC: the last one is below the test sample's error up to some 10⁵ test jets


def count(number: int, noun: str = "") -> str:
    """12 000, with a thin space that does not break; with a noun, in its number: "1 seed", "5 seeds"."""
    text = f"{number:,}".replace(",", "\u202f") if number >= 10_000 else f"{number}"
    return f"{text} {noun}{'' if number == 1 else 's'}" if noun else text


def signed(value: float, digits: int = DIGITS) -> str:
    """+0.0123 or −0.0123, with the sign of mathematics."""
    return f"{value:+.{digits}f}".replace("-", "−")


def interval(low: float | None, high: float | None, signs: bool = False) -> str:
    """[low, high], or nothing where one unit has no interval."""
    if low is None or high is None:
        return ""
    low_text, high_text = (signed(end) if signs else f"{end:.{DIGITS}f}".replace("-", "−") for end in (low, high))
    return f"[{low_text}, {high_text}]"


def share_interval(given: Interval) -> str:
    """The interval of an AUC or another share, cut where no share can be: Student's knows no limits."""
    return interval(given.low and max(given.low, 0.0), given.high and min(given.high, 1.0))


def joined(parts: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def level_percent(comparison: Comparison) -> str:
    return f"{100 * comparison.level:g} %"


def margin_percent() -> str:
    """The margin of equivalence as a share of what the baseline leaves."""
    return f"{100 * MARGIN_SHARE:.3g} %"


def verdict_lines(comparison: Comparison, primary: bool) -> list[str]:
    """The verdict, and below it what an undecided case would need."""
    lines = [f"{comparison.verdict}{' *' if primary else ''}"]
    if comparison.verdict is Verdict.UNDECIDED:
        needed = comparison.seeds_needed
        lines.append(f"needs {needed} {units(comparison)}" if needed else "needs test jets")
    return lines


def difference_text(comparison: Comparison) -> str:
    """+0.0412 (95 % interval [+0.0310, +0.0514]; ±0.0032 between seeds, ±0.0041 from the test sample)."""
    limits = interval(comparison.low, comparison.high, signs=True)
    seed = f"±{comparison.seed_error:.{DIGITS}f} between {units(comparison)}, " if comparison.seed_error is not None else ""
    shown = f"{level_percent(comparison)} interval {limits}; " if limits else ""
    return f"{signed(comparison.difference)} ({shown}{seed}±{comparison.test_error:.{DIGITS}f} from the test sample)"


def brief_difference(comparison: Comparison) -> str:
    """+0.0412 [+0.0310, +0.0514]."""
    return f"{signed(comparison.difference)} {interval(comparison.low, comparison.high, signs=True)}".rstrip()


def units(comparison: Comparison) -> str:
    return "encoders" if comparison.clustered else "seeds"
