"""A grid on the page, in the terminal and in the files: shares and differences are those of the planted numbers."""

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

from jetbench.evaluation.artifacts import read_scores
from jetbench.report.collect import collect
from jetbench.report.export import comparisons_json
from jetbench.report.results import Results
from jetbench.report.sections import contents_of
from jetbench.report.sentences import answer, remarks
from jetbench.report.stability import Stability, edge_warnings, share_text, stabilities, stability_answers, stability_sentences
from jetbench.report.table import print_table
from jetbench.report.warnings import warnings
from jetbench.statistics.delong import auc
from jetbench.statistics.intervals import Interval
from jetbench.suites.sensitivity import GridPlace
from jetbench.tracking.ledger import Ledger

RATES, LENGTHS = (0.1, 1.0, 10.0), (0.5, 1.0)
GRID = ("tuning=null", f"sensitivity={{arms: [scratch, simclr], learning_rate: {list(RATES)}, length: {list(LENGTHS)}}}")
# simclr is near its best at five settings of six, scratch at its own alone and at one more
AT = {
    **{("scratch", rate, length): 0.80 for rate in RATES for length in LENGTHS},
    ("scratch", 1.0, 0.5): 0.868,
    **{("simclr", rate, length): 0.919 for rate in RATES for length in LENGTHS},
    ("simclr", 10.0, 0.5): 0.70,
}


@pytest.fixture(scope="module")
def grids(tmp_path_factory: pytest.TempPathFactory) -> Results:
    root = tmp_path_factory.mktemp("grids") / "store"
    return collect(*fake_store(root, fake_instance(*SMALL, *GRID), Fake(at_setting=AT)))


def values(results: Results, arm: str) -> np.ndarray:
    """The AUC of every score file (rates, lengths, seeds), read apart from the code under test."""
    found = np.empty((len(RATES), len(LENGTHS), 5))
    for i, rate in enumerate(RATES):
        for j, length in enumerate(LENGTHS):
            for seed in range(5):
                key = results.plan.grid[GridPlace(arm, rate, length, seed)]
                found[i, j, seed] = auc(*read_scores(results.ledger.run(key).scores)[1:])
    return found


def shares(found: np.ndarray) -> np.ndarray:
    return np.array([(found[:, :, s] >= found[:, :, s].max() - 0.01).mean() for s in range(found.shape[2])])


def of(results: Results, arm: str) -> Stability:
    return next(one for one in stabilities(results) if one.arm == arm)


@pytest.mark.parametrize("arm", ["scratch", "simclr"])
def test_the_share_is_that_of_settings_whose_mean_is_near_the_best(grids: Results, arm: str) -> None:
    one, found = of(grids, arm), values(grids, arm)
    means = found.mean(axis=2)
    np.testing.assert_allclose(one.values, found)
    np.testing.assert_allclose(one.means, means)
    assert one.near.tolist() == (means >= means.max() - 0.01).tolist()
    assert one.share == {"scratch": pytest.approx(1 / 4, abs=1 / 10), "simclr": 5 / 6}[arm]  # 0.868 beside 0.870, with noise
    assert one.by_seed.mean == pytest.approx(shares(found).mean())


def test_the_difference_to_the_baseline_is_paired_over_seeds(grids: Results) -> None:
    found = of(grids, "simclr")
    lost = shares(values(grids, "simclr")) - shares(values(grids, "scratch"))
    assert found.baseline == "scratch"
    assert found.against is not None
    low, high = stats.t.interval(0.95, 4, lost.mean(), stats.sem(lost)) if lost.std() else (lost.mean(), lost.mean())
    assert (found.against.mean, found.against.low, found.against.high) == pytest.approx((lost.mean(), low, high))
    assert of(grids, "scratch").against is None


def test_page_terminal_and_files_show_it(grids: Results) -> None:
    stream = io.StringIO()
    print_table(grids, Console(file=stream, width=100))
    page, printed = " ".join(Checked(page_of(grids)).text.split()), " ".join(stream.getvalue().split())
    sentences = stability_sentences(grids)
    by_seed, means = sentences[1].split(" Of the means over seeds, which describe and have no interval, ")
    shown = share_text(of(grids, "simclr").by_seed)
    assert by_seed.startswith(f"simclr at 50 labels: {shown} of its settings are within 0.01 of the best AUC, seed by seed, ")
    assert means.startswith("5 of 6 settings (83 %): the best is 0.9")
    assert "the worst 0.7" in means
    assert "at rate × 10, length × 0.5; ahead of scratch at 5 of 6 settings." in means
    assert "ahead of" not in sentences[0]
    for sentence in sentences:
        assert sentence in page
        assert sentence in printed
        assert sentence in remarks(grids)
    written = {one["arm"]: one for one in json.loads(comparisons_json(grids))["stability"]}
    assert written["simclr"]["share"] == of(grids, "simclr").share
    assert written["simclr"]["grid"][0]["values"] == pytest.approx(values(grids, "simclr")[0, 0])
    assert [point["near_the_best"] for point in written["scratch"]["grid"]] == list(of(grids, "scratch").near.flat)


