"""A suite that asks of two encoders: baselines of their own, an answer for each, and one on both."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from report.conftest import TWO_ENCODERS, Fake, fake_instance, fake_store
from report.pages import page_of, plot_of
from rich.console import Console

from jetbench.report import matching
from jetbench.report.arms import looks
from jetbench.report.collect import collect
from jetbench.report.ends import GainEnd, end_of, ending_text
from jetbench.report.export import comparisons_json
from jetbench.report.gains import encoder_names, gain_differences
from jetbench.report.matching import ending
from jetbench.report.results import Results
from jetbench.report.sentences import answer, answers, details, remarks
from jetbench.report.table import print_table
from jetbench.report.truths import truths
from jetbench.report.verdicts import verdicts
from jetbench.statistics.comparison import Verdict
from jetbench.statistics.matching import ending_labels
from jetbench.statistics.resolution import widening
from jetbench.suites.plan import CellKey

Asked = Callable[..., Results]
AREAS = {"sets": 0.87, "scratch": 0.88, "sets-frozen": 0.75}
GAINS = {("sets-simclr", 50): 0.93, ("sets-simclr", 100): 0.90, ("sets-simclr", 200): 0.87, ("simclr", 50): 0.895}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """`asked("seeds=3", areas={"simclr": 0.9})`: results of the suite of two encoders with overrides and what `Fake` plants."""

    def make(*overrides: str, **content: Any) -> Results:
        planted = {"areas": {**AREAS, "simclr": 0.88, **content.pop("areas", {})}, "at": GAINS, "own": 0.03, "spread": 0.002}
        instance = fake_instance(*overrides, suite=TWO_ENCODERS)
        return collect(*fake_store(tmp_path_factory.mktemp("two") / "store", instance, Fake(**planted | content)))

    return make


@pytest.fixture(scope="module")
def both(asked: Asked) -> Results:
    return asked()


def areas(results: Results, arm: str, labels: int) -> np.ndarray:
    """The wins of every signal-background pair (seeds, signal, background)."""
    found = []
    for seed in range(5):
        _, truth, scores = results.scores(CellKey(arm, labels, seed))
        signal, background = scores[truth == 1][:, None], scores[truth == 0][None]
        found.append((signal > background) + 0.5 * (signal == background))
    return np.stack(found)


def test_every_arm_is_compared_with_the_baseline_of_its_encoder(both: Results) -> None:
    for arm, baseline in {"sets-simclr": "sets", "simclr": "scratch", "boosted-trees": "sets"}.items():
        gap = areas(both, arm, 100) - areas(both, baseline, 100)
        assert both.comparisons[arm, 100].difference == pytest.approx(gap.mean())
    assert not {"sets", "scratch"} & {arm for arm, _ in both.comparisons}


def test_holm_guards_primaries_among_themselves(both: Results) -> None:
    """The smaller p of the two is doubled, however many others there are; the smallest of the others has all their number."""
    first = [both.comparisons[place] for place in both.primaries]
    low, high = sorted(first, key=lambda one: one.p_difference or 0)
    assert low.adjusted_p_difference == pytest.approx(2 * (low.p_difference or 0))
    assert high.adjusted_p_difference == pytest.approx(max(2 * (low.p_difference or 0), high.p_difference or 0))
    others = [one for place, one in both.comparisons.items() if place not in both.primaries]
    least = min(others, key=lambda one: one.p_difference or 0)
    assert least.adjusted_p_difference == pytest.approx(min(1, len(others) * (least.p_difference or 0)))


def test_a_primary_that_is_not_finished_spares_the_other_nothing(asked: Asked, both: Results) -> None:
    results = asked(missing=lambda cell: cell.arm == "sets-simclr")
    found = results.comparisons["simclr", 50]
    assert found.adjusted_p_difference == pytest.approx(2 * (found.p_difference or 0))
    assert answers(results)[0].startswith("deep-sets: There is no answer yet: no seed of sets-simclr has finished")
    assert len(answers(results)) == 2


def test_the_gains_are_compared_pair_by_pair(both: Results) -> None:
    """The difference of differences on the same jets, with both errors, from placements counted pair by pair."""
    (found,) = gain_differences(both).values()
    arms = [areas(both, arm, 50) for arm in ("sets-simclr", "sets", "simclr", "scratch")]
    gaps = arms[0] - arms[1] - (arms[2] - arms[3])
    each, mean = gaps.mean(axis=(1, 2)), gaps.mean(axis=0)
    test = mean.mean(axis=1).var(ddof=1) / mean.shape[0] + mean.mean(axis=0).var(ddof=1) / mean.shape[1]
    assert found.difference == pytest.approx(each.mean())
    assert found.seed_error == pytest.approx(each.std(ddof=1) / np.sqrt(5) * widening(5, both.shared(50)))
    assert found.test_error == pytest.approx(np.sqrt(test))
    assert found.margin == pytest.approx(0.03 * (1 - max(arms[1].mean(), arms[3].mean())))


def test_gains_at_shared_encoders_are_clustered(asked: Asked) -> None:
    (found,) = gain_differences(asked("pretraining_seeds=3")).values()
    assert found.clustered
    assert (found.units, found.seeds) == (3, 5)


def test_the_answer_has_a_paragraph_for_each_encoder_and_one_for_both(both: Results) -> None:
    sets, images, gains = answers(both)
    one, other = (both.comparisons[place] for place in both.primaries)
    assert sets.startswith("deep-sets: sets-simclr is better than sets at 50 labels: test AUC ")
    assert f"95 % interval [{one.low:+.4f}, {one.high:+.4f}]" in sets
    assert images.startswith("resnet15: simclr is better than scratch at 50 labels: test AUC ")
    (found,) = gain_differences(both).values()
    assert found.verdict is Verdict.BETTER
    assert gains.startswith("deep-sets gains more from sets-simclr than resnet15 from simclr: ")
    assert f": +{one.difference:.4f} [{one.low:+.4f}, {one.high:+.4f}] at 50 labels against +{other.difference:.4f} [" in gains
    assert f"95 % interval [{found.low:+.4f}, {found.high:+.4f}]" in gains
    assert "Paired over 5 seeds" in gains
    assert answer(both) == "\n".join(answers(both))
    assert verdicts(both) == [text.splitlines()[0] for text in (sets, images, gains)]
    assert all(len(sentence) < 250 for sentence in verdicts(both))


def test_whoever_gains_more_comes_first_in_words_and_numbers(asked: Asked) -> None:
    """The sentence, both gains and their difference are in one order, and the difference is positive."""
    results = asked(at={("simclr", 50): 0.94})
    (found,) = gain_differences(results).values()
    assert found.verdict is Verdict.WORSE
    one, other = (results.comparisons[place] for place in results.primaries)
    assert verdicts(results)[-1].startswith(
        f"resnet15 gains more from simclr than deep-sets from sets-simclr: +{other.difference:.4f} ["
    )
    assert f" against +{one.difference:.4f} [" in verdicts(results)[-1]
    assert f"a difference of +{-found.difference:.4f} (95 % interval [{-found.high:+.4f}, " in verdicts(results)[-1]


@pytest.mark.parametrize(
    ("content", "begins"),
    [
        ({"at": {("simclr", 50): 0.94}}, "resnet15 gains more from simclr than deep-sets from sets-simclr"),
        ({"areas": {"sets": 0.8, "sets-simclr": 0.9, "scratch": 0.8, "simclr": 0.9}, "at": {}, "own": 0.0005, "spread": 0.0005},
         "resnet15 gains as much from simclr as deep-sets from sets-simclr, within ±0.0063"),
        ({"areas": {"sets": 0.92, "sets-simclr": 0.91, "scratch": 0.92, "simclr": 0.85}, "at": {}},
         "deep-sets loses less from sets-simclr than resnet15 from simclr"),
        ({"areas": {"sets": 0.92, "sets-simclr": 0.85, "scratch": 0.92, "simclr": 0.91}, "at": {}},
         "resnet15 loses less from simclr than deep-sets from sets-simclr"),
        ({"areas": {"sets": 0.9, "sets-simclr": 0.8, "scratch": 0.9, "simclr": 0.8}, "at": {}, "own": 0.0005, "spread": 0.0005},
         "resnet15 loses as much from simclr as deep-sets from sets-simclr, within ±0.0030"),
        ({"areas": {"sets": 0.92, "sets-simclr": 0.87, "scratch": 0.92, "simclr": 0.87}, "at": {}, "spread": 0.02},
         "It is undecided whether resnet15 loses less from simclr or deep-sets from sets-simclr"),
        ({"at": {}, "spread": 0.02}, "It is undecided whether deep-sets gains more from sets-simclr or resnet15 from simclr"),
    ],
)  # fmt: skip
def test_the_other_answers_on_two_encoders(asked: Asked, content: dict[str, Any], begins: str) -> None:
    text = answers(asked("labels=[50]", **content))[-1]
    assert text.startswith(begins)
    assert ("80 % power" in text) == begins.startswith("It is undecided")


def test_arms_of_one_encoder_are_no_two_encoders(asked: Asked) -> None:
    results = asked("primary=[{arm: simclr, baseline: scratch}, {arm: simclr, baseline: scratch, labels: 100}]")
    assert gain_differences(results) == {}
    first, second = answers(results)
    assert first.startswith("simclr is better than scratch at 50 labels")
    assert "gain" in first
    assert "The gain" not in second


def test_encoders_of_one_model_have_the_names_of_their_baselines(asked: Asked) -> None:
    arms = (
        "arms.wide={model: resnet15, regime: scratch, model_options: {stages: 32-64}}",
        "arms.wide-simclr={model: resnet15, regime: simclr, model_options: {stages: 32-64}}",
        "varies=[model, regime, model.stages]",
    )
    results = asked(*arms, "primary=[{arm: simclr, baseline: scratch}, {arm: wide-simclr, baseline: wide}]")
    assert encoder_names(results) == {"scratch": "scratch", "wide": "wide"}


B, W, E, U = Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("verdicts", "end"),
    [
        ([B, U, E, U], GainEnd(100, 1000, (300,))),
        ([B, W, B, E], GainEnd(1000, 3000, ())),
        ([U, B, U, U], GainEnd(300, None, (1000, 3000))),
        ([B, B, B, B], GainEnd(3000, None, ())),
        ([U, U, W, E], GainEnd(None, 1000, (100, 300))),
        ([U, U, U, U], GainEnd(None, None, (100, 300, 1000, 3000))),
    ],
)
def test_where_the_gain_ends(verdicts: list[Verdict], end: GainEnd) -> None:
    assert end_of(dict(zip((100, 300, 1000, 3000), verdicts, strict=True))) == end


def test_the_answer_says_where_the_gain_ends(asked: Asked) -> None:
    level = {("sets", n): 0.8 for n in (50, 100, 200)} | {("sets-simclr", n): 0.8 for n in (100, 200)}
    results = asked(at=level | {("sets-simclr", 50): 0.9}, own=0.001, spread=0.0005)
    found = {n: results.comparisons["sets-simclr", n] for n in (50, 100)}
    assert [one.verdict for one in found.values()] == [B, E]
    text = answers(results)[0]
    assert "The gain ends between 50 and 100 labels: sets-simclr is better at 50 labels (+" in text
    assert f"equivalent at 100 labels ({found[100].difference:+.4f} [".replace("-", "−") in text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            {"areas": {"sets-simclr": 0.95}, "at": {}},
            "The gain does not end within the budgets: sets-simclr is better at 200 labels (",
        ),
        ({"areas": {"sets-simclr": 0.80}, "at": {}}, "No budget shows a gain: sets-simclr is worse at 50 labels (−"),
        (
            {"areas": {"sets-simclr": 0.87}, "at": {}, "spread": 0.02},
            "Whether any budget shows a gain is undecided: sets-simclr is undec",
        ),
        (
            {"at": {("sets-simclr", 50): 0.95}, "areas": {"sets-simclr": 0.875}, "spread": 0.01},
            "Where the gain ends is undecided: ",
        ),
    ],
)
def test_the_other_ends_of_a_gain(asked: Asked, content: dict[str, Any], text: str) -> None:
    assert text in answers(asked(**content))[0]


def test_the_gain_ends_where_a_line_through_the_gains_meets_the_margin(asked: Asked) -> None:
    """With the covariance of all gains over the test sample, from placements counted pair by pair; on page, terminal and file."""
    results = asked(at={**GAINS, ("sets-simclr", 200): 0.86}, own=0.01, spread=0.0005)
    gaps = [areas(results, "sets-simclr", n) - areas(results, "sets", n) for n in (50, 100, 200)]
    parts = [gap.mean(axis=0) for gap in gaps]
    covariance = sum(np.cov([part.mean(axis=side) for part in parts]) / parts[0].shape[1 - side] for side in (0, 1))
    margins = {n: 0.03 * (1 - areas(results, "sets", n).mean()) for n in (50, 100, 200)}
    gains = {n: gap.mean(axis=(1, 2)) for n, gap in zip(margins, gaps, strict=True)}
    expected = ending_labels(gains, margins, test_covariance=covariance, shared=[results.shared(n) for n in margins])
    found = ending(results, "sets-simclr")
    assert found is not None
    assert found.labels == pytest.approx(expected.labels)
    lacks = [margins[n] - gains[n].mean() for n in (100, 200)]
    assert found.labels == pytest.approx(100 * 2 ** (lacks[0] / (lacks[0] - lacks[1])))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=0.01)
    written = json.loads(comparisons_json(results))["ending_labels"]
    assert [(one["arm"], one["baseline"]) for one in written] == [("sets-simclr", "sets"), ("simclr", "scratch")]
    assert written[0]["result"]["labels"] == found.labels
    sentence = ending_text(results, "sets-simclr")
    assert sentence.startswith("The gain of sets-simclr falls below the margin of equivalence at 1")
    assert "labels (95 % interval, paired by seeds and test jets: from 1" in sentence
    assert sentence.endswith("; over 5 seeds at 50, 100 and 200 labels).")
    assert sentence in answers(results)[0]
    assert sentence in page_of(results)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"areas": {"sets-simclr": 0.95}, "at": {}}, "more than 200 labels ({HOLDS}: more than 200;"),
        ({"areas": {"sets-simclr": 0.80}, "at": {}}, "50 or fewer labels ({HOLDS}: 50 or fewer;"),
        ({"areas": {"sets-simclr": 0.876}, "at": {}, "spread": 0.03}, "to more than 200, which leaves out none of the budgets;"),
    ],
)  # fmt: skip
def test_a_gain_that_does_not_end_within_the_budgets_is_said_to(asked: Asked, content: dict[str, Any], text: str) -> None:
    assert text.format(HOLDS="95 % interval, paired by seeds and test jets") in ending_text(asked(**content), "sets-simclr")


@pytest.mark.parametrize("overrides", [("labels=[50]",), ("seeds=1",), ("pretraining_seeds=1",)])
def test_too_little_says_no_end(asked: Asked, overrides: tuple[str, ...]) -> None:
    results = asked(*overrides)
    assert ending(results, "sets-simclr") is None
    assert ending_text(results, "sets-simclr") == ""


def test_an_end_rests_on_the_seeds_that_all_budgets_have(asked: Asked) -> None:
    """And on encoders, where seeds share them."""
    lacking = asked(missing=lambda cell: cell == CellKey("sets", 100, 3))
    with patch.object(matching, "ending_labels") as spy:
        ending(lacking, "sets-simclr")
        ending(asked("pretraining_seeds=3"), "sets-simclr")
    (lost, _), (shared, _) = (call.args for call in spy.call_args_list)
    kept = [0, 1, 2, 4]
    gaps = {n: lacking.headlines("sets-simclr", n) for n in (50, 100, 200)}
    base = {n: lacking.headlines("sets", n) for n in (50, 100, 200)}
    assert lost[50] == pytest.approx((gaps[50] - base[50])[kept])
    assert lost[100] == pytest.approx(gaps[100][kept] - base[100])
    assert {len(gained) for gained in shared.values()} == {3}


def test_one_budget_has_no_end(asked: Asked) -> None:
    assert "The gain" not in answers(asked("labels=[50]"))[0]


def test_the_table_says_who_is_compared_with_whom(both: Results) -> None:
    stream = io.StringIO()
    print_table(both, Console(file=stream, width=110))
    text = stream.getvalue()
    assert "minus its baseline" in text
    assert "against sets: sets-simclr, sets-frozen and boosted-trees\n" in text
    assert "against scratch: simclr and random-frozen\n" in text
    assert text.count("better *") == 2
    assert len(re.findall(r" baseline +\n", text)) == 6


def test_the_page_has_all_of_it(both: Results) -> None:
    text = page_of(both)
    assert all(line in text for line in (*verdicts(both), *chain(*details(both))))
    assert text.count('<div class="answer ') == 3
    assert "Against sets: sets-simclr, sets-frozen and boosted-trees." in text
    assert "sets-simclr against sets at 50 labels; simclr against scratch at 50 labels" in text
    assert "Expected: the one with less knowledge built in" in text
    assert "Source: a made-up protocol" in text


def test_remarks_and_truths_name_the_own_baseline(both: Results) -> None:
    text = "\n".join(remarks(both))
    assert "sets-simclr against sets: " in text
    assert "simclr against scratch: " in text
    assert {t.claim for t in truths(both)} == {"sets-frozen is not better than sets", "random-frozen is not better than scratch"}


def test_the_file_of_comparisons_has_baselines_and_gains(both: Results) -> None:
    content = json.loads(comparisons_json(both))
    first = [{"arm": "sets-simclr", "baseline": "sets", "labels": 50}, {"arm": "simclr", "baseline": "scratch", "labels": 50}]
    assert content["primary"] == first
    assert {one["arm"]: one["baseline"] for one in content["comparisons"]} == both.baselines
    (gains,) = content["gains"]
    assert gains["of"] == first
    assert gains["result"]["verdict"] == "better"


def test_a_regime_has_its_colour_and_a_model_its_marker(both: Results) -> None:
    shown = looks(both.plan)
    assert shown["sets"].color == shown["scratch"].color != shown["simclr"].color == shown["sets-simclr"].color
    for trait in ("marker", "dashes"):
        of = {arm: getattr(shown[arm], trait) for arm in ("sets", "sets-simclr", "scratch", "simclr")}
        assert of["sets"] == of["sets-simclr"] != of["scratch"] == of["simclr"]
    assert len({(look.color, look.marker, str(look.dashes)) for look in shown.values()}) == len(shown)


def test_the_label_budget_has_a_panel_for_each_encoder(both: Results) -> None:
    figure = plot_of(both, "label_budget")
    drawn = [{container.get_label() for container in axes.containers} for axes in figure.axes]
    shared = {"boosted-trees"}
    assert drawn == [{"sets", "sets-simclr", "sets-frozen"} | shared, {"scratch", "simclr", "random-frozen"} | shared]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["deep-sets", "resnet15"]


def test_no_bar_lies_under_the_name_of_what_is_beyond_the_plot(both: Results) -> None:
    """Curves and bars are cut where the names begin."""
    figure = plot_of(both, "label_budget")
    figure.draw_without_rendering()
    named = [(axes, text) for axes in figure.axes for text in axes.texts if text.get_text().startswith("↓")]
    assert named
    for axes, text in named:
        top = axes.transData.inverted().transform(text.get_window_extent())[1, 1]
        for container in axes.containers:
            for artist in (container[0], *container[1], *container[2]):
                bottom = axes.transData.inverted().transform((0, artist.get_clip_box().y0))[1]
                assert bottom >= top


def test_the_arms_of_one_budget_keep_clear_of_the_next(both: Results) -> None:
    axes = plot_of(both, "label_budget").axes[0]
    places = np.array([container[0].get_xdata() for container in axes.containers if len(container[0].get_xdata()) == 3])
    assert np.all(places[:, :-1].max(axis=0) < places[:, 1:].min(axis=0))
    low, high = axes.get_xlim()
    assert low < places.min() < places.max() < high


def test_the_pretraining_plot_counts_the_encoders_of_reported_runs(asked: Asked, tmp_path: Path) -> None:
    """Trials start from an encoder of their own, which is none of the five."""
    results = asked("tuning={factors: [1.0, 3.0], per: study}")
    assert sum(run.kind == "pretrain" for run in results.plan.runs.values()) == 12
    titles = [axes.get_title(loc="left") for axes in plot_of(results, "pretraining").axes]
    assert titles == ["deep-sets/simclr-pretraining (5 seeds)", "resnet15/simclr-pretraining (5 seeds)"]


def test_the_legend_of_the_curves_stands_below_them(both: Results) -> None:
    """Inside it would lie over curves and bands; it is whole, and names each arm with its AUC, and chance."""
    figure = plot_of(both, "roc_50")
    figure.draw_without_rendering()
    (axes,), (legend,) = figure.axes, figure.legends
    box = legend.get_window_extent()
    assert box.y1 < axes.get_window_extent().y0
    assert figure.bbox.x0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert len(legend.get_texts()) == len({text.get_text() for text in legend.get_texts()}) == len(axes.get_lines())
