"""All seeds at one learning rate: the means of trials, the primary comparison at equal rates, and a verdict that turns."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from report.pages import Checked, page_of
from rich.console import Console

from jetbench.evaluation.artifacts import read_scores
from jetbench.report.rates import at_equal_rates, rate_mean, rates, turned
from jetbench.report.results import Results
from jetbench.report.table import print_table
from jetbench.report.warnings import warnings
from jetbench.report.words import brief_difference, mean_limits, number
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.delong import auc
from jetbench.suites.plan import CellKey

Planted = Callable[..., Results]
FOUND = {"areas": {"simclr": 0.87}, "at_rate": {("simclr", 0.003): 0.95}}


@pytest.fixture
def hangs(planted: Planted) -> Results:
    """An arm that is no better than its baseline but at the highest of three rates, which no seed has chosen."""
    return planted(**FOUND)


def test_the_mean_at_a_rate_is_that_of_the_trials_with_it(hangs: Results) -> None:
    found = rates(hangs, "simclr", 50)
    assert list(found) == ["0.0003", "0.001", "0.003"]
    for rate, trials in found.items():
        assert list(trials) == [0, 1, 2, 3, 4]
        assert [hangs.runs[key].spec.recipe.learning_rate for key in trials.values()] == pytest.approx([float(rate)] * 5)
        areas = [
            auc(truth, scores) for _, truth, scores in (read_scores(hangs.ledger.run(key).scores) for key in trials.values())
        ]
        mean = rate_mean(hangs, "simclr", 50, trials)
        assert mean is not None
        assert mean.mean == pytest.approx(np.mean(areas))
        assert mean.seed_error == pytest.approx(np.std(areas, ddof=1) / np.sqrt(5) * np.sqrt(1 + 5 * 50 / 750))
    assert rate_mean(hangs, "simclr", 50, found["0.001"]) == hangs.mean("simclr", 50)  # what every seed has chosen


def test_both_arms_of_the_primary_comparison_are_compared_at_one_rate(hangs: Results) -> None:
    found = at_equal_rates(hangs)
    assert list(found) == ["0.0003", "0.001", "0.003"]
    place = ("simclr", 50)
    assert found["0.001"][place] == hangs.comparisons[place]
    sides = [
        [read_scores(hangs.ledger.run(rates(hangs, arm, 50)["0.003"][seed]).scores) for seed in range(5)]
        for arm in ("simclr", "scratch")
    ]
    stacked = [np.stack([scores for _, _, scores in side]) for side in sides]
    expected = hangs.task.compare(sides[0][0][1], *stacked, None, hangs.shared(50))
    assert found["0.003"][place] == expected


def test_a_verdict_that_turns_is_told_wherever_a_reader_looks(hangs: Results) -> None:
    place = ("simclr", 50)
    at = at_equal_rates(hangs)["0.003"][place]
    assert (hangs.comparisons[place].verdict, at.verdict) == (Verdict.UNDECIDED, Verdict.BETTER)
    sentence = (
        "simclr against scratch at 50 labels: at the rate 0.003 for both, the verdict would be “better” "
        f"({brief_difference(hangs.metric, at)}); with each seed at its tuned rate it is “undecided”."
    )
    assert turned(hangs) == [sentence]
    assert sentence in warnings(hangs)
    text = Checked(page_of(hangs)).text
    assert text.count(sentence) == 2
    mean = rate_mean(hangs, "simclr", 50, rates(hangs, "simclr", 50)["0.003"])
    assert mean is not None
    assert f"{number(hangs.metric, mean.mean)} ±" in text
    assert mean_limits(hangs.metric, mean) in text
    console = Console(file=io.StringIO(), width=80)
    print_table(hangs, console)
    assert f"! {sentence}" in console.file.getvalue()  # type: ignore[attr-defined]


def test_where_none_turns_the_page_says_so(finished: Results) -> None:
    assert turned(finished) == []
    assert "At none of these rates would a primary verdict be another" in Checked(page_of(finished)).text


def test_trials_stay_sealed_until_all_of_an_arm_is_finished(planted: Planted) -> None:
    results = planted("seeds=3", missing=lambda cell: cell == CellKey("scratch", 50, 2))
    assert rates(results, "scratch", 50) == {}
    assert list(rates(results, "simclr", 50)) == ["0.0003", "0.001", "0.003"]
    assert at_equal_rates(results) == {}


@pytest.mark.parametrize("tuning", ["tuning=null", "tuning.per=study", "tuning={factors: [0.3, 3.0], sampler: tpe, trials: 4}"])
def test_without_a_grid_of_rates_for_each_seed_there_is_no_section(planted: Planted, tuning: str) -> None:
    results = planted("seeds=2", tuning)
    assert rates(results, "simclr", 50) == {}
    assert "At equal learning rates" not in page_of(results)


def test_seeds_whose_trial_has_diverged_are_left_out(planted: Planted) -> None:
    results = planted("seeds=3")
    key = rates(results, "scratch", 50)["0.003"][1]
    results.ledger.run(key).done.unlink()
    results.ledger.fail(key, "the loss is nan", "", {"cost/seconds": 1.0})
    assert list(rates(results, "scratch", 50)["0.003"]) == [0, 2]
    assert at_equal_rates(results)["0.003"]["simclr", 50].seeds == 2
    assert "2 of 3 seeds" in Checked(page_of(results)).text
