"""The course of trainings that are written down by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jetbench.insight.history import axes_of, kept_epoch, onset_of_overfitting, read_history
from jetbench.insight.sections import curves
from jetbench.recipes import recipes
from jetbench.tasks.task import LOSS, Metric
from jetbench.tracking.journal import Record

AUC = Metric(key="auc", name="AUC", larger_is_better=True)
RECIPE = recipes["supervised-small"].recipe
FALLING = np.array([0.9, 0.7, 0.5, 0.3, 0.1])


def journal(validation: list[float], times: list[float] | None = None) -> list[Record]:
    noted = [
        Record(
            time=100.0 + (times[k] if times else 10.0 * k),
            step=k,
            metrics={"train/loss": FALLING[k], "train/passes": 500.0 * (k + 1), "val/loss": loss, "val/auc": 1 - loss},
        )
        for k, loss in enumerate(validation)
    ]
    return [*noted, Record(time=999.0, step=0, metrics={"cost/seconds": 50.0})]


def course(validation: list[float], noise: float = 0.05, seconds: float = 50.0, **recipe: Any) -> Any:
    return read_history(journal(validation), RECIPE.replace(**recipe), LOSS, noise, seconds)


def test_curves_stand_against_epochs_passes_and_time() -> None:
    found = course([0.8, 0.6, 0.5, 0.55, 0.7])
    axes = axes_of(found)
    assert axes["epochs"].tolist() == [1, 2, 3, 4, 5]
    assert axes["passes / 1000"].tolist() == [0.5, 1.0, 1.5, 2.0, 2.5]
    assert axes["time  [s]"].tolist() == [10, 20, 30, 40, 50]
    assert set(found.curves) == {"train/loss", "val/loss", "val/auc"}


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_ticks_stand_at_whole_epochs(epochs: int) -> None:
    found = course([0.8, 0.6, 0.5, 0.55, 0.7][:epochs])
    drawn = curves.draw([{"axes": axes_of(found), "curves": found.curves}], {"loss": "loss"}, found.kept, None, False)
    (counted,) = (axes for axes in drawn.axes if axes.get_xlabel() == "epochs")
    low, high = counted.get_xlim()
    shown = [tick for tick in counted.get_xticks() if low <= tick <= high]
    assert shown == list(range(1, epochs + 1))
    assert len(counted.get_xticks(minor=True)) == 0


def test_a_training_that_was_interrupted_begins_with_a_mean_epoch() -> None:
    found = read_history(journal([0.5, 0.5, 0.5], [0.0, 10.0, 100.0]), RECIPE, LOSS, 0.0, 30.0)
    assert found is not None
    assert found.seconds.tolist() == [50, 60, 150]


def test_the_kept_epoch_is_the_last_or_the_best_by_what_the_recipe_selects_by() -> None:
    losses = [0.8, 0.6, 0.5, 0.55, 0.7]
    assert course(losses, select="last").kept == 4
    assert course(losses, select="best").kept == 2
    assert kept_epoch(np.array([0.6, 0.9, 0.9]), AUC) == 1
    assert kept_epoch(np.array([0.6, 0.5, 0.5]), LOSS) == 1


def test_an_epoch_without_a_finite_value_is_a_hole_in_its_curve() -> None:
    noted = journal([0.8, 0.6, 0.5, 0.55, 0.7])
    for k in (0, 3):
        del noted[k].metrics["val/auc"]
    found = read_history(noted, RECIPE.replace(select="best"), AUC, 0.05, 50.0)
    assert found is not None
    np.testing.assert_allclose(found.curves["val/auc"], [np.nan, 0.4, 0.5, np.nan, 0.3])
    assert found.kept == 2
    del noted[2].metrics["val/loss"]
    holed = read_history(noted, RECIPE.replace(select="best"), LOSS, 0.05, 50.0)
    assert holed is not None
    assert (holed.kept, holed.onset) == (3, 3)


def test_overfitting_begins_where_the_validation_loss_turns_for_good() -> None:
    assert course([0.8, 0.6, 0.5, 0.55, 0.7]).onset == 2


@pytest.mark.parametrize(
    ("validation", "train"),
    [
        ([0.8, 0.7, 0.6, 0.5, 0.4], FALLING),  # it falls to the end
        ([0.8, 0.6, 0.5, 0.52, 0.54], FALLING),  # it rises by less than its noise
        ([0.8, 0.6, 0.5, 0.55, 0.7], np.array([0.9, 0.7, 0.5, 0.6, 0.8])),  # the training loss rises with it
    ],
)
def test_what_is_no_overfitting(validation: list[float], train: np.ndarray) -> None:
    assert onset_of_overfitting(train, np.array(validation), 0.05) is None


def test_what_was_fitted_at_once_has_no_course() -> None:
    assert read_history([Record(1.0, 0, {"cost/seconds": 1.0})], RECIPE, LOSS, 0.0, 1.0) is None
