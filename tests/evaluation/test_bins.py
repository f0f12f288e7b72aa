from __future__ import annotations

import json

import numpy as np
import pytest

from jetbench.evaluation.bins import binned, read_binned
from jetbench.evaluation.spread import measured


def test_each_bin_is_measured_alone() -> None:
    rng = np.random.default_rng(0)
    pt, truth = rng.uniform(500, 600, 400), rng.uniform(50, 200, 400)
    predictions = truth + np.where(pt < 550, 4.0, -6.0) + rng.normal(0, 5, 400)
    found = binned(pt, truth, predictions)
    assert found.jets.tolist() == [40] * 10
    for one in range(10):
        own = (pt >= found.edges[one]) & (pt < found.edges[one + 1] + (one == 9))
        bias, response = measured((predictions - truth)[own]), measured(predictions[own] / truth[own])
        assert (found.median_bias[one], found.median_bias_se[one]) == (bias.median, bias.median_se)
        assert (found.resolution[one], found.resolution_se[one]) == (response.width, response.width_se)
    assert found.median_bias[:4] == pytest.approx(4, abs=4)
    assert found.median_bias[6:] == pytest.approx(-6, abs=4)


def test_edges_do_not_depend_on_the_predictions() -> None:
    truth = np.random.default_rng(1).gamma(4, 25, 200)
    one, other = (binned(truth, truth, factor * truth) for factor in (0.5, 2.0))
    np.testing.assert_array_equal(one.edges, other.edges)
    assert other.resolution == pytest.approx(np.zeros(5))
    assert (one.median_bias < 0).all()


def test_few_jets_are_in_few_bins_and_equal_ones_in_one() -> None:
    for jets, bins in ((30, 1), (100, 2), (1000, 10)):
        assert len(binned(np.arange(jets), np.arange(jets), np.arange(jets)).jets) == bins
    same = binned(np.full(100, 600.0), np.arange(100.0), np.arange(100.0))
    assert same.jets.tolist() == [100]
    assert same.edges.tolist() == [600, 600]


def test_bins_survive_json_with_what_they_do_not_have() -> None:
    """No jet with a truth of zero has a response."""
    truth = np.repeat([0.0, 100.0], 40)
    found = binned(np.arange(80.0), truth, truth + 1)
    assert np.isnan(found.resolution[0])
    again = read_binned(json.loads(json.dumps(found.to_json(), allow_nan=False)))
    for name in ("edges", "jets", "median_bias", "median_bias_se", "resolution", "resolution_se"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
