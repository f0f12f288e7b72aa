"""What models lose where their test jets are varied, and whether one of them loses less.

A loss is a metric on the own test jets minus the same on varied ones, with the sign of a loss. Three samples can stand behind the
second number: other jets, which share nothing with the first; the same jets, varied one by one; or some of the same jets. In
every case the error from the test samples follows from what each jet moves the metrics by (`auc_influences`): what a jet adds to
both numbers cancels as far as it is the same, and jets that only one of them has count in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from jetbench.errors import RunError
from jetbench.statistics.comparison import Comparison, compare, seed_weights, unit_mean
from jetbench.statistics.means import Mean, mean_of

__all__ = ["Judged", "Loss", "compare_losses", "loss_of", "mean_loss", "sample_variance"]

Judged = tuple[np.ndarray, np.ndarray, np.ndarray]  # a metric of seeds (s,), its influences (s, n), the jets' rows (n,)


@dataclass(frozen=True, eq=False)
class Loss:
    """A metric of paired seeds on the own test jets and on varied ones, each (s,). `own` (n,) and `there` (m,) are what each jet
    moves the means over the seeds by; `place` (m,) is where a jet of the varied sample stands among the n, None where none of
    them does. `clusters` as for `statistics.comparison.compare`."""

    nominal: np.ndarray
    varied: np.ndarray
    own: np.ndarray
    there: np.ndarray
    place: np.ndarray | None
    larger_is_better: bool
    clusters: Sequence[int] | None = None

    @property
    def values(self) -> np.ndarray:
        """The losses (s,), positive where varied jets are harder."""
        lost = self.nominal - self.varied
        return lost if self.larger_is_better else -lost

    @property
    def means(self) -> tuple[float, float]:
        """The mean of the metric on the own and on the varied jets, over units."""
        return unit_mean(self.nominal, self.clusters), unit_mean(self.varied, self.clusters)


def loss_of(
    own: Judged, there: Judged, *, same_jets: bool, larger_is_better: bool, clusters: Sequence[int] | None = None
) -> Loss:
    """Return the loss of seeds from `own` to `there`. With `same_jets` equal rows are the same jet, and each row of the latter is
    among those of the former, which rise; else no jet is in both."""
    weights = seed_weights(len(own[0]), clusters)
    place = None
    if same_jets:
        place = np.searchsorted(own[2], there[2])
        if len(place) and (place.max() >= len(own[2]) or not np.array_equal(own[2][place], there[2])):
            raise RunError("varied test jets are no part of the own ones")
    return Loss(own[0], there[0], weights @ own[1], weights @ there[1], place, larger_is_better, clusters)


def sample_variance(own: np.ndarray, there: np.ndarray, place: np.ndarray | None) -> float:
    """Return the variance over the test jets of the difference of two metrics, from what each jet moves them by, (n,) and (m,).

    `place` (m,) is where the jets of the latter stand among those of the former; None where no jet is in both.
    """
    if place is None:
        return float(np.square(own).sum() + np.square(there).sum())
    moved = own.copy()
    moved[place] -= there
    return float(np.square(moved).sum())


def mean_loss(loss: Loss, shared: float = 0.0) -> Mean:
    """Return the mean loss over seeds, or over encoders that they share, with both of its errors; `shared` as for `compare`."""
    values = loss.values
    if loss.clusters is not None:
        values = np.array([values[np.asarray(loss.clusters) == one].mean() for one in np.unique(loss.clusters)])
    return mean_of(values, sample_variance(loss.own, loss.there, loss.place), shared)


def compare_losses(arm: Loss, baseline: Loss, margin: float, shared: float = 0.0) -> Comparison:
    """Compare the losses of two arms, seed by seed, on the same two samples: the arm is better where it loses less.

    What the four means have in common, the hardness of the varied jets above all, cancels in their test error. Raises `RunError`
    where the arms were tested on different jets, or have different clusters.
    """
    shapes = [(one.own.shape, one.there.shape, one.clusters) for one in (arm, baseline)]
    if shapes[0] != shapes[1]:
        raise RunError("losses are compared on the same jets, by seeds that share encoders alike")
    variance = sample_variance(arm.own - baseline.own, arm.there - baseline.there, arm.place)
    return compare(arm.values, baseline.values, variance, margin, larger_is_better=False, clusters=arm.clusters, shared=shared)
