"""What MLflow's pages show of a comparison agrees with its results, and with itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from report.conftest import TWO_ENCODERS
from report.test_direction import in_gev

from jetbench.evaluation.classification import EFFICIENCIES
from jetbench.report.rejections import seed_rejection
from jetbench.report.results import Results
from jetbench.report.review.cards import ENDS, arm_cards, bar_key, gain_key, mean_key
from jetbench.report.review.description import describe
from jetbench.report.review.overview import overview, overview_digest
from jetbench.report.review.runs import finals_view
from jetbench.report.review.view import view
from jetbench.report.review.wrongest import FILE, wrongest_table
from jetbench.report.rows import rows
from jetbench.report.sentences import answers
from jetbench.report.words import brief_difference
from jetbench.suites.plan import CellKey
from jetbench.suites.roles import Role
from jetbench.tracking.arm_card import ArmCard

Planted = Callable[..., Results]


@pytest.fixture(scope="module")
def masses(finished: Results) -> Results:
    return in_gev(finished)


@pytest.fixture(scope="module")
def cards(finished: Results) -> tuple[ArmCard, ...]:
    return arm_cards(finished)


def of(cards: tuple[ArmCard, ...], arm: str, labels: int) -> ArmCard:
    return next(card for card in cards if card.key == f"arm/{arm}/n{labels}")


def bars_of(results: Results, cards: tuple[ArmCard, ...]) -> list[str]:
    """The metrics of the bar charts in their order."""
    return [chart["metricKey"] for chart in view(results, cards)["compareRunCharts"] if chart["type"] == "BAR"]


def test_there_is_a_card_for_each_row_in_the_order_of_the_table(finished: Results, cards: tuple[ArmCard, ...]) -> None:
    assert [card.name for card in cards] == [f"{row.arm}/n{row.labels}" for row in rows(finished)]
    orders = [dict(card.tags)["jetbench.order"] for card in cards]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(cards)


def test_a_card_has_the_numbers_of_the_comparison(finished: Results, cards: tuple[ArmCard, ...]) -> None:
    card, found = of(cards, "simclr", 50), finished.comparisons["simclr", 50]
    mean = finished.mean("simclr", 50)
    assert mean is not None
    for key, values in (("test/auc", (mean.mean, mean.low, mean.high)), ("gain/auc", (found.difference, found.low, found.high))):
        listed = [card.metrics[f"{key}{end}"] for end in ("", *ENDS)]
        assert listed == [round(value, 4) for value in values if value is not None]  # as MLflow lists them
    assert card.metrics["n50 gain over scratch in 0.001"] == pytest.approx(1000 * found.difference, abs=1e-4)
    assert card.metrics["test/accuracy"] == pytest.approx(finished.values("simclr", 50, "test/accuracy").mean(), abs=1e-4)
    assert {"test/background_rejection_50_low", "test/background_rejection_30_low", "test/f1"} <= card.metrics.keys()
    assert list(card.metrics)[:3] == ["gain/auc", "gain/auc_low", "gain/auc_high"]  # which the page of a run shows in this order
    tags = dict(card.tags)
    assert (tags["jetbench.verdict"], tags["jetbench.role"], tags["jetbench.baseline"]) == ("better *", "rival", "scratch")
    assert dict(of(cards, "scratch", 50).tags)["jetbench.verdict"] == "baseline"
    assert of(cards, "scratch", 50).metrics["gain/auc"] == 0
    assert card.runs == tuple(finished.last[CellKey("simclr", 50, seed)] for seed in range(5))
    assert "**better**" in card.note.splitlines()[0]


def test_a_gain_is_an_improvement_whatever_the_direction(masses: Results) -> None:
    card, found, digits = of(arm_cards(masses), "simclr", 50), masses.comparisons["simclr", 50], masses.metric.digits
    assert found.difference < 0
    assert card.metrics["gain/rmse"] == card.metrics["n50 gain over scratch in GeV"] == round(-found.difference, digits)
    assert found.low is not None
    low, gained, high = (card.metrics[f"gain/rmse{end}"] for end in ("_low", "", "_high"))
    assert low < gained < high == round(-found.low, digits)


def test_all_arms_have_the_same_few_params(cards: tuple[ArmCard, ...]) -> None:
    named = {tuple(name for name, _ in card.params) for card in cards}
    assert named == {("arm", "labels", "regime", "model", "view", "recipe", "learning_rate", "passes")}
    one, other = dict(of(cards, "scratch", 50).params), dict(of(cards, "simclr", 50).params)
    assert {name for name in one if one[name] != other[name]} <= {"arm", "regime", "learning_rate", "recipe"}


def test_an_arm_without_a_finished_seed_has_no_card_yet(planted: Planted) -> None:
    results = planted("seeds=2", missing=lambda cell: cell.arm == "simclr" and cell.labels == 50)
    assert "arm/simclr/n50" not in {card.key for card in arm_cards(results)}
    assert "| 50 | **simclr** | 0 of 2 | – |  | **missing *** |" in describe(results)


def test_the_view_shows_what_the_cards_have(finished: Results, masses: Results) -> None:
    for results in (finished, masses):
        found = arm_cards(results)
        shown = view(results, found)
        metrics = {name for card in found for name in card.metrics}
        pictures = {picture.key for card in found if card.side_by_side for picture in card.pictures}
        charts = shown["compareRunCharts"]
        assert {chart["metricKey"] for chart in charts if chart["type"] == "BAR"} <= metrics
        assert {chart["imageKeys"][0] for chart in charts if chart["type"] == "IMAGE"} == pictures
        (scatter,) = (chart for chart in charts if chart["type"] == "SCATTER")
        assert {scatter["xaxis"]["key"], scatter["yaxis"]["key"]} <= metrics
        assert {chart["metricSectionId"] for chart in charts} == {one["uuid"] for one in shown["compareRunSections"]}
        columns = [column.split("`")[1] for column in shown["selectedColumns"]]
        assert columns[:3] == [f"{gain_key(results)}{end}" for end in ("", *ENDS)]
        assert shown["columnOrder"] == shown["selectedColumns"]  # else MLflow orders them by name
        assert set(columns) <= metrics | {name for card in found for name, _ in card.tags}
        assert charts[0]["metricKey"] == bar_key(results, results.primaries[0][1], "scratch")


def test_the_runs_open_with_the_test_jets_and_end_with_what_they_cost(finished: Results, masses: Results) -> None:
    for results in (finished, masses):
        shown = finals_view(results.metric)
        sections = shown["compareRunSections"]
        assert [one["name"] for one in sections] == ["test", "val", "train", "cost"]
        assert {chart["metricSectionId"] for chart in shown["compareRunCharts"]} == {"test"}  # MLflow fills the others by name
        assert [one["isReordered"] for one in sections] == [True, False, False, False]
        assert shown["isAccordionReordered"]  # else MLflow puts "cost" first
        charted = [chart["metricKey"] for chart in shown["compareRunCharts"]]
        assert charted[0] == f"test/{results.metric.key}"
        assert len(set(charted)) == len(charted)
        assert shown["selectedColumns"][0] == f"metrics.`{charted[0]}`"
        assert charted[0] in of(arm_cards(results), "simclr", 50).metrics


def test_what_is_not_compared_sets_the_scale_of_no_chart(finished: Results, cards: tuple[ArmCard, ...]) -> None:
    bars = set(bars_of(finished, cards))
    for row in rows(finished):
        card = of(cards, row.arm, row.labels)
        assert bool({"labels", *bars} & card.metrics.keys()) is not (row.role in (Role.CONTROL, Role.FLOOR))
        assert mean_key(finished) in card.metrics
        assert dict(card.tags)["mlflow.runColor"].startswith("#")


def test_bars_of_the_rejection_are_those_of_the_compared_arms(planted: Planted) -> None:
    """A resolved floor has its rejection, and no bar of it; where none is resolved there is no chart, as in `finished`."""
    results = planted("seeds=2", areas={"scratch": 0.7, "simclr": 0.75, "mass-likelihood": 0.7})
    cards = arm_cards(results)
    assert "n50 R50" in bars_of(results, cards)
    for arm, charted in (("scratch", True), ("simclr", True), ("mass-likelihood", False)):
        found = of(cards, arm, 50).metrics
        assert found.get("n50 R50") == (found["test/background_rejection_50"] if charted else None)


def test_the_ends_of_the_gain_stand_beside_each_other(finished: Results, masses: Results) -> None:
    for results, scale in ((finished, 1000), (masses, 1)):
        cards = arm_cards(results)
        card, ends = of(cards, "simclr", 50), [bar_key(results, 50, "scratch", end) for end in ("_low", "_high")]
        assert bars_of(results, cards)[-2:] == ends
        assert [card.metrics[end] for end in ends] == [
            pytest.approx(scale * card.metrics[f"{gain_key(results)}{end}"], abs=0.051) for end in ("_low", "_high")
        ]


def test_the_pictures_of_an_arm_are_drawn_when_they_are_saved(cards: tuple[ArmCard, ...], tmp_path: Path) -> None:
    card = of(cards, "simclr", 50)
    assert [picture.key for picture in card.pictures] == ["roc", "learning_curves", "confusion"]
    for picture in card.pictures:
        picture.save(tmp_path / "drawn.png")
        assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")


def test_an_arm_without_learning_curves_has_no_picture_of_its_baselines(cards: tuple[ArmCard, ...]) -> None:
    for arm in ("boosted-trees", "mass-likelihood", "class-prior"):
        assert [picture.key for picture in of(cards, arm, 50).pictures] == ["roc", "confusion"]
    assert "learning_curves" in {picture.key for picture in of(cards, "random-frozen", 50).pictures}


def test_side_by_side_stand_the_networks_that_the_question_is_about(planted: Planted) -> None:
    """MLflow shows the first ten runs that have such pictures, the last of them first."""
    cards = arm_cards(planted("seeds=2", suite=TWO_ENCODERS))
    assert [card.name for card in cards if card.side_by_side] == [*("sets/n50", "sets-simclr/n50", "scratch/n50", "simclr/n50")]


def test_a_chart_holds_the_arms_of_one_baseline_which_its_name_tells(planted: Planted) -> None:
    results = planted("seeds=2", suite=TWO_ENCODERS)
    cards = arm_cards(results)
    bars = [bar for bar in bars_of(results, cards) if "gain" in bar]
    over = {key: {dict(card.tags)["jetbench.arm"] for card in cards if key in card.metrics} for key in bars}
    sets, images = {"sets", "sets-simclr", "boosted-trees"}, {"scratch", "simclr"}
    assert over == {
        "n50 gain over sets in 0.001": sets,
        "n50 gain over scratch in 0.001": images,
        "n200 gain over sets in 0.001": sets,
        "n200 gain over scratch in 0.001": images,
        "n50 gain_low over sets in 0.001": sets - {"sets"},
        "n50 gain_high over sets in 0.001": sets - {"sets"},
        "n50 gain_low over scratch in 0.001": images - {"scratch"},
        "n50 gain_high over scratch in 0.001": images - {"scratch"},
    }
    assert list(over) == bars


def test_a_budget_at_which_nothing_is_compared_has_no_bars(planted: Planted) -> None:
    results = planted("seeds=2", missing=lambda cell: cell.labels == 200 and cell.arm != "scratch")
    bars = bars_of(results, arm_cards(results))
    assert any(bar.startswith("n50 gain") for bar in bars)
    assert not any(bar.startswith("n200") for bar in bars)


def test_the_wrongest_jets_are_those_of_the_largest_mean_loss(finished: Results) -> None:
    table = wrongest_table(finished, "simclr", 50)
    read = [finished.scores(CellKey("simclr", 50, seed)) for seed in range(5)]
    rows_, truth, _ = read[0]
    loss = np.mean([-np.log(np.where(truth == 1, scores, 1 - scores)) for _, _, scores in read], axis=0)
    names = finished.plan.instance.meta.class_names
    for label, name in enumerate(names):
        mine = np.flatnonzero(truth == label)
        worst = sorted(mine, key=lambda jet: -loss[jet])[:10]
        listed = [row for row, one in zip(table["row"], table["truth"], strict=True) if one == name]
        assert listed == rows_[worst].tolist()
        ranks = [rank for rank, one in zip(table["rank"], table["truth"], strict=True) if one == name]
        assert ranks == [f"{name} {place:02d}" for place in range(1, 11)]
    first = list(rows_).index(table["row"][0])
    assert table["loss"][0] == pytest.approx(loss[first], abs=1e-5)
    assert table["seed 3"][0] == pytest.approx(float(read[3][2][first]), abs=1e-5)
    assert table["mean"][0] == pytest.approx(np.mean([scores[first] for _, _, scores in read]), abs=1e-5)


def test_the_wrongest_jets_of_other_tasks(masses: Results, ten_classes: Results) -> None:
    truth, mean = (np.array(wrongest_table(masses, "simclr", 50)[name], float) for name in ("truth", "mean"))
    assert wrongest_table(masses, "simclr", 50)["rank"] == [f"{place:02d}" for place in range(1, 21)]
    assert (np.diff(np.abs(mean - truth)) < 1e-2).all()
    table = wrongest_table(ten_classes, "simclr", 50)
    assert len(table["row"]) == 100
    assert max(table["mean"]) < 0.5  # of the true class


def test_the_description_begins_with_the_verdicts_in_one_sentence(planted: Planted, finished: Results, masses: Results) -> None:
    results = planted("seeds=3", suite=TWO_ENCODERS, missing=lambda cell: cell.arm == "simclr" and cell.labels == 50)
    found = results.comparisons["sets-simclr", 50]
    assert describe(results).splitlines()[0] == (
        f"Test AUC at 50 labels: sets-simclr minus sets {brief_difference(results.metric, found)} **{found.verdict}**; "
        "simclr minus scratch **no answer yet** (95 % intervals)."
    )
    first = describe(finished).splitlines()[0]
    assert first.startswith("Test AUC at 50 labels: simclr minus scratch +0.0")
    assert first.endswith("] **better** (95 % intervals).")
    assert describe(masses).startswith("Test RMSE [GeV], lower is better, at 50 labels: simclr minus scratch −")


def test_the_description_has_the_answer_and_every_row(finished: Results) -> None:
    text = describe(finished)
    assert answers(finished)[0] in text.split("\n\n")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + len(rows(finished))
    (primary,) = (line for line in lines if "**better ***" in line)
    assert primary.startswith("| 50 | **simclr** | 5 | 0.")
    assert {line.count("|") for line in lines} == {7}


def test_an_overview_is_made_of_all_of_it_and_changes_with_the_results(finished: Results, planted: Planted) -> None:
    made = overview(finished)
    assert (made.headline, made.description) == (gain_key(finished), describe(finished))
    assert FILE in made.arms[0].tables
    assert overview_digest(finished) == overview_digest(finished)
    assert overview_digest(planted("seeds=2")) != overview_digest(planted("seeds=2", areas={"simclr": 0.91}))


def test_a_rejection_that_is_not_resolved_is_no_bar_among_others(finished: Results, cards: tuple[ArmCard, ...]) -> None:
    for card, row in zip(cards, rows(finished), strict=True):
        for percent in EFFICIENCIES:
            found = seed_rejection(finished, row.arm, row.labels, percent)
            assert (f"test/background_rejection_{percent}" in card.metrics) == bool(found and found.resolved)
    assert any(f"test/background_rejection_{percent}" not in card.metrics for card in cards for percent in EFFICIENCIES)
