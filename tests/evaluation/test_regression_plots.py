from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from jetbench.evaluation.bins import binned
from jetbench.evaluation.regression_files import write_regression
from jetbench.evaluation.regression_plots import (
    bins_plot,
    histogram_plot,
    prediction_counts,
    prediction_plot,
    residual_histogram,
    response_histogram,
)

TRUTH = np.array([0.0, 100.0, 200.0])


def test_the_plot_has_the_range_of_the_truth_and_loses_no_jet() -> None:
    edges, counts = prediction_counts(TRUTH, np.array([-50.0, 120.0, 900.0]), bins=4)
    assert edges.tolist() == [0, 50, 100, 150, 200]
    assert counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    axes = prediction_plot(edges, counts, "mass").axes[0]
    assert axes.get_xlim() == axes.get_ylim() == (0, 200)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("true mass  [GeV]", "predicted mass  [GeV]")
    assert axes.collections[0].get_array().max() == 1


def test_histograms_have_the_range_of_the_truth_and_count_what_is_beyond() -> None:
    """The spread of the truth is 81.6 GeV; a truth of zero has no response."""
    residuals, response = (kind(TRUTH, np.array([10.0, 90.0, 900.0])) for kind in (residual_histogram, response_histogram))
    assert residuals.edges[[0, -1]] == pytest.approx([-TRUTH.std(), TRUTH.std()])
    assert (residuals.counts.sum(), residuals.jets, residuals.shares.sum()) == (2, 3, pytest.approx(200 / 3))
    assert (response.counts.sum(), response.jets, response.edges[-1]) == (1, 2, 2.5)
    assert residual_histogram(np.full(3, 5.0), TRUTH).edges[[0, -1]].tolist() == [-1, 1]
    axes = histogram_plot(response, 1.0).axes[0]
    assert axes.get_xlim() == (0, 2.5)
    assert axes.get_xlabel() == "prediction / truth"


def test_bins_are_drawn_against_every_quantity() -> None:
    truth = np.random.default_rng(0).gamma(4, 25, 100)
    found = binned(truth, truth, 1.1 * truth)
    wide = binned(truth, truth, truth * np.random.default_rng(1).uniform(0, 9, 100))
    panels = bins_plot({"true mass  [GeV]": found, "pT  [GeV]": wide}).axes
    assert [axes.get_xlabel() for axes in panels] == ["", "", "true mass  [GeV]", "pT  [GeV]"]
    assert panels[0].get_ylabel() == "median residual  [GeV]"
    assert panels[3].get_ylim() == (0, 1)


def test_every_file_has_its_picture(tmp_path: Path) -> None:
    truth = np.random.default_rng(0).gamma(4, 25, 80)
    _, files = write_regression(tmp_path, truth, truth + 1, np.arange(80), "gen_mass", truth + 500)
    names = ("prediction", "residuals", "response", "bins")
    assert [path.name for path in files] == ["scores.h5", *(f"{name}.{end}" for name in names for end in ("json", "png"))]
    content = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in names}
    assert {content[name]["target"] for name in names[:3]} == {"gen_mass"}
    assert (sum(content["residuals"]["counts"]), content["residuals"]["jets"]) == (80, 80)
    assert {by: bins["jets"] for by, bins in content["bins"].items()} == {"target": [40, 40], "pt": [40, 40]}
    write_regression(tmp_path / "none", truth, truth, np.arange(80), "gen_mass")
    assert set(json.loads((tmp_path / "none" / "bins.json").read_text())) == {"target"}


def test_the_same_truth_for_all_jets_can_be_drawn(tmp_path: Path) -> None:
    write_regression(tmp_path, np.full(5, 80.0), np.arange(5.0), np.arange(5), "mass")
    assert (tmp_path / "prediction.png").stat().st_size > 1000
