"""What MLflow's page of a suite opens with: the arms alone, in the order of the table, with charts chosen for the question.

The keys are those of the page's own shared views, as MLflow 3.17 reads them; a version that does not know one ignores it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jetbench.report.results import Results
from jetbench.report.review.cards import ENDS, bar_key, gain_key, mean_key, rejection_key
from jetbench.report.review.pictures import keys
from jetbench.report.rows import Row, rows
from jetbench.report.words import LEVEL_TEXT, label
from jetbench.tracking.arm_card import ArmCard

__all__ = ["MOST_BARS", "view"]

MOST_BARS = 60
FILTER = "tags.`jetbench.kind` = 'arm'"
ORDER = "tags.`jetbench.order`"
Chart = dict[str, Any]


def view(results: Results, cards: Sequence[ArmCard]) -> dict[str, Any]:
    """Return the state of the page that shows these cards."""
    sections = list(_sections(results, cards))
    return {
        "searchFilter": FILTER,
        "orderByKey": ORDER,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": _columns(results),
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsHiddenMode": "SHOW_ALL",
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "useGroupedValuesInCharts": False,
        "autoRefreshEnabled": False,
        "chartsSearchFilter": "",
        "globalLineChartConfig": {},
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "compareRunSections": [
            {"uuid": name, "name": name, "display": True, "isReordered": True, **size} for name, size, _ in sections
        ],
        "compareRunCharts": [
            {"uuid": f"{name} {place}", "metricSectionId": name, "deleted": False, "isGenerated": False, **chart}
            for name, _, charts in sections
            for place, chart in enumerate(charts)
        ],
    }


def _columns(results: Results) -> list[str]:
    """The five that a window of 1280 pixels has room for: the gain with its interval, the mean, the verdict."""
    gains = [f"{gain_key(results)}{end}" for end in ("", *ENDS)]
    return [*(f"metrics.`{name}`" for name in (*gains, mean_key(results))), "tags.`jetbench.verdict`"]


def _sections(results: Results, cards: Sequence[ArmCard]) -> Iterator[tuple[str, dict[str, int], list[Chart]]]:
    """Name, size and charts of each section, of what the arms have."""
    metrics = {name for card in cards for name in card.metrics}
    bars = [bar_key(results, *place) for place in _places(results, rows(results))]
    bars += [key for key in map(rejection_key, dict.fromkeys(labels for _, labels in results.primaries)) if key in metrics]
    yield (
        f"who is ahead: gain in {label(results.metric)}",
        {"columns": 2, "cardHeight": 360},
        [*map(_bars, bars), _against_budget(mean_key(results))],
    )
    primary = _places(results, [row for row in rows(results) if row.primary])
    ends = [key for place in primary for end in ENDS if (key := bar_key(results, *place, end)) in metrics]
    yield f"between which ends, at {LEVEL_TEXT}", {"columns": 2, "cardHeight": 360}, [*map(_bars, ends)]
    shown = {picture.key for card in cards if card.side_by_side for picture in card.pictures}
    yield "pictures", {"columns": 1, "cardHeight": 420}, [_pictures(key) for key in keys(results) if key in shown]
    differing = {"type": "DIFFERENCE", "runsCountToCompare": MOST_BARS, "compareGroups": ["Metrics", "Parameters"]}
    yield "all numbers", {"columns": 1, "cardHeight": 600}, [differing]


def _places(results: Results, given: Sequence[Row]) -> dict[tuple[int, str], None]:
    """Each budget at which arms are compared and the baseline that they are compared with, those of primary comparisons first."""
    compared = [row for row in given if row.comparison and not row.muted]
    ordered = sorted(compared, key=lambda row: not row.primary)
    return dict.fromkeys((row.labels, results.baselines[row.arm]) for row in ordered)


def _pictures(key: str) -> Chart:
    return {"type": "IMAGE", "runsCountToCompare": MOST_BARS, "imageKeys": [key], "step": 0, "showRunParams": False}


def _bars(metric: str) -> Chart:
    return {"type": "BAR", "runsCountToCompare": MOST_BARS, "metricKey": metric}


def _against_budget(metric: str) -> Chart:
    axes = {"xaxis": {"key": "labels", "type": "METRIC"}, "yaxis": {"key": metric, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": MOST_BARS, **axes}
