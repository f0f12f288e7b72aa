from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import RunError
from jetbench.statistics.trend import relative_change


def test_a_straight_line_changes_by_its_fall_and_has_no_error() -> None:
    change, error = relative_change([1.2, 1.1, 1.0, 0.9, 0.8])
    assert change == pytest.approx(-0.4)
    assert error == pytest.approx(0.0, abs=1e-12)


def test_change_and_error_are_those_of_a_linear_regression() -> None:
    rng = np.random.default_rng(0)
    y, x = 0.5 - 0.03 * np.arange(12) + rng.normal(0, 0.05, 12), np.arange(12.0)
    design = np.stack([np.ones(12), x], axis=1)
    found, residual = np.linalg.lstsq(design, y, rcond=None)[:2]
    covariance = np.linalg.inv(design.T @ design) * residual[0] / 10
    change, error = relative_change(y)
    assert change == pytest.approx(11 * found[1] / y.mean())
    assert error == pytest.approx(11 * np.sqrt(covariance[1, 1]) / y.mean())


def test_the_error_is_what_the_change_of_pure_noise_scatters_by() -> None:
    rng = np.random.default_rng(1)
    found = np.array([relative_change(1 + rng.normal(0, 0.1, 10)) for _ in range(2000)])
    assert found[:, 0].mean() == pytest.approx(0, abs=0.01)
    assert found[:, 0].std() == pytest.approx(np.sqrt(np.square(found[:, 1]).mean()), rel=0.1)


@pytest.mark.parametrize("levels", [[1.0] * 4, [1.0, 2.0, 3.0, 4.0, np.nan], [0.0] * 5, [[1.0] * 5]])
def test_what_has_no_trend_is_refused(levels: list[float]) -> None:
    with pytest.raises(RunError, match="a trend needs 5 finite levels"):
        relative_change(levels)
