"""What arms lose on other test sets: planted losses come out, with the error that their jets allow, in table, page and files."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report.conftest import SMALL, Fake, fake_instance, fake_store
from report.pages import Checked, page_of
from rich.console import Console
from scipy import stats

from jetbench.report.collect import collect
from jetbench.report.export import comparisons_json
from jetbench.report.losses import loss_sentences, loss_table
from jetbench.report.results import Results
from jetbench.report.sections import contents_of
from jetbench.report.sentences import answer, remarks
from jetbench.report.table import print_table
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.delong import auc, delong, mean_difference_variance
from jetbench.suites.plan import CellKey

TESTS = (
    "also_test={easy: {name: top-vs-qcd, options: {detector: cms}}, hard: {name: top-vs-qcd, options: {mpi: true}}, "
    "up: {energy_scale: 1.02}, few: {shares: {top: 0.1, qcd: 0.9}}}"
)
JETS = ("dataset.jets=8000", "test_jets=4000", "labels=[50,200]", "tuning=null", "seeds=8")
LOST = {("simclr", "hard"): 0.02, ("scratch", "hard"): 0.12, ("simclr", "easy"): 0.10, ("scratch", "easy"): 0.01}


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Eight seeds of which simclr loses less on hard jets and more on easy ones, and all as much elsewhere."""
    root = tmp_path_factory.mktemp("losses") / "store"
    return collect(*fake_store(root, fake_instance(*SMALL, *JETS, TESTS), Fake(lost_by=LOST)))


def areas(results: Results, arm: str, name: str | None) -> np.ndarray:
    cells = [CellKey(arm, 50, seed) for seed in range(8)]
    read = [results.scores(cell) if name is None else results.also_scores(name, cell) for cell in cells]
    return np.array([auc(truth, scores) for _, truth, scores in read])


def test_losses_of_other_jets_have_the_errors_of_both_samples(lossy: Results) -> None:
    found = loss_table(lossy).losses["simclr", 50, "hard"]
    lost = areas(lossy, "simclr", None) - areas(lossy, "simclr", "hard")
    assert found.mean == pytest.approx(lost.mean())
    assert found.mean == pytest.approx(0.02, abs=0.015)
    read = [
        [one(CellKey("simclr", 50, seed)) for seed in range(8)] for one in (lossy.scores, lambda c: lossy.also_scores("hard", c))
    ]
    variances = [delong(runs[0][1], np.stack([scores for _, _, scores in runs]))[1].mean() for runs in read]
    assert found.test_error == pytest.approx(np.sqrt(sum(variances)))
    assert found.seed_error == pytest.approx(stats.sem(lost) * np.sqrt(1 + 8 * (50 / 4000) / (1 - 50 / 4000)))


def test_losses_of_the_own_jets_are_paired_jet_by_jet(lossy: Results) -> None:
    found = loss_table(lossy).losses["simclr", 50, "up"]
    runs = [
        [one(CellKey("simclr", 50, seed)) for seed in range(8)] for one in (lossy.scores, lambda c: lossy.also_scores("up", c))
    ]
    own, there = (np.stack([scores for _, _, scores in some]) for some in runs)
    assert found.test_error == pytest.approx(np.sqrt(mean_difference_variance(runs[0][0][1], own, there)))


def test_who_loses_less_is_sturdier(lossy: Results) -> None:
    table = loss_table(lossy).differences
    verdicts = {name: table["simclr", 50, name].verdict for name in ("easy", "hard", "up", "few")}
    assert verdicts["hard"] is Verdict.BETTER
    assert verdicts["easy"] is Verdict.WORSE
    assert verdicts["few"] not in (Verdict.BETTER, Verdict.WORSE)
    found = table["simclr", 50, "hard"]
    lost = [areas(lossy, arm, None) - areas(lossy, arm, "hard") for arm in ("simclr", "scratch")]
    assert found.difference == pytest.approx((lost[0] - lost[1]).mean())
    assert not found.larger_is_better
    assert {key[0] for key in table} == set(lossy.baselines)
    assert found.margin == pytest.approx(0.03 * min(1 - areas(lossy, "scratch", name).mean() for name in (None, "hard")))


def test_holm_counts_the_primary_ones_apart(lossy: Results) -> None:
    table = loss_table(lossy).differences
    families = {(key[0], key[1]) in lossy.primaries: found.family for key, found in table.items()}
    assert families == {True: 4, False: len(table) - 4}


