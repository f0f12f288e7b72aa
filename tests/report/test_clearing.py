"""Whether an arm clears a floor: a test of the paired difference, not a comparison of means."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from report.pages import Checked, page_of

from jetbench.report.export import comparisons_json
from jetbench.report.floors import floor_warnings
from jetbench.report.results import Results
from jetbench.report.rows import notes
from jetbench.report.sections.floors import render
from jetbench.report.sentences import remarks
from jetbench.report.warnings import warnings
from jetbench.report.words import brief_difference
from jetbench.statistics.comparison import Comparison, Verdict, compare
from jetbench.statistics.multiplicity import adjust
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role

Planted = Callable[..., Results]
WON_AND_LOST = {Verdict.BETTER, Verdict.WORSE}


def wins(results: Results, arm: str, seed: int) -> np.ndarray:
    """All signal-background pairs at 50 labels, one by one: (n1, n0) of 1, ½ or 0."""
    _, truth, scores = results.scores(CellKey(arm, 50, seed))
    signal, background = scores[truth == 1][:, None], scores[truth == 0][None]
    return (signal > background) + 0.5 * (signal == background)


def test_arm_and_floor_are_paired_seed_by_seed_on_the_same_jets(finished: Results) -> None:
    gaps = np.stack([wins(finished, "simclr", s) - wins(finished, "mass-likelihood", s) for s in range(5)])
    each, mean = gaps.mean(axis=(1, 2)), gaps.mean(axis=0)
    test = mean.mean(axis=1).var(ddof=1) / mean.shape[0] + mean.mean(axis=0).var(ddof=1) / mean.shape[1]
    found = finished.clearings["simclr", "mass-likelihood", 50]
    assert found.difference == pytest.approx(each.mean())
    widened = np.sqrt(1 + 5 * (50 / 800) / (1 - 50 / 800))  # two seeds share 50 of 800 labels
    assert found.seed_error == pytest.approx(each.std(ddof=1) / np.sqrt(5) * widened)
    assert found.test_error == pytest.approx(np.sqrt(test))


def test_every_arm_that_is_compared_meets_every_floor_of_its_budget(finished: Results) -> None:
    arms = ("scratch", "simclr", "boosted-trees")
    smallest = {(arm, floor, 50) for arm in arms for floor in ("mass-likelihood", "mass-distance", "class-prior")}
    assert set(finished.clearings) == smallest | {(arm, "mass-likelihood", 200) for arm in arms}


def slow_holm(p: dict[int, float]) -> dict[int, float]:
    """Of m sorted p values the j-th counts m − j times, and no adjusted one is below the one before."""
    ordered = sorted(p, key=lambda key: p[key])
    return {key: min(1.0, max((len(p) - j) * p[ordered[j]] for j in range(ordered.index(key) + 1))) for key in p}


def test_each_claim_is_corrected_for_the_number_of_all() -> None:
    rng = np.random.default_rng(1)
    found = {k: compare(0.9 + 0.001 * k + 0.003 * rng.normal(size=5), np.full(5, 0.9), 1e-6, 0.001) for k in range(9)}
    adjusted = adjust(found, ())
    for name in ("difference", "equivalence"):
        plain = {key: getattr(one, f"p_{name}") for key, one in found.items()}
        assert {key: getattr(one, f"adjusted_p_{name}") for key, one in adjusted.items()} == pytest.approx(slow_holm(plain))
    alone, together = ([one.verdict for one in some.values()].count(Verdict.BETTER) for some in (found, adjusted))
    assert alone > together > 0


def test_a_comparison_of_one_seed_takes_no_part() -> None:
    one = compare([0.95], [0.9], 1e-6, 0.003)
    many = compare(0.9 + 0.01 * np.arange(1, 6), np.full(5, 0.9), 1e-6, 0.003)
    adjusted = adjust({"one": one, "many": many}, ())
    assert adjusted["one"] == one
    assert adjusted["many"].adjusted_p_difference == many.p_difference


def row_of(results: Results, arm: str) -> str:
    """What the table of floors says of an arm at its first budget."""
    content = render(results)
    assert content is not None
    text = " ".join(Checked(str(content.body).replace("</td>", " </td>")).text.split())
    return text[text.index(f" {arm} ") :].partition(" 200 labels")[0]


def test_a_larger_mean_alone_clears_nothing(planted: Planted) -> None:
    results = planted(areas={"simclr": 0.905})
    found = results.clearings["simclr", "mass-likelihood", 200]
    assert found.difference > 0
    assert found.verdict is Verdict.UNDECIDED
    at = results.clearings["simclr", "mass-likelihood", 50]
    assert row_of(results, "simclr").startswith(f" simclr {brief_difference(results.metric, at)}not shown to clear it")
    assert "is not shown to be cleared by simclr at 50 and 200 labels" in "\n".join(remarks(results))


def test_an_arm_below_a_floor_is_told(finished: Results) -> None:
    found = finished.clearings["scratch", "mass-likelihood", 50]
    assert found.verdict is Verdict.WORSE
    assert row_of(finished, "scratch").startswith(f" scratch {brief_difference(finished.metric, found)}below it ")
    assert "not shown" not in row_of(finished, "simclr").partition("boosted-trees")[0]
    (remark,) = [remark for remark in remarks(finished) if "floor mass-likelihood" in remark]
    assert "; has below it scratch at 50 and 200 labels (" in remark
    assert remark.endswith(" (paired tests, corrected for their number by Holm).")
    assert finished.comparisons["mass-likelihood", 50].verdict is Verdict.BETTER


def test_one_warning_counts_what_the_table_tells_of(finished: Results, planted: Planted) -> None:
    (line,) = floor_warnings(finished)
    assert line.startswith("Not every arm that is compared clears mass-likelihood (below it 2 of 6), arms at each budget: ")
    assert line in warnings(finished)
    assert not any("mass-likelihood (" in note for note in notes(finished))
    assert "<h2>Against the floors</h2>" in page_of(finished)
    assert floor_warnings(planted(areas={"scratch": 0.95, "simclr": 0.97, "boosted-trees": 0.97})) == []


def test_an_interval_wholly_below_a_floor_says_no_more_than_the_table(planted: Planted) -> None:
    """What too few seeds leave undecided is undecided in the table, in the warning and in the remark."""
    results = planted("seeds=4")
    found = results.clearings["scratch", "mass-likelihood", 50]
    assert found.high is not None
    assert found.high < 0
    assert results.comparisons["mass-likelihood", 50].verdict is found.verdict is Verdict.UNDECIDED
    assert "below it" not in "".join((row_of(results, "scratch"), *warnings(results), *remarks(results)))


def test_the_row_of_a_floor_is_the_test_that_its_remark_tells_of(finished: Results) -> None:
    """In one family: the row is the clearing of the baseline, read from the other side, with the margin of the baseline."""
    families = set()
    for (floor, labels), row in finished.comparisons.items():
        if finished.plan.roles[floor] is not Role.FLOOR:
            assert row.family in (1, len(finished.comparisons) - 1 - 4)
            continue
        clearing = finished.clearings["scratch", floor, labels]
        families.add(row.family)
        assert row.adjusted_p_difference == clearing.adjusted_p_difference
        assert (row.difference, row.low, row.high) == (-clearing.difference, -(clearing.high or 0), -(clearing.low or 0))
        assert row.margin == pytest.approx(0.03 * (1 - row.baseline.mean))
        assert {row.verdict, clearing.verdict} in (WON_AND_LOST, {Verdict.UNDECIDED}, {Verdict.EQUIVALENT})
    assert families == {len(finished.clearings)}


def test_few_seeds_clear_nothing(planted: Planted) -> None:
    results = planted("seeds=2")
    assert row_of(results, "simclr").count("not shown to clear it") >= 2
    assert "after correction" not in row_of(results, "simclr")


def test_the_file_of_comparisons_has_them(finished: Results) -> None:
    written = json.loads(comparisons_json(finished))["floors"]
    assert len(written) == len(finished.clearings)
    one = next(it for it in written if (it["arm"], it["floor"], it["labels"]) == ("scratch", "mass-likelihood", 200))
    assert Comparison.model_validate(one["result"]) == finished.clearings["scratch", "mass-likelihood", 200]
