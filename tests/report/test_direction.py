"""A metric with a unit that is better when it is smaller: a mass resolution instead of an AUC."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from report.pages import page_of, plot_of
from rich.console import Console

from jetbench.report.export import comparisons_json
from jetbench.report.results import Results
from jetbench.report.sentences import answer, remarks
from jetbench.report.table import print_table
from jetbench.report.truths import truths
from jetbench.report.warnings import warnings
from jetbench.report.words import gain, heading
from jetbench.statistics.comparison import Comparison
from jetbench.statistics.intervals import Interval
from jetbench.tasks.regression import Regression
from jetbench.tasks.task import Metric

Planted = Callable[..., Results]

SCALE = 20.0  # GeV of RMSE for an AUC of zero: what is a small AUC here is a large RMSE
RMSE = Metric(key="rmse", name="RMSE", larger_is_better=False, low=0.0, unit="GeV", digits=2)


class InGeV(Regression):
    headline = RMSE


def mirrored(given: Interval) -> Interval:
    low, high = (None if end is None else SCALE * (1 - end) for end in (given.high, given.low))
    return Interval(mean=SCALE * (1 - given.mean), low=low, high=high, n=given.n)


def turned(found: Comparison) -> Comparison:
    """The same comparison in GeV, with the sign of differences turned."""
    swapped = {
        name: None if (value := getattr(found, other)) is None else -SCALE * value
        for name, other in (("low", "high"), ("high", "low"), ("difference", "difference"))
    }
    errors = {
        name: None if (value := getattr(found, name)) is None else SCALE * value
        for name in ("seed_error", "test_error", "total_error", "margin")
    }
    result: Comparison = found.replace(arm=mirrored(found.arm), baseline=mirrored(found.baseline), **swapped, **errors)
    return result


def in_gev(results: Results) -> Results:
    """Every AUC as an RMSE of 20 GeV times what it leaves to one."""
    cells = {
        cell: {"test/rmse": SCALE * (1 - metrics["test/auc"]), "test/rmse_se": SCALE * metrics["test/auc_se"]}
        for cell, metrics in results.cells.items()
    }
    other = replace(results, cells=cells, trials={})  # whose folders hold AUCs alone
    vars(other)["task"] = InGeV()
    for name in ("comparisons", "clearings"):
        vars(other)[name] = {place: turned(found) for place, found in getattr(results, name).items()}
    return other


@pytest.fixture(scope="module")
def masses(finished: Results) -> Results:
    return in_gev(finished)


def test_the_answer_has_unit_and_direction(finished: Results, masses: Results) -> None:
    text, found = answer(masses), masses.comparisons[masses.primaries[0]]
    assert text.startswith("simclr is better than scratch at 50 labels: test RMSE ")
    assert f"test RMSE {found.arm.mean:.2f} GeV against {found.baseline.mean:.2f} GeV, a difference of −" in text
    assert found.arm.mean < found.baseline.mean
    assert remarks(masses)[0].startswith("simclr against scratch: better at 200 labels (−")


def test_leads_and_floors_follow_the_direction(finished: Results, masses: Results) -> None:
    """Whoever is ahead by AUC is ahead by the RMSE that was made from it."""
    fitted, floor = ([next(r for r in remarks(one) if r.startswith(start)) for one in (finished, masses)] for start in STARTS)
    assert "boosted-trees is ahead of the best of 2 networks by these test jets, simclr, at 50 labels" in fitted[1]
    assert "not ahead" not in fitted[1]
    assert floor[0] == floor[1]


STARTS = ("By mean", "The floor mass-likelihood")


def test_planted_truths_follow_the_direction(planted: Planted) -> None:
    """Without a value of chance, the arm of chance must not be better."""
    good, bad = in_gev(planted()), in_gev(planted(areas={"supervised-pretrained": 0.80, "random-frozen": 0.95}))
    assert {truth.state for truth in truths(good)} == {"holds"}
    assert "class-prior is not better than scratch" in {truth.claim for truth in truths(good)}
    assert {truth.arm: truth.state for truth in truths(bad)} == {
        "supervised-pretrained": "violated",
        "random-frozen": "violated",
        "class-prior": "holds",
    }


def test_headings_say_which_way_is_better(masses: Results) -> None:
    assert heading(RMSE) == "test RMSE [GeV], lower is better"
    text = page_of(masses)
    assert '<th>test RMSE [GeV]<span class="under">lower is better</span></th>' in text
    assert "AUC" not in text
    assert "within 3 % of the RMSE of scratch. Undecided" in " ".join(text.split())
    stream = io.StringIO()
    print_table(masses, Console(file=stream, width=120))
    assert "test RMSE [GeV]" in stream.getvalue()
    assert "lower is better" in stream.getvalue()
    assert json.loads(comparisons_json(masses))["metric"]["larger_is_better"] is False


def test_axes_have_unit_direction_and_the_range_of_the_metric(masses: Results) -> None:
    budget, difference = plot_of(masses, "label_budget"), plot_of(masses, "differences")
    assert budget.axes[0].get_ylabel().startswith("test RMSE [GeV], lower is better,\n")
    assert budget.axes[0].get_ylim()[0] >= 0
    assert any(text.get_text() == "↑ class-prior 10.0" for text in budget.axes[0].texts)
    assert difference.axes[-1].get_xlabel() == "test RMSE [GeV] minus that of scratch, below zero is better"


def test_margins_and_gains(masses: Results) -> None:
    assert any("its margin, 3 % of the RMSE of scratch, is ±0.07 GeV" in text for text in warnings(masses))
    assert (gain(RMSE, -0.5), gain(RMSE.replace(larger_is_better=True), -0.5)) == (0.5, -0.5)
