from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import RunError
from jetbench.tasks.task import Metric


@pytest.mark.parametrize(
    ("metric", "left"),
    [
        (Metric(key="auc", name="AUC", larger_is_better=True, low=0.0, high=1.0), [0.5, 0.1]),
        (Metric(key="rmse", name="RMSE", larger_is_better=False, low=0.0), [0.5, 0.9]),
        (Metric(key="shifted", name="shifted", larger_is_better=False, low=0.4), [0.1, 0.5]),
    ],
)
def test_what_a_metric_leaves_counts_from_its_best_value(metric: Metric, left: list[float]) -> None:
    values = np.array([0.5, 0.9])
    np.testing.assert_allclose(metric.left(values), left)
    np.testing.assert_allclose(metric.leaving(metric.left(values)), values)


def test_nothing_is_left_to_a_best_value_that_there_is_not() -> None:
    with pytest.raises(RunError, match="rejection has no best value"):
        Metric(key="r", name="rejection", larger_is_better=True).left(np.array([50.0]))
