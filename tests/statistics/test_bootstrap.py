from __future__ import annotations

import numpy as np
import pytest

from jetbench.errors import RunError
from jetbench.statistics import bootstrap
from jetbench.statistics.bootstrap import resampled_means


def sample(k: int = 2, n: int = 300) -> np.ndarray:
    return np.random.default_rng(0).exponential(size=(k, n))


def test_a_resampled_mean_has_the_error_of_a_mean() -> None:
    values = sample()
    drawn = resampled_means(values)
    error = values.std(axis=1) / np.sqrt(values.shape[1])
    np.testing.assert_allclose(drawn.std(axis=0), error, rtol=0.1)
    np.testing.assert_allclose(drawn.mean(axis=0), values.mean(axis=1), atol=4 * error.max() / np.sqrt(len(drawn)))


def test_every_resample_has_as_many_jets_and_leaves_out_one_in_e() -> None:
    drawn = resampled_means(np.eye(200), 400) * 200  # how often each jet is drawn
    np.testing.assert_allclose(drawn.sum(axis=1), 200)
    np.testing.assert_allclose(drawn, np.rint(drawn), atol=1e-9)
    assert np.mean(drawn < 0.5) == pytest.approx((1 - 1 / 200) ** 200, abs=0.005)


def test_columns_are_resampled_alike_and_draws_depend_on_the_number_of_jets_alone() -> None:
    values = sample()
    np.testing.assert_allclose(resampled_means(np.stack([values[0], 2 * values[0]])) @ [2, -1], 0, atol=1e-12)
    np.testing.assert_array_equal(resampled_means(values), resampled_means(values.copy()))
    np.testing.assert_allclose(resampled_means(values)[:, :1], resampled_means(values[:1]), rtol=1e-14)
    assert not np.array_equal(resampled_means(values)[:, 0], resampled_means(values[:, :-1])[:, 0])


def test_memory_is_bounded_whatever_the_number_of_jets(monkeypatch: pytest.MonkeyPatch) -> None:
    values, largest = sample(1, 999), []
    counted = np.bincount

    def bincount(draws: np.ndarray, **keywords: int) -> np.ndarray:
        largest.append(draws.size)
        return counted(draws, **keywords)

    monkeypatch.setattr(bootstrap, "DRAWN", 10_000)
    monkeypatch.setattr(np, "bincount", bincount)
    assert resampled_means(values).shape == (1000, 1)
    assert max(largest) <= 10_000
    assert sum(largest) == 999 * 1000


def test_one_jet_cannot_be_resampled() -> None:
    with pytest.raises(RunError, match="1 jets cannot be resampled"):
        resampled_means(np.ones((2, 1)))
