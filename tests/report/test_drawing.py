"""Plots of many arms and of few seeds: everything stays on the plot, and no two arms look the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from report.conftest import fake_instance
from report.pages import plot_of

from jetbench.report.arms import Look, looks
from jetbench.report.content import Plot
from jetbench.report.drawing import MOST_BANDS, ends, legend, limits
from jetbench.report.results import Results
from jetbench.report.sections import label_budget, learning_curves, pretraining, roc
from jetbench.statistics.means import Mean
from jetbench.suites.plan import Plan
from jetbench.suites.planning import make_plan
from jetbench.tasks.classification import AUC

Planted = Callable[..., Results]
SIZES = [f"simclr-{size}" for size in (100, 200, 300, 400)]  # rivals beside the primary comparison
MANY = (
    *(f"arms.{name}={{model: resnet15, regime: simclr, pool_jets: {name.removeprefix('simclr-')}}}" for name in SIZES),
    "arms.simclr-frozen={model: resnet15, regime: simclr-frozen}",
    "varies=[model, regime, pool_jets]",
    "recipes.simclr.batch_size=64",
    "tuning=null",
)


def mean(value: float, half: float | None, n: int = 2) -> Mean:
    low, high = (None, None) if half is None else (value - half, value + half)
    return Mean(mean=value, seed_error=half, test_error=0.0, low=low, high=high, n=n)


@pytest.fixture(scope="module")
def objectives() -> Plan:
    return make_plan(fake_instance(suite="objectives"))


def within(figure: Figure) -> bool:
    """Whether the legend lies on the plot."""
    figure.draw_without_rendering()
    (found,) = figure.legends
    box, sheet = found.get_window_extent(), figure.bbox
    return bool(sheet.x0 <= box.x0 and box.x1 <= sheet.x1 and sheet.y0 <= box.y0 and box.y1 <= sheet.y1)


def test_an_interval_ends_where_the_metric_does() -> None:
    assert ends(AUC, mean(0.9, 3.0)) == (0.0, 1.0)
    assert ends(AUC, mean(0.9, 0.05)) == pytest.approx((0.85, 0.95))
    assert ends(AUC, mean(0.9, None)) == (0.9, 0.9)


def test_an_axis_is_that_of_the_data_and_not_of_an_interval_of_two_seeds() -> None:
    means = [mean(0.90, 0.5), mean(0.92, 0.01)]
    low, high = limits(AUC, [0.90, 0.92], means)
    assert 0.85 < low < 0.87
    assert 0.95 < high < 0.97
    assert limits(AUC, [0.5, 1.0], [mean(0.5, 4.0)]) == (0.0, 1.0)


@pytest.mark.parametrize("arms", [2, 9, 21])
def test_a_legend_of_any_number_of_arms_lies_on_the_plot(arms: int) -> None:
    figure = Figure(figsize=(5.2, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for place in range(arms):
        axes.plot([0, 1], [place, place], label=f"barlow-twins-frozen-{place}")
    legend(figure, [axes], last=["barlow-twins-frozen-0"])
    assert within(figure)
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "barlow-twins-frozen-0"
    assert axes.get_position().height > 0.3


def test_no_two_arms_of_the_largest_suite_look_the_same(objectives: Plan) -> None:
    shown = looks(objectives)
    assert len(shown) > 20
    assert len({(look.color, look.marker, look.filled) for look in shown.values()}) == len(shown)
    for name in ("simclr", "moco", "barlow-twins", "vicreg", "byol", "masked", "obow"):
        whole, frozen = shown[name], shown[f"{name}-frozen"]
        assert (whole.color, whole.marker) == (frozen.color, frozen.marker)
        assert (whole.face, frozen.face) == (whole.color, "white")
    assert shown["simclr-lpft"].color == shown["simclr"].color


def test_arms_of_one_budget_stand_on_an_axis_by_name(objectives: Plan) -> None:
    named = looks(objectives)
    means = {(arm, 100): mean(0.9 + 0.001 * place, 0.004) for place, arm in enumerate(named)}
    means["class-prior", 100] = mean(0.5, None, n=1)
    figure = label_budget.draw(AUC, means, named, {"": tuple(named)}, (100,), 5, "95 %")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == list(named)
    assert [text.get_text() for text in axes.texts] == ["◄ 0.500"]
    assert not figure.legends
    figure.draw_without_rendering()
    assert all(figure.bbox.x0 <= text.get_window_extent().x0 for text in axes.get_yticklabels())


def test_many_pretrainings_stand_three_in_a_row() -> None:
    look = Look("#000000", "o", "-", False)
    curve = np.arange(3.0), np.ones((2, 3))
    names = [f"deep-sets/{'a-rather-long-name-of-' * place}pretraining" for place in range(4)] * 2 + ["x", "y"]
    figure = pretraining.draw({f"{name}{i}": (curve, look) for i, name in enumerate(names)})
    assert len(figure.axes) == 10
    assert figure.get_figwidth() < 12
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i] if one and other)


def test_two_seeds_stay_inside_the_range_of_the_metric(planted: Planted) -> None:
    figure = plot_of(planted("seeds=2", "labels=[50]", spread=0.03), "learning_curves")
    low, high = figure.axes[0].get_ylim()
    assert 0.0 <= low < high <= 1.0


def test_many_arms_have_no_bands_and_those_asked_about_a_curve(planted: Planted) -> None:
    results = planted(*MANY, "seeds=2", "labels=[50]")
    shown = learning_curves.plot(results, (50,), results.plan.arms)
    assert shown is not None
    curves = shown.draw(*shown.given)
    assert not any(axes.collections for axes in curves.axes[1:])
    assert within(curves)
    found = roc.plot(results, 50, results.plan.arms)
    assert found is not None
    assert shown_in(found) == {"scratch", "simclr", "boosted-trees", "supervised-pretrained", "mass-likelihood", "chance"}
    left = found.caption.split("Left out: ")[1]
    assert all(name in left for name in (*SIZES, "simclr-frozen", "random-frozen", "mass-distance"))


def test_few_arms_have_bands(finished: Results) -> None:
    assert sum(not look.muted for look in looks(finished.plan).values()) <= MOST_BANDS
    assert any(axes.collections for axes in plot_of(replace(finished), "learning_curves").axes)


def shown_in(plot: Plot) -> set[str]:
    (axes,) = plot.draw(*plot.given).axes
    return {name.split("  ")[0] for name in axes.get_legend_handles_labels()[1]}
