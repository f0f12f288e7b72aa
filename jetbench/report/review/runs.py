"""What MLflow's page of single runs opens with: how well they do on the test jets first, and what they cost last.

MLflow itself puts charts in the order of their names, "cost/…" in front of all.
"""

from __future__ import annotations

from typing import Any

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.review.page import Section, bars, page
from jetbench.tasks.task import Metric
from jetbench.tracking.shared_views import TRAININGS

__all__ = ["MEANS", "finals_view", "trainings_view"]

# of what else the runs are tested for, those that a mean over seeds is meant to be read of
MEANS = ("accuracy", "f1", "log_loss", "ece", "mae", "r2", "median_bias", "resolution", "tails")
FINALS = "tags.`jetbench.kind` = 'final'"
COST = "cost/seconds"


def trainings_view(metric: Metric) -> dict[str, Any]:
    """Return the state of the page that shows all trainings, of which `metric` is the headline: before there is a comparison."""
    return _view(metric, TRAININGS)


def finals_view(metric: Metric) -> dict[str, Any]:
    """Return the state of the page that shows the runs that the comparison is made of, trials that have won among them."""
    return _view(metric, FINALS)


def _view(metric: Metric, shown: str) -> dict[str, Any]:
    headline = f"test/{metric.key}"
    tested = [headline, *(f"test/background_rejection_{percent}" for percent in EFFICIENCIES), *(f"test/{key}" for key in MEANS)]
    sections = [
        Section("test", [*map(bars, tested)], columns=2, height=360),  # of which there is no metric there is no chart
        *(Section(name, [], columns=3, height=300, by_name=True) for name in ("val", "train", "cost")),
    ]
    columns = [f"metrics.`{name}`" for name in (headline, f"val/{metric.key}", COST)]
    return page(shown, "tags.`mlflow.runName`", columns, sections)