def test_a_suite_that_asks_for_stability_answers_that_first(grids: Results, tmp_path: Path) -> None:
    """No difference where the interval of the paired difference holds zero, and who is more stable where it does not."""
    assert answer(grids).startswith("simclr is better than scratch")
    plan = grids.plan
    asked = replace(grids, plan=replace(plan, instance=plan.instance.replace(asks="stability")))
    one = of(grids, "simclr")
    assert one.against is not None
    assert one.against.low is not None
    assert one.against.low > 0
    shown = f"{share_text(one.by_seed)} of the settings against {share_text(of(grids, 'scratch').by_seed)}"
    assert answer(asked).startswith(
        "simclr is more stable than scratch at 50 labels: within 0.01 of the best AUC, seed by seed, are "
    )
    assert shown in answer(asked).splitlines()[0]
    assert answer(asked).splitlines()[1].startswith("simclr is better than scratch")
    assert contents_of(asked)[0].anchor == "summary"
    flat = dict.fromkeys(AT, 0.9)
    level = fake_instance(*SMALL, *GRID).replace(asks="stability")
    (line,) = stability_answers(
        collect(*fake_store(tmp_path / "store", level, Fake(at_setting=flat, areas={"scratch": 0.9, "simclr": 0.9})))
    )
    assert line.startswith("No difference in stability between simclr and scratch is seen at 50 labels")


def test_an_arm_that_is_best_at_the_edge_by_more_than_the_spread_is_warned_of(grids: Results, tmp_path: Path) -> None:
    assert edge_warnings(grids) == []
    slow = {**AT, ("simclr", 0.1, 1.0): 0.97}
    results = collect(*fake_store(tmp_path / "store", fake_instance(*SMALL, *GRID), Fake(at_setting=slow)))
    (line,) = edge_warnings(results)
    found = values(results, "simclr")
    means = f"{found[0, 1].mean():.4f} against {found[1, 1].mean():.4f}"
    assert line.startswith(f"simclr is best at the edge of its grid, rate × 0.1, length × 1: {means} at the suite's own setting")
    assert f"(±{max(found[at].std(ddof=1) for at in ((0, 1), (1, 1))):.4f})" in line
    assert line in warnings(results)


def test_a_heat_map_shows_every_setting_with_its_number(grids: Results) -> None:
    (section,) = [content for content in contents_of(grids) if content.anchor == "stability"]
    (plot,) = section.plots
    figure = plot.draw(*plot.given)
    panels = {axes.get_title(loc="left") or axes.get_title(): axes for axes in figure.axes}
    for arm in ("scratch", "simclr"):
        found, axes = of(grids, arm), panels[arm]
        np.testing.assert_allclose(np.asarray(axes.images[0].get_array()), found.means.T)
        assert len(axes.patches) == found.near.sum()
        assert {text.get_text().split("\n")[0] for text in axes.texts} == {f"{mean:.4f}" for mean in found.means.flat}


def test_a_setting_that_diverged_is_not_near_and_one_that_is_not_run_yet_leaves_its_seed_out(tmp_path: Path) -> None:
    instance = fake_instance(*SMALL, *GRID)
    plan, store = fake_store(tmp_path / "store", instance, Fake(at_setting=AT))
    ledger = Ledger(store.work)
    diverged, missing = GridPlace("simclr", 10.0, 1.0, 2), GridPlace("scratch", 0.1, 0.5, 4)
    for place in (diverged, missing):
        ledger.run(plan.grid[place]).done.unlink()
    ledger.fail(plan.grid[diverged], "the training has diverged", "", {})
    results = collect(plan, store)
    simclr, scratch = of(results, "simclr"), of(results, "scratch")
    assert np.isnan(simclr.means[2, 1])
    assert simclr.share == pytest.approx(4 / 6)
    assert (simclr.seeds, scratch.seeds) == ((0, 1, 2, 3, 4), (0, 1, 2, 3))
    told = stability_sentences(results)
    assert not any("diverged" in one for one in told[:2])
    reason = "since a training has not ended or has failed, or all diverged"
    assert told[2:] == [f"Not in the grid of scratch, {reason}: seed 4."]
    (section,) = [content for content in contents_of(results) if content.anchor == "stability"]
    figure = section.plots[0].draw(*section.plots[0].given)
    assert sum(text.get_text() == "diverged" for axes in figure.axes for text in axes.texts) == 1
    written = {one["arm"]: one for one in json.loads(comparisons_json(results))["stability"]}
    assert written["simclr"]["grid"][5]["values"][2] is None


def test_who_reads_a_share_knows_how_far_chance_goes(grids: Results, tmp_path: Path) -> None:
    """The error of a mean by hand; it is told where it is no small part of the tolerance, and the page says what is flattered."""
    found = values(grids, "scratch")
    error = float(np.median([stats.sem(seeds) for seeds in found.reshape(-1, 5)]))
    assert of(grids, "scratch").error == pytest.approx(error)
    quiet = stability_sentences(grids)[0]
    assert ("chance moves settings" in quiet) == (error > 0.005)
    noisy = collect(*fake_store(tmp_path / "store", fake_instance(*SMALL, *GRID), Fake(at_setting=AT, spread=0.03)))
    found = values(noisy, "scratch")
    error = float(np.median([stats.sem(seeds) for seeds in found.reshape(-1, 5)]))
    assert error > 0.005
    loud = f"Between seeds a mean has an error of ±{error:.4f} (median), so that chance moves settings over this edge."
    assert stability_sentences(noisy)[0].endswith(loud)
    assert "flattered by chance" in " ".join(Checked(page_of(grids)).text.split())


def test_a_share_on_which_all_agree_has_no_interval_of_no_width() -> None:
    assert share_text(Interval(mean=0.25, low=0.25, high=0.25, n=5)) == "25 % each"
    assert share_text(Interval(mean=0.25, low=0.1, high=0.4, n=5)) == "25 % [10, 40]"


def test_before_a_seed_is_finished_nothing_is_said(tmp_path: Path, finished: Results) -> None:
    nothing = Fake(missing=lambda cell: True)
    results = collect(*fake_store(tmp_path / "store", fake_instance(*SMALL, *GRID), nothing))
    for some in (results, finished):
        assert stabilities(some) == stability_sentences(some) == []
        assert "stability" not in [content.anchor for content in contents_of(some)]
