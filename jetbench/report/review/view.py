"""What MLflow's page of a suite opens with: the arms alone, in the order of the table, with charts chosen for the question.

The keys are those of the page's own shared views, as MLflow 3.17 reads them; a version that does not know one ignores it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jetbench.report.results import Results
from jetbench.report.review.cards import gain_key, mean_key
from jetbench.report.review.pictures import KEYS

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
        "runsHiddenMode": "SHOWALL",
        "runsVisibilityMap": {},
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
        "compareRunSections": [{"uuid": name, "name": name, "display": True, "isReordered": True} for name, _ in sections],
        "compareRunCharts": [
            {"uuid": f"{name} {place}", "metricSectionId": name, "deleted": False, "isGenerated": False, **chart}
            for name, charts in sections
            for place, chart in enumerate(charts)
        ],
    }


def _columns(results: Results) -> list[str]:
    gain, mean = gain_key(results), mean_key(results)
    tags = [f"tags.`jetbench.{name}`" for name in ("verdict", "role")]
    metrics = [f"metrics.`{name}`" for name in (gain, f"{gain}_low", f"{gain}_high", mean, f"{mean}_low", f"{mean}_high")]
    return [tags[0], *metrics, tags[1], ORDER]


def _sections(results: Results) -> Iterator[tuple[str, Sequence[Chart]]]:
    gain, mean = gain_key(results), mean_key(results)
    bars = [gain]
    if "rejection" in results.task.sections and len(results.plan.instance.meta.class_names) <= 2:
        bars.append("test/background_rejection_50")
    elif "errors" in results.task.sections:
        bars.append("test/resolution")
    yield "who is ahead", [_bars(name) for name in bars] + [_against_budget(mean)]
    yield "pictures", [{"type": "IMAGE", "runsCountToCompare": MOST_BARS, "imageKeys": [key], "step": 0} for key in KEYS]
    yield "all numbers", [{"type": "DIFFERENCE", "runsCountToCompare": MOST_BARS, "compareGroups": ["Metrics", "Parameters"]}]


def _bars(metric: str) -> Chart:
    return {"type": "BAR", "runsCountToCompare": MOST_BARS, "metricKey": metric}


def _against_budget(metric: str) -> Chart:
    axes = {"xaxis": {"key": "labels", "type": "METRIC"}, "yaxis": {"key": metric, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": MOST_BARS, **axes}
