"""An answer of many verdicts begins with what they come to."""

from __future__ import annotations

from collections.abc import Callable

from report.pages import page_of

from jetbench.report.results import Results
from jetbench.report.sections import contents_of
from jetbench.report.sentences import answer
from jetbench.report.summary import summary
from jetbench.report.words import brief_difference

Planted = Callable[..., Results]
AREAS = {"scratch": 0.87, "one": 0.872, "two": 0.93, "three": 0.80}
RATES = (("one", 0.001), ("two", 0.002), ("three", 0.003))
SUITE = (
    *(f"arms.{arm}={{model: resnet15, regime: simclr, recipes: {{simclr: {{learning_rate: {rate}}}}}}}" for arm, rate in RATES),
    "arms.simclr=null",
    "varies=[model, regime, recipe.learning_rate]",
    "labels=[50]",
    "tuning=null",
)
PRIMARIES = "primary=[{arm: one, baseline: scratch}, {arm: two, baseline: scratch}, {arm: three, baseline: scratch}]"


def test_many_primary_comparisons_are_summed_up_in_order_of_their_differences(planted: Planted) -> None:
    results = planted(*SUITE, PRIMARIES, areas=AREAS)
    two, one, three = (brief_difference(results.metric, results.comparisons[arm, 50]) for arm in ("two", "one", "three"))
    (line,) = summary(results)
    assert line == (
        "Of 3 primary comparisons 2 are decided (two better; three worse); test AUC minus that of scratch at 50 labels, in "
        f"order: two {two}; one {one}; three {three}."
    )
    assert answer(results).startswith(f"{line}\n")
    first, second = contents_of(results)[:2]
    assert (first.anchor, second.anchor) == ("summary", "answer")
    (plot,) = first.plots
    figure = plot.draw(*plot.given)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["one", "two", "three"]
    assert page_of(results).index(line) < page_of(results).index(answer(results).splitlines()[1])


def test_where_nothing_is_decided_it_says_so(planted: Planted) -> None:
    (line,) = summary(planted(*SUITE, PRIMARIES, "seeds=2", areas=AREAS))
    assert line.startswith(
        "Of 3 primary comparisons none is decided; test AUC minus that of scratch at 50 labels, in order: two "
    )


def test_one_question_needs_no_summary(finished: Results) -> None:
    assert summary(finished) == []
    assert "primaries" not in {plot.name for content in contents_of(finished) for plot in content.plots}
