"""What MLflow's page of a suite opens with: the arms alone, in the order of the table, with charts chosen for the question.

The keys are those of the page's own shared views, as MLflow 3.17 reads them; a version that does not know one ignores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jetbench.report.results import Results
from jetbench.report.review.cards import bar_key, gain_key, mean_key
from jetbench.report.review.pictures import keys

__all__ = ["MOST_BARS", "view"]

MOST_BARS = 60
FILTER = "tags.`jetbench.kind` = 'arm'"
ORDER = "tags.`jetbench.order`"
Chart = dict[str, Any]


def view(results: Results) -> dict[str, Any]:
    """Return the state of the page."""
    sections = list(_sections(results))
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
    metrics = [f"metrics.`{name}`" for name in (gain_key(results), mean_key(results))]
    return [*metrics, *(f"tags.`jetbench.{name}`" for name in ("difference", "role", "verdict"))]


def _sections(results: Results) -> Iterator[tuple[str, dict[str, int], list[Chart]]]:
    """Name, size and charts of each section."""
    asked = [labels for _, labels in results.primaries]
    bars = [bar_key(results, labels) for labels in dict.fromkeys([*asked, *results.plan.instance.settings.labels])]
    if "rejection" in results.task.sections and len(results.plan.instance.meta.class_names) <= 2:
        bars.append("test/background_rejection_50")
    yield "who is ahead", {"columns": 2, "cardHeight": 360}, [*map(_bars, bars), _against_budget(mean_key(results))]
    yield "pictures", {"columns": 1, "cardHeight": 420}, [_pictures(key) for key in keys(results)]
    differing = {"type": "DIFFERENCE", "runsCountToCompare": MOST_BARS, "compareGroups": ["Metrics", "Parameters"]}
    yield "all numbers", {"columns": 1, "cardHeight": 600}, [differing]


def _pictures(key: str) -> Chart:
    return {"type": "IMAGE", "runsCountToCompare": MOST_BARS, "imageKeys": [key], "step": 0, "showRunParams": False}


def _bars(metric: str) -> Chart:
    return {"type": "BAR", "runsCountToCompare": MOST_BARS, "metricKey": metric}


def _against_budget(metric: str) -> Chart:
    axes = {"xaxis": {"key": "labels", "type": "METRIC"}, "yaxis": {"key": metric, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": MOST_BARS, **axes}
