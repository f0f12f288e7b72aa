"""The size of the pool: what a report says of arms that differ in it, from planted scores."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
from report.pages import Checked
from scipy import stats

from jetbench.report.export import comparisons_json
from jetbench.report.pool_gain import largest_minus, pool_gain_sentences
from jetbench.report.pool_size import pool_curves, pool_names, pool_sentences
from jetbench.report.published import published_pool_sizes
from jetbench.report.published_beside import pool_size_lines
from jetbench.report.results import Results
from jetbench.report.rows import places
from jetbench.report.sections import contents_of
from jetbench.report.sections.pool_size import render
from jetbench.report.sentences import answer, answers, remarks
from jetbench.report.summary import summary
from jetbench.report.words import brief_difference
from jetbench.suites.plan import CellKey
from jetbench.tasks.classification import AUC
from jetbench.tasks.regression import RMSE

SIZES = (100, 200, 400, 800)
EXPONENT = 0.25
AREAS = {f"simclr-{size}": 1 - 0.09 * (size / 100) ** -EXPONENT for size in SIZES}
ARMS = tuple(f"arms.simclr-{size}={{model: resnet15, regime: simclr, pool_jets: {size}}}" for size in SIZES)
OTHERS = ("boosted-trees", "mass-likelihood", "mass-distance", "class-prior", "random-frozen", "supervised-pretrained", "simclr")
SUITE = (
    *ARMS,
    *(f"arms.{name}=null" for name in OTHERS),
    "varies=[regime, pool_jets]",
    "primary={arm: simclr-800, baseline: scratch}",
    "tuning=null",
    "recipes.simclr.batch_size=64",
)


@pytest.fixture
def sized(planted: Callable[..., Results]) -> Callable[..., Results]:
    """`sized(overrides)`: results of four sizes of the pool, at two budgets, where scratch has `scratch` as its AUC."""

    def make(*overrides: str, scratch: float = 0.86, **content: object) -> Results:
        return planted(*SUITE, *overrides, areas={**AREAS, "scratch": scratch}, spread=0.001, **content)

    return make


def test_the_planted_exponent_is_in_its_interval(sized: Callable[..., Results]) -> None:
    results = sized()
    curves = pool_curves(results)
    assert [(curve.labels, curve.baseline, tuple(curve.arms)) for curve in curves] == [(n, "scratch", SIZES) for n in (50, 200)]
    for curve in curves:
        assert curve.law is not None
        assert curve.seeds == 5
        exponent = curve.law.exponent
        assert exponent.low is not None
        assert exponent.high is not None
        assert exponent.low < EXPONENT < exponent.high
        assert exponent.high - exponent.low < EXPONENT
    line, first = pool_sentences(results)[0], curves[0].law
    assert first is not None
    assert line.startswith("At 50 labels 1 − AUC of resnet15 under simclr goes as the number of unlabelled jets to the power −α")
    assert f"α = {first.exponent.mean:.3f} [{first.exponent.low:.3f}, {first.exponent.high:.3f}] (95 % interval; ±" in line
    assert line.endswith("fitted to 100, 200, 400 and 800 jets over 5 seeds.")
    assert line in remarks(results)
    assert json.loads(comparisons_json(results))["pool_sizes"][0]["law"]["exponent"]["mean"] == first.exponent.mean


def test_an_exponent_is_that_of_the_seeds_areas_and_of_the_covariance_of_all_models(sized: Callable[..., Results]) -> None:
    """The variance over the test sample by brute force: from the covariance of all twenty models."""
    results = sized("labels=[50]")
    law = pool_curves(results)[0].law
    assert law is not None
    cells = [CellKey(f"simclr-{size}", 50, seed) for seed in range(5) for size in SIZES]
    left = 1 - np.array([results.cells[cell]["test/auc"] for cell in cells]).reshape(5, 4)
    slopes = [-stats.linregress(np.log(SIZES), np.log(row)).slope for row in left]
    assert law.exponent.mean == pytest.approx(np.mean(slopes))
    scores = np.stack([results.scores(cell)[2] for cell in cells])
    full = results.task.covariance(results.scores(cells[0])[1], scores, np.eye(20))
    x = np.log(SIZES) - np.log(SIZES).mean()
    gradient = (x / (x @ x) / left / 5).ravel()
    assert law.exponent.test_error == pytest.approx(math.sqrt(gradient @ full @ gradient))


@pytest.mark.parametrize(
    ("overrides", "content", "reason"),
    [
        (("arms.simclr-100=null", "arms.simclr-200=null"), {}, "needs 3 sizes of the pool, and 2 of them have finished seeds"),
        (("seeds=1",), {}, "takes 2 seeds or encoders that all sizes have finished, and there is 1"),
        ((), {"missing": lambda cell: cell.arm == "simclr-200" and cell.seed > 0}, "takes 2 seeds .* and there is 1"),
    ],
)
def test_where_there_is_no_exponent_the_reason_is_told(
    sized: Callable[..., Results], overrides: tuple[str, ...], content: dict[str, object], reason: str
) -> None:
    results = sized("labels=[50]", *overrides, **content)
    (sentence,) = pool_sentences(results)
    assert sentence.startswith("At 50 labels the size of the pool has no exponent for resnet15 under simclr: ")
    assert re.search(reason, sentence)
    content_shown = render(results)
    assert content_shown is not None
    assert sentence in content_shown.body.replace("&#39;", "'")


@pytest.mark.parametrize(("overrides", "scratch", "verdict"), [((), 0.99, "worse"), (("seeds=4",), 0.86, "undecided")])
def test_a_curve_that_is_not_shown_to_gain_has_its_exponent_with_a_caveat(
    sized: Callable[..., Results], overrides: tuple[str, ...], scratch: float, verdict: str
) -> None:
    """The exponent is that of the arms alone, whatever their baseline does."""
    results = sized("labels=[50]", *overrides, scratch=scratch)
    (curve,), (sentence,) = pool_curves(results), pool_sentences(results)
    (gained,) = pool_curves(sized("labels=[50]", *overrides, scratch=0.7))
    assert curve.law is not None
    assert curve.law == gained.law
    assert f"; the arm with the largest pool, simclr-800, is not shown to be better than scratch ({verdict})." in sentence
    written = json.loads(comparisons_json(results))["pool_sizes"][0]
    assert written["caveat"] in sentence
    assert written["law"]["exponent"]["low"] == curve.law.exponent.low
    content = render(results)
    assert content is not None
    assert sentence in content.body
    assert f"[{curve.law.exponent.low:.3f}, {curve.law.exponent.high:.3f}]" in content.body


def test_a_flat_curve_has_an_exponent_whose_interval_holds_zero(planted: Callable[..., Results]) -> None:
    flat = {f"simclr-{size}": 0.9 for size in SIZES}
    results = planted(*SUITE, "labels=[50]", areas={**flat, "scratch": 0.9}, spread=0.001)
    (curve,) = pool_curves(results)
    assert curve.law is not None
    assert curve.law.exponent.low < 0 < curve.law.exponent.high  # type: ignore[operator]
    assert curve.caveat
    assert not pool_curves(planted(*SUITE, "labels=[50]", areas={**AREAS, "scratch": 0.86}, spread=0.001))[0].caveat


def test_a_perfect_seed_has_no_exponent(sized: Callable[..., Results]) -> None:
    results = sized("labels=[50]")
    key = CellKey("simclr-800", 50, 0)
    results.cells[key] = {**results.cells[key], "test/auc": 1.0}
    (sentence,) = pool_sentences(results)
    assert sentence.endswith("under simclr: a seed leaves nothing to the best AUC there is, and a power law is never zero.")


def test_encoders_that_seeds_share_are_its_units(sized: Callable[..., Results]) -> None:
    results = sized("labels=[50]", "seeds=10", "pretraining_seeds=5")
    law = pool_curves(results)[0].law
    assert law is not None
    assert law.exponent.n == 5


def test_a_pool_of_all_jets_counts_as_many_as_it_has_found(
    sized: Callable[..., Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = sized("labels=[50]", "arms.simclr={model: resnet15, regime: simclr}")
    monkeypatch.setattr(Results, "metrics", lambda self, key: {"train/jets": 950.0})
    assert pool_curves(results)[0].arms[950] == "simclr"


def test_sizes_stand_in_order_and_all_is_called_so(sized: Callable[..., Results], monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite names the arm with all jets last or first: the table has it behind the largest part."""
    results = sized("labels=[50]", "arms.simclr={model: resnet15, regime: simclr}")
    arms = ["scratch", "simclr", *(f"simclr-{size}" for size in SIZES)]
    monkeypatch.setattr(type(results.plan), "arms", arms)
    monkeypatch.setattr(Results, "metrics", lambda self, key: {"train/jets": 950.0})
    assert [arm for arm, _ in places(results)] == ["scratch", *(f"simclr-{size}" for size in SIZES), "simclr"]
    assert pool_names(results) == {**{f"simclr-{size}": f"{size} jets" for size in SIZES}, "simclr": "all (950) jets"}
    content = render(results)
    assert content is not None
    assert "all (950) jets" in content.body


