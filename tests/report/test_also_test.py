"""The second test set on the page, in the terminal and in the files: its numbers come from its own scores."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from report.conftest import SMALL, Fake, fake_instance, fake_store
from report.pages import Checked, page_of
from rich.console import Console
from scipy import stats

from jetbench.formats.shipped_cards import shipped_card
from jetbench.report.also_test import also_comparison, also_rows, also_sentences
from jetbench.report.collect import collect
from jetbench.report.export import comparisons_json, to_csv
from jetbench.report.results import Results
from jetbench.report.sections import contents_of
from jetbench.report.table import print_table
from jetbench.statistics.delong import auc, delong
from jetbench.suites.plan import CellKey

OTHER = "also_test={name: top-vs-qcd, jets: 300, options: {detector: cms}}"


@pytest.fixture(scope="module")
def also(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Five seeds that lose 0.05 of their AUC on 300 jets of another detector."""
    root = tmp_path_factory.mktemp("also") / "store"
    return collect(*fake_store(root, fake_instance(*SMALL, OTHER), Fake(lost=0.05)))


def areas(results: Results, arm: str, labels: int) -> list[float]:
    return [auc(truth, scores) for _, truth, scores in (results.also_scores("", CellKey(arm, labels, seed)) for seed in range(5))]


def test_a_row_has_means_with_both_errors_of_each_sample(also: Results) -> None:
    row = next(row for row in also_rows(also) if (row.arm, row.labels) == ("simclr", 200))
    found = areas(also, "simclr", 200)
    runs = [also.also_scores("", CellKey("simclr", 200, seed)) for seed in range(5)]
    _, covariance = delong(runs[0][1], np.stack([scores for _, _, scores in runs]))
    seed, test = stats.sem(found) * np.sqrt(1 + 5 * 200 / 600), np.sqrt(covariance.mean())  # 200 labels of a pool of 800
    total = np.hypot(seed, test)
    low, high = stats.t.interval(0.95, 4 * (total / seed) ** 4, np.mean(found), total)
    there = row.there[""]
    assert there is not None
    assert (there.mean, there.low, there.high, row.seeds) == pytest.approx((np.mean(found), low, high, 5))
    assert (there.seed_error, there.test_error) == pytest.approx((seed, test))
    assert row.own is not None
    assert row.own == also.mean("simclr", 200)
    assert row.own.mean - there.mean == pytest.approx(0.05, abs=0.03)
    assert len(also_rows(also)) == len(also.plan.cells) / 5


def test_the_primary_comparison_is_paired_on_the_second_set(also: Results) -> None:
    found = also_comparison(also, "simclr", 50)
    assert found is not None
    assert found.difference == pytest.approx(np.mean(areas(also, "simclr", 50)) - np.mean(areas(also, "scratch", 50)))
    own = also.comparisons["simclr", 50]
    assert found.test_error > own.test_error > 0  # of 300 jets instead of 400
    assert found.seeds == 5


def test_fresh_seeds_alone_are_compared_on_the_second_set_too(tmp_path: Path) -> None:
    plan, store = fake_store(tmp_path / "store", fake_instance(*SMALL, OTHER, "seeds=7", "fresh_from=4"), Fake(lost=0.05))
    results = collect(plan, store)
    found, own = also_comparison(results, "simclr", 50), results.comparisons["simclr", 50]
    assert found is not None
    assert (found.seeds, own.seeds) == (3, 3)
    several = [
        [auc(*results.also_scores("", CellKey(arm, 50, seed))[1:]) for seed in range(4, 7)] for arm in ("simclr", "scratch")
    ]
    assert found.difference == pytest.approx(np.mean(several[0]) - np.mean(several[1]))
    assert found.pooled is not None
    assert found.pooled.n == 7
    assert ", over 3 fresh seeds; on the own test jets" in also_sentences(results)[0]


def test_page_terminal_and_files_show_it(also: Results) -> None:
    text = " ".join(Checked(page_of(also)).text.split())
    stream = io.StringIO()
    print_table(also, Console(file=stream, width=100))
    printed = " ".join(stream.getvalue().split())
    found = also_comparison(also, "simclr", 50)
    assert found is not None
    for shown in (text, printed):
        assert "top-vs-qcd (300 jets)" in shown
        assert (
            f"simclr minus scratch at 50 labels, AUC on top-vs-qcd (300 jets): {found.difference:+.4f} (95 % interval [" in shown
        )
        assert "This is secondary: the verdict rests on the own test jets alone." in shown
        for row in also_rows(also):
            there = row.there[""]
            assert there is not None
            assert f"{there.mean:.4f}" in shown
            assert f"±{there.seed_error:.4f} ±{there.test_error:.4f}" in shown
    assert "second test settop-vs-qcd, 300 jets, digest" in text  # a term and its description
    assert "blind" not in text
    (written,) = json.loads(comparisons_json(also))["also_test"]
    assert written["primary"][0]["result"]["difference"] == found.difference
    assert written["dataset"]["name"] == "top-vs-qcd"
    assert ",also/auc," in to_csv(also)


def test_a_simulation_after_the_second_set_is_no_blind_test(tmp_path: Path) -> None:
    instance = fake_instance(*SMALL, "seeds=1", OTHER, "view.image.channels=pt")
    plan, store = fake_store(
        tmp_path / "store",
        instance.replace(also={"": instance.also[""].replace(meta=shipped_card("top-tagging").meta())}),
        Fake(),
    )
    said = "The default detector of top-vs-qcd was chosen on jets of the Top Quark Tagging Reference Dataset, zenodo 2603256"
    assert also_sentences(collect(plan, store))[-1] == f"{said}: with it, this test is not blind."


def test_without_a_second_set_nothing_is_said(finished: Results) -> None:
    assert (also_rows(finished), also_comparison(finished, "simclr", 50), also_sentences(finished)) == ([], None, [])
    assert "also-test" not in [content.anchor for content in contents_of(finished)]
    assert json.loads(comparisons_json(finished))["also_test"] == []


def test_a_second_set_before_the_first_run_has_no_numbers(tmp_path: Path) -> None:
    plan, store = fake_store(tmp_path / "store", fake_instance(*SMALL, OTHER), Fake(missing=lambda cell: True))
    results = collect(plan, store)
    assert also_comparison(results, "simclr", 50) is None
    assert {(row.own, row.there[""]) for row in also_rows(results)} == {(None, None)}
    assert "On other jets" in page_of(results)
