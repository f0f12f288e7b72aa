"""The course of one training: its curves over epochs, passes and time, the epoch that was kept, and where overfitting begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jetbench.spec import Recipe
from jetbench.tasks.task import Metric
from jetbench.tracking.journal import Record

__all__ = ["EPOCHS", "History", "axes_of", "kept_epoch", "onset_of_overfitting", "read_history"]

EPOCHS = "epochs"  # the name of an axis


@dataclass(frozen=True, eq=False)
class History:
    """m epochs: their numbers from 1 on, passes and seconds at their ends, each (m,), and the curves by metric, each (m,), NaN at
    an epoch without a finite value. `kept` is the place of the epoch whose weights count, `onset` that of the last epoch before
    overfitting, None where there is none."""

    epochs: np.ndarray
    passes: np.ndarray
    seconds: np.ndarray
    curves: dict[str, np.ndarray]
    kept: int
    onset: int | None


def read_history(records: Sequence[Record], recipe: Recipe, selector: Metric, noise: float, seconds: float) -> History | None:
    """Return the course of a training from its journal; None where it has no epoch, as of a model that is fitted at once.

    `selector` is the metric that the recipe selects by, `noise` the standard error of the validation loss, `seconds` what the
    training took in all: the first epoch has what the times of the others leave of it.
    """
    noted = [record for record in records if {"train/loss", "train/passes"} <= set(record.metrics)]
    if not noted:
        return None
    names = dict.fromkeys(name for record in noted for name in record.metrics)  # what is not finite is noted elsewhere
    curves = {name: np.array([record.metrics.get(name, np.nan) for record in noted]) for name in names}
    selecting = curves.get(f"val/{selector.key}")
    best = recipe.select == "best" and selecting is not None
    return History(
        epochs=np.array([record.step + 1 for record in noted]),
        passes=curves["train/passes"],
        seconds=_seconds([record.time for record in noted], seconds),
        curves={name: curve for name, curve in curves.items() if name != "train/passes"},
        kept=kept_epoch(selecting, selector) if best and selecting is not None else len(noted) - 1,
        onset=onset_of_overfitting(curves["train/loss"], curves["val/loss"], noise) if "val/loss" in curves else None,
    )


def kept_epoch(values: np.ndarray, selector: Metric) -> int:
    """Return the place of the best of values (m,), of equal ones the first; NaN is never the best."""
    return int(np.nanargmax(values) if selector.larger_is_better else np.nanargmin(values))


def onset_of_overfitting(train: np.ndarray, validation: np.ndarray, noise: float) -> int | None:
    """Return the place of the least validation loss (m,) where the last one lies above it by more than the `noise` of such a loss
    while the training loss (m,) has fallen further; else None."""
    least = int(np.nanargmin(validation))
    return least if validation[-1] - validation[least] > noise and train[-1] < train[least] else None


def axes_of(history: History) -> Mapping[str, np.ndarray]:
    """Return what curves are drawn against, by the name of the axis."""
    return {EPOCHS: history.epochs, "passes / 1000": history.passes / 1000, "time  [s]": history.seconds}


def _seconds(times: Sequence[float], total: float) -> np.ndarray:
    """Seconds at the ends of epochs (m,), from the times at which they were noted."""
    since = np.array(times) - times[0]
    mean = since[-1] / (len(since) - 1) if len(since) > 1 else total
    first = total - since[-1]
    return since + (first if first > 0 else mean)  # a training that was interrupted has taken less than its times say