def test_the_section_draws_a_panel_for_each_budget(sized: Callable[..., Results]) -> None:
    content = render(sized())
    assert content is not None
    plot, gains = content.plots
    figure = plot.draw(*plot.given)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == ["50 labels", "200 labels"]
    assert all(axes.get_xscale() == "log" for axes in figure.axes)
    assert all(tuple(axes.get_xticks()) == SIZES for axes in figure.axes)
    beside = gains.draw(*gains.given)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in beside.axes] == ["50 labels", "200 labels"]
    assert all(tuple(axes.get_xticks()) == SIZES for axes in beside.axes)
    assert "Published: 0.9748, 0.9769, 0.9787, 0.9795 at 100" in content.body


def test_the_answer_begins_with_the_largest_minus_the_smallest_pool(sized: Callable[..., Results]) -> None:
    """Paired by seeds and jets: the difference of the means, with the interval of that comparison; the table has every size."""
    results = sized("labels=[50]")
    first = answer(results).splitlines()[0]
    found = results.compare("simclr-800", "simclr-100", 50)
    assert found is not None
    assert found.difference == pytest.approx((results.headlines("simclr-800", 50) - results.headlines("simclr-100", 50)).mean())
    difference = brief_difference(results.metric, found)
    assert first == (
        f"Largest minus smallest pool of resnet15 under simclr, 800 against 100 unlabelled jets, test AUC: {difference} at 50 "
        "labels (better)."
    )
    assert answer(results).splitlines()[1] == answers(results)[0].splitlines()[0]
    content = render(results)
    assert content is not None
    text = " ".join(Checked(str(content.body).replace("</td>", " </td>")).text.split())
    differences = {arm: brief_difference(results.metric, one) for (arm, _), one in largest_minus(results).items()}
    assert list(differences) == ["simclr-100", "simclr-200", "simclr-400"]
    assert all(one.family == 3 for one in largest_minus(results).values())
    assert f"largest pool minus it {differences['simclr-100']}better {differences['simclr-200']}" in text
    gained = brief_difference(results.metric, results.comparisons["simclr-200", 50])
    assert "minus scratch" in text
    assert gained in text
    (summed,) = [one for one in contents_of(results) if one.anchor == "summary"]
    assert first in summed.body
    assert not summed.plots


def test_without_different_sizes_there_is_nothing_to_say(finished: Results) -> None:
    assert render(finished) is None
    assert pool_sentences(finished) == pool_gain_sentences(finished) == summary(finished) == []


def test_the_published_exponent_is_that_of_its_printed_values(sized: Callable[..., Results]) -> None:
    (row,) = published_pool_sizes(AUC)
    slope = stats.linregress(np.log([1e5, 1e6, 1e7, 1e8]), np.log([0.0252, 0.0231, 0.0213, 0.0205])).slope
    assert row.exponent(AUC) == pytest.approx(-slope)
    assert row.exponent(AUC) == pytest.approx(0.0304, abs=1e-4)
    assert published_pool_sizes(RMSE) == published_pool_sizes(AUC.replace(name="AUC (one-vs-one)")) == ()
    (line,) = pool_size_lines(sized("labels=[50]"))
    assert "fitted likewise α = 0.030, of which printed means tell no interval" in line
    assert "it lies below the interval of resnet15 under simclr at 50 labels" in line
    assert "arXiv:2606.14870" in line
