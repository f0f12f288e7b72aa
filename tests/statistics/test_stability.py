"""The share of settings near the best, against a loop over them."""

from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import RunError
from jetbench.seeds import numpy_rng
from jetbench.statistics.stability import near_best, stable_share


def slow_share(row: list[float], tolerance: float, larger_is_better: bool) -> float:
    known = [value for value in row if value == value]
    best = max(known) if larger_is_better else min(known)
    return sum(value == value and abs(value - best) <= tolerance for value in row) / len(row)


@pytest.mark.parametrize("larger_is_better", [True, False])
def test_it_is_what_a_loop_finds(larger_is_better: bool) -> None:
    values = numpy_rng("test-stability").normal(0.9, 0.02, (50, 12))
    values[::3, 4] = np.nan
    found = stable_share(values, 0.0151, larger_is_better=larger_is_better)
    assert found.tolist() == [slow_share(row, 0.0151, larger_is_better) for row in values.tolist()]


def test_the_best_is_near_itself_and_the_edge_is_near() -> None:
    assert near_best(np.array([0.95, 0.94, 0.9399, np.nan]), 0.01).tolist() == [True, True, False, False]
    assert near_best(np.array([5.0, 5.05, 5.06]), 0.05, larger_is_better=False).tolist() == [True, True, False]
    assert stable_share(np.array([0.7, 0.7]), 0.0) == 1.0


@pytest.mark.parametrize("values", [np.full((2, 3), np.nan), np.empty((0,))])
def test_a_grid_without_a_finished_setting_is_refused(values: np.ndarray) -> None:
    with pytest.raises(RunError, match="has no best"):
        near_best(values, 0.01)
