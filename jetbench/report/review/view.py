"""What MLflow's page of a suite opens with: the arms alone, in the order of the table, with charts chosen for the question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jetbench.report.results import Results
from jetbench.report.review.cards import ENDS, bar_key, gain_key, mean_key, rejection_key
from jetbench.report.review.page import MOST_BARS, Chart, Section, bars, page
from jetbench.report.review.pictures import keys
from jetbench.report.rows import Row, rows
from jetbench.report.words import LEVEL_TEXT, label
from jetbench.tracking.arm_card import ArmCard

__all__ = ["view"]

FILTER = "tags.`jetbench.kind` = 'arm'"
ORDER = "tags.`jetbench.order`"


def view(results: Results, cards: Sequence[ArmCard]) -> dict[str, Any]:
    """Return the state of the page that shows these cards."""
    return page(FILTER, ORDER, _columns(results), [*_sections(results, cards)])


def _columns(results: Results) -> list[str]:
    """The five that a window of 1280 pixels has room for: the gain with its interval, the mean, the verdict."""
    gains = [f"{gain_key(results)}{end}" for end in ("", *ENDS)]
    return [*(f"metrics.`{name}`" for name in (*gains, mean_key(results))), "tags.`jetbench.verdict`"]


def _sections(results: Results, cards: Sequence[ArmCard]) -> Iterator[Section]:
    """Make each section, with charts of what the arms have."""
    metrics = {name for card in cards for name in card.metrics}
    gains = [bar_key(results, *place) for place in _places(results, rows(results))]
    gains += [key for key in map(rejection_key, dict.fromkeys(labels for _, labels in results.primaries)) if key in metrics]
    ahead = [*map(bars, gains), _against_budget(mean_key(results))]
    yield Section(f"who is ahead: gain in {label(results.metric)}", ahead, columns=2, height=360)
    primary = _places(results, [row for row in rows(results) if row.primary])
    ends = [key for place in primary for end in ENDS if (key := bar_key(results, *place, end)) in metrics]
    yield Section(f"between which ends, at {LEVEL_TEXT}", [*map(bars, ends)], columns=2, height=360)
    shown = {picture.key for card in cards if card.side_by_side for picture in card.pictures}
    yield Section("pictures", [_pictures(key) for key in keys(results) if key in shown], columns=1, height=420)
    differing = {"type": "DIFFERENCE", "runsCountToCompare": MOST_BARS, "compareGroups": ["Metrics", "Parameters"]}
    yield Section("all numbers", [differing], columns=1, height=600)


def _places(results: Results, given: Sequence[Row]) -> dict[tuple[int, str], None]:
    """Each budget at which arms are compared and the baseline that they are compared with, those of primary comparisons first."""
    compared = [row for row in given if row.comparison and not row.muted]
    ordered = sorted(compared, key=lambda row: not row.primary)
    return dict.fromkeys((row.labels, results.baselines[row.arm]) for row in ordered)


def _pictures(key: str) -> Chart:
    return {"type": "IMAGE", "runsCountToCompare": MOST_BARS, "imageKeys": [key], "step": 0, "showRunParams": False}


def _against_budget(metric: str) -> Chart:
    axes = {"xaxis": {"key": "labels", "type": "METRIC"}, "yaxis": {"key": metric, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": MOST_BARS, **axes}
