"""The state of a page of MLflow that a shared view opens with.

The keys are those of the page's own shared views, as MLflow 3.17 reads them; a version that does not know one ignores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["MOST_BARS", "Chart", "Section", "bars", "page"]

MOST_BARS = 60
Chart = dict[str, Any]


class Section(NamedTuple):
    """Charts under one name, `columns` beside each other. A section that is called as metrics begin ("test" of "test/auc") gets
    charts of all others that begin so from MLflow: behind its own, as they come, or `by_name` among them."""

    name: str
    charts: Sequence[Chart]
    columns: int
    height: int  # pixels
    by_name: bool = False


def page(shown: str, order: str, columns: Sequence[str], sections: Sequence[Section]) -> dict[str, Any]:
    """Return the state that lists the runs that the filter `shown` finds, rising in `order`, beside charts of them. The `columns`
    stand as they are given."""
    return {
        "searchFilter": shown,
        "orderByKey": order,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": columns,  # else by name, an upper end before a lower one
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
        "compareRunSections": [_section(one) for one in sections],
        "compareRunCharts": [
            {"uuid": f"{one.name} {place}", "metricSectionId": one.name, "deleted": False, "isGenerated": False, **chart}
            for one in sections
            for place, chart in enumerate(one.charts)
        ],
    }


def _section(one: Section) -> dict[str, Any]:
    size = {"columns": one.columns, "cardHeight": one.height}
    return {"uuid": one.name, "name": one.name, "display": True, "isReordered": not one.by_name, **size}


def bars(metric: str) -> Chart:
    """Return a chart with a bar for each run."""
    return {"type": "BAR", "runsCountToCompare": MOST_BARS, "metricKey": metric}
