"""Subjets of planted jets, shares of planted maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from jetbench.data.batch import Batch
from jetbench.errors import RunError
from jetbench.insight.prongs import distances, hardest_subjets, mean_share, shares
from jetbench.jets import Channel, Meta

META = Meta(channels=(Channel(name="pt", unit="GeV", role="pt"),))


def planted(jets: list[list[tuple[float, float, float]]]) -> Batch:
    """Jets of deposits (pt, eta, phi)."""
    rows = torch.tensor([row for jet in jets for row in jet]).reshape(-1, 3)
    counts = torch.tensor([len(jet) for jet in jets])
    owner = torch.repeat_interleave(torch.arange(len(jets)), counts)
    return Batch(META, len(jets), owner, rows[:, 1], rows[:, 2], rows[:, :1], torch.zeros(len(jets)), {})


def test_the_three_hardest_prongs_are_found_in_order() -> None:
    prongs = [(100.0, 0.4, 0.0), (300.0, -0.4, 0.1), (50.0, 0.0, 0.5), (200.0, 0.1, -0.5)]
    near = [(pt / 10, eta + 0.02, phi) for pt, eta, phi in prongs]
    found = hardest_subjets(planted([[*prongs, *near], [], [(80.0, 0.1, 0.1)]]))
    np.testing.assert_allclose(found[0], [(-0.398, 0.1), (0.102, -0.5), (0.402, 0.0)], atol=0.002)
    assert np.isinf(found[1]).all()
    np.testing.assert_allclose(found[2, 0], [0.1, 0.1], atol=1e-6)
    assert np.isinf(found[2, 1:]).all()


def test_points_are_as_far_as_the_nearest_subjet() -> None:
    subjets = np.array([[[0.0, 0.0], [0.5, 0.5], [np.inf, np.inf]]])
    apart = distances(subjets, np.array([[0.3, 0.5, 0.6]]), np.array([[0.4, 0.4, 0.5]]))
    np.testing.assert_allclose(apart, [[np.hypot(0.2, 0.1), 0.1, 0.1]])
    grid = distances(np.concatenate([subjets, subjets + 0.1]), np.zeros((1, 4, 3)), np.full((1, 4, 3), 0.1))
    np.testing.assert_allclose(grid, np.full((2, 4, 3), 0.1))


def test_shares_are_of_the_size_of_a_map() -> None:
    maps = np.array([[[3.0, -1.0], [0.0, -4.0]], [[0.0, 0.0], [0.0, 0.0]]])
    near = np.array([[[True, True], [True, False]]] * 2)
    np.testing.assert_allclose(shares(maps, near), [0.5, np.nan])


def test_a_mean_share_has_the_error_of_the_jets() -> None:
    values = np.random.default_rng(0).uniform(size=400)
    found = mean_share([values])
    assert (found.mean, found.n) == (pytest.approx(values.mean()), 400)
    half = 1.96 * values.std() / 20
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)


def test_seeds_that_differ_widen_the_interval() -> None:
    values = np.random.default_rng(0).uniform(size=400)
    one, several = mean_share([values, values, values]), mean_share([values - 0.1, values, values + 0.1])
    assert several.mean == pytest.approx(one.mean)
    assert several.high - several.low > 2 * (one.high - one.low)


def test_a_jet_without_a_map_is_left_out_for_all_seeds() -> None:
    found = mean_share([np.array([0.1, np.nan, 0.3]), np.array([0.2, 0.9, 0.4])])
    assert (found.n, found.mean) == (2, pytest.approx(0.25))
    with pytest.raises(RunError, match="1 jets"):
        mean_share([np.array([0.1, np.nan])])