def test_page_terminal_and_files_show_it(lossy: Results) -> None:
    table, stream = loss_table(lossy), io.StringIO()
    print_table(lossy, Console(file=stream, width=100))
    page = " ".join(Checked(page_of(lossy)).text.split())
    printed = " ".join(stream.getvalue().split())
    (sentence,) = loss_sentences(lossy)
    assert "against none" not in sentence
    assert sentence.startswith("simclr at 50 labels, loss of AUC minus that of scratch: sturdier against hard (−0.")
    for shown in (page, printed):
        assert sentence in shown
        assert "the own test jets, thinned to 90 % qcd and 10 % top" in shown
        assert "hard: top-vs-qcd, mpi true (4000 jets)" in shown
        for loss in table.losses.values():
            assert f"{loss.mean:+.4f}".replace("-", "−") in shown
    assert sentence in remarks(lossy)
    assert "sturdier" not in answer(lossy)
    written = {one["name"]: one for one in json.loads(comparisons_json(lossy))["also_test"]}
    assert list(written) == ["easy", "hard", "up", "few"]
    first = written["hard"]["differences_of_losses"][0]
    assert (first["arm"], first["labels"], first["baseline"], first["verdict"]) == ("simclr", 50, "scratch", "sturdier")
    assert first["result"]["difference"] == table.differences["simclr", 50, "hard"].difference
    assert len(written["up"]["losses"]) == len(table.losses) / 4
    assert "accuracy" in page.split("Shares of the classes move")[1]


def test_a_suite_that_asks_for_losses_answers_that_first(lossy: Results) -> None:
    """With the smallest difference that the first step of Holm's test would have called one: its half width at α/4."""
    plan, table = lossy.plan, loss_table(lossy).differences
    asked = replace(lossy, plan=replace(plan, instance=plan.instance.replace(asks="losses")))
    first, second = answer(asked).splitlines()[:2]
    found = [table["simclr", 50, name] for name in ("easy", "hard", "up", "few")]
    known = [(one.total_error, one.degrees_of_freedom) for one in found]
    halves = [stats.t.ppf(1 - 0.05 / 8, np.inf if degrees is None else degrees) * error for error, degrees in known]
    sturdy = sum(one.verdict is Verdict.BETTER for one in found)
    assert first.startswith(f"simclr is sturdier than scratch against {sturdy} of 4 other test sets at 50 labels (less sturdy 1")
    assert first.endswith(
        f"; a difference of losses below {min(halves):.4f} to {max(halves):.4f} from test set to test set could not be told."
    )
    assert second == answer(lossy).splitlines()[0]


def test_where_nothing_is_sturdier_it_is_said_first(tmp_path: Path) -> None:
    instance = fake_instance(*SMALL, "tuning=null", "also_test={up: {energy_scale: 1.02}, down: {energy_scale: 0.98}}")
    results = collect(*fake_store(tmp_path / "store", instance, Fake()))
    (sentence,) = loss_sentences(results)
    assert sentence.startswith("simclr at 50 labels, loss of AUC minus that of scratch: sturdier against none of 2; ")
    page = " ".join(Checked(page_of(results)).text.split())
    assert "losing less is gaining more" in page
    assert "td.narrow { white-space: normal;" in page_of(results)
    assert '<td class="narrow">' in page_of(results)
    asked = replace(results, plan=replace(results.plan, instance=results.plan.instance.replace(asks="losses")))
    alike = sum(
        found.verdict is Verdict.EQUIVALENT for key, found in loss_table(results).differences.items() if key[0] == "simclr"
    )
    assert alike
    assert "nearly built in, as scratch itself loses less than the margin" in answer(asked).splitlines()[0]
    assert "so that one which leaves out 0 may be undecided" in page


def test_a_forest_for_each_budget_is_drawn_from_what_it_is_given(lossy: Results) -> None:
    (section,) = [content for content in contents_of(lossy) if content.anchor == "losses"]
    assert [plot.name for plot in section.plots] == ["losses_50", "losses_200"]
    figure = section.plots[0].draw(*section.plots[0].given)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == ["easy", "hard", "up", "few"]
    panel = figure.axes[1]
    points = [line.get_xdata()[0] for line in panel.lines if line.get_marker() not in ("None", None, "")]
    arms = [text.get_text() for text in panel.get_yticklabels()]
    assert points == [loss_table(lossy).losses[arm, 50, "hard"].mean for arm in arms]
    assert any("sturdier" in text.get_text() for text in panel.texts)


def test_without_other_test_sets_there_are_no_losses(finished: Results) -> None:
    assert loss_table(finished).losses == loss_table(finished).differences == {}
    assert loss_sentences(finished) == []
    assert "losses" not in [content.anchor for content in contents_of(finished)]


def test_fresh_seeds_alone_decide_who_is_sturdier(tmp_path: Path) -> None:
    instance = fake_instance(*SMALL, "tuning=null", "seeds=7", "fresh_from=4", "also_test={up: {energy_scale: 1.02}}")
    results = collect(*fake_store(tmp_path / "store", instance, Fake(lost=0.05)))
    found = loss_table(results).differences["simclr", 50, "up"]
    assert found.seeds == 3
    assert found.pooled is not None
    assert found.pooled.n == 7
