from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from jetbench.errors import RunError
from jetbench.evaluation.artifacts import read_scores
from jetbench.evaluation.regression import (
    evaluate_regression,
    mean_rmse_covariance,
    paired_rmse,
    rmse,
    rmse_error,
)
from jetbench.evaluation.regression_files import write_regression
from jetbench.seeds import numpy_rng

EQUAL = np.full(3, 1 / 3)


def masses(jets: int = 400, rows: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Truth (jets,) and predictions (rows, jets) in GeV; a part of the error is common to all rows."""
    rng = numpy_rng("test-regression")
    truth = rng.gamma(4, 25, jets)
    return truth, truth + 6 * (rng.normal(size=jets) + 0.5 * rng.standard_t(5, size=(rows, jets)))


def delta_variance(truth: np.ndarray, arm: np.ndarray, baseline: np.ndarray) -> float:
    """The variance of a difference of RMSEs by the delta method: that of the mean of e²/(2 RMSE), arm minus baseline."""
    parts = [np.square(side - truth) / (2 * np.sqrt(np.square(side - truth).mean())) for side in (arm, baseline)]
    return float((parts[0] - parts[1]).var(ddof=1) / len(truth))


def test_the_metrics_by_hand() -> None:
    truth, predictions = np.array([10.0, 20.0, 30.0, 40.0]), np.array([13.0, 16.0, 30.0, 41.0])
    found = evaluate_regression(truth, predictions)
    assert found["rmse"] == pytest.approx(np.sqrt((9 + 16 + 0 + 1) / 4))
    assert (found["mae"], found["bias"]) == (2.0, 0.0)
    assert found["mae_se"] == pytest.approx(stats.sem([3, 4, 0, 1]))
    assert found["bias_se"] == pytest.approx(stats.sem([3, -4, 0, 1]))
    assert found["mse"] == 6.5
    assert found["mse_se"] == pytest.approx(stats.sem([9, 16, 0, 1]))
    assert found["median_bias"] == 0.5
    assert found["residual_width"] == pytest.approx(np.diff(np.quantile([-4, 0, 1, 3], [0.16, 0.84]))[0] / 2)
    assert found["resolution"] == pytest.approx(np.diff(np.quantile([1.3, 0.8, 1, 1.025], [0.16, 0.84]))[0] / 2)
    assert found["tails"] == 0
    assert found["r2"] == pytest.approx(1 - 26 / 500)
    assert "r2" not in evaluate_regression(np.full(4, 20.0), predictions)


def test_the_width_of_normal_residuals_is_theirs() -> None:
    truth = np.linspace(0, 250, 20_000)
    found = evaluate_regression(truth, truth + 3 + 7 * np.random.default_rng(0).normal(size=20_000))
    assert found["residual_width"] == pytest.approx(7, abs=4 * found["residual_width_se"])
    assert found["tails"] == pytest.approx(2 * stats.norm.sf(3), abs=4 * found["tails_se"])
    assert found["median_bias"] == pytest.approx(3, abs=4 * found["median_bias_se"])
    assert found["bias"] == pytest.approx(3, abs=4 * found["bias_se"])
    assert found["rmse"] == pytest.approx(np.hypot(3, 7), abs=4 * found["rmse_se"])


def test_the_errors_agree_with_the_delta_method() -> None:
    truth, arm = masses(2000)
    baseline = arm + numpy_rng("test-regression", 1).normal(0, 2, arm.shape)
    values, baselines, variances, of_mean = paired_rmse(truth, arm, baseline, EQUAL)
    np.testing.assert_allclose(values, [np.sqrt(np.mean((row - truth) ** 2)) for row in arm])
    np.testing.assert_array_equal(baselines, rmse(truth, baseline))
    expected = [delta_variance(truth, *rows) for rows in zip(arm, baseline, strict=True)]
    np.testing.assert_allclose(variances, expected, rtol=0.2)  # a bootstrap of 1000 knows a variance to 4.5 %
    influence = np.square(arm - truth) / (2 * values[:, None]) - np.square(baseline - truth) / (2 * baselines[:, None])
    assert of_mean == pytest.approx(influence.mean(axis=0).var(ddof=1) / 2000, rel=0.2)
    alone = (np.square(arm[0] - truth) / (2 * values[0])).std(ddof=1) / np.sqrt(2000)
    assert rmse_error(truth, arm[0]) == pytest.approx(alone, rel=0.1)
    np.testing.assert_allclose(rmse_error(truth, arm)[0], rmse_error(truth, arm[0]))


def test_the_bootstrap_agrees_with_a_slow_one() -> None:
    truth, rows = masses(60)
    arm, baseline = rows[:1], rows[1:2]
    rng, drawn = np.random.default_rng(1), []
    for _ in range(4000):
        jets = rng.integers(0, 60, 60)
        drawn.append(float((rmse(truth[jets], arm[:, jets]) - rmse(truth[jets], baseline[:, jets]))[0]))
    assert paired_rmse(truth, arm, baseline, [1.0])[2][0] == pytest.approx(np.var(drawn, ddof=1), rel=0.15)


def test_the_error_of_r2_agrees_with_a_slow_bootstrap() -> None:
    truth, rows = masses(60)
    rng, drawn = np.random.default_rng(1), []
    for _ in range(2000):
        jets = rng.integers(0, 60, 60)
        drawn.append(1 - np.square(rows[0, jets] - truth[jets]).mean() / truth[jets].var())
    assert evaluate_regression(truth, rows[0])["r2_se"] == pytest.approx(np.std(drawn), rel=0.15)


def test_only_a_positive_truth_has_a_resolution() -> None:
    found = evaluate_regression(np.array([0.0, -1, 0, -2]), np.arange(4.0))
    assert "resolution" not in found
    assert all(f"{name}_se" in found for name in found if not name.endswith("_se"))


@pytest.mark.parametrize("jets", [100, 400])
def test_intervals_of_a_paired_difference_cover_it(jets: int) -> None:
    """The arm's errors are normal and partly the baseline's, with RMSEs of 6 and 6.5 GeV; 95 % intervals cover 0.5."""
    rng, covered, replays = numpy_rng("test-coverage", jets), 0, 300
    for _ in range(replays):
        shared = rng.normal(0, 5, jets)
        arm, baseline = (shared + rng.normal(0, np.sqrt(width**2 - 25), jets) for width in (6.0, 6.5))
        mine, other, variance, of_mean = paired_rmse(np.zeros(jets), arm[None], baseline[None], [1.0])
        assert of_mean == pytest.approx(variance[0])
        covered += abs(mine[0] - other[0] + 0.5) < stats.norm.ppf(0.975) * np.sqrt(of_mean)
    low, high = stats.binom.ppf([1e-4, 1 - 1e-4], replays, 0.95)
    assert low - 0.01 * replays <= covered <= high  # a hundred jets know their own variance to no better


def test_what_the_arms_share_is_in_neither_error() -> None:
    truth, arm = masses()
    _, _, variances, of_mean = paired_rmse(truth, arm, arm, EQUAL)
    assert (variances.tolist(), of_mean) == ([0, 0, 0], 0)
    mirrored = paired_rmse(truth, arm, 2 * truth - arm, EQUAL)  # the same errors with the other sign
    np.testing.assert_allclose(mirrored[2], 0, atol=1e-20)


def test_weights_pick_the_rows_of_the_mean() -> None:
    truth, rows = masses(rows=4)
    _, _, variances, of_mean = paired_rmse(truth, rows[:2], rows[2:], [0.0, 1.0])
    assert of_mean == pytest.approx(variances[1])


def test_covariance_of_means_is_that_of_the_paired_difference() -> None:
    truth, rows = masses(rows=4)
    covariance = mean_rmse_covariance(truth, rows, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    of_mean = paired_rmse(truth, rows[:2], rows[2:], [0.5, 0.5])[3]
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(of_mean)
    single = mean_rmse_covariance(truth, rows[:1], [[1.0]])
    assert single.shape == (1, 1)
    assert np.sqrt(single[0, 0]) == pytest.approx(rmse_error(truth, rows[0]))


@pytest.mark.parametrize(
    ("truth", "predictions", "message"),
    [
        ([1.0, 2.0], [1.0, np.nan], "1 of 2 predictions are not finite: the training has diverged"),
        ([1.0, np.inf], [1.0, 2.0], "1 of 2 jets have no finite target"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "one per jet"),
        ([], [], "no jets"),
        ([1.0], [1.0], "two of them"),
    ],
)
def test_what_cannot_be_evaluated_writes_nothing(
    truth: list[float], predictions: list[float], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=message):
        write_regression(tmp_path / "run", truth, predictions, np.arange(len(truth)), "mass")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("baseline", "weights"),
    [
        pytest.param(slice(0, 2), EQUAL, id="rows"),
        pytest.param(slice(0, 3), EQUAL[:2], id="weights"),
        pytest.param(slice(0, 3), np.ones(3), id="sum"),
    ],
)
def test_rows_that_are_not_paired_are_refused(baseline: slice, weights: np.ndarray) -> None:
    truth, rows = masses()
    with pytest.raises(RunError, match="paired rows are needed"):
        paired_rmse(truth, rows, rows[baseline], weights)


def test_files_give_back_every_number(tmp_path: Path) -> None:
    truth, rows = masses()
    indices = np.arange(400)[::-1] * 7
    metrics, _ = write_regression(tmp_path / "a", truth, rows[0], indices, "gen_sdmass")
    again = read_scores(tmp_path / "a" / "scores.h5")
    for column, given in zip(again, (indices, truth, rows[0]), strict=True):
        np.testing.assert_array_equal(column, given)
    assert metrics == {f"test/{name}": value for name, value in evaluate_regression(*again[1:]).items()}
    shown = json.loads((tmp_path / "a" / "prediction.json").read_text())
    assert (shown["target"], np.sum(shown["counts"])) == ("gen_sdmass", 400)
    write_regression(tmp_path / "b", truth, rows[0], indices, "gen_sdmass")
    for name in ("scores.h5", "prediction.json", "prediction.png", "residuals.png", "response.png", "bins.json", "bins.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
