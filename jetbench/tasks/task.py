"""The shape of a task: all that a training, a suite and a report know of what is predicted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from jetbench.errors import RunError, SuiteError
from jetbench.registry import nearest
from jetbench.statistics.comparison import Comparison, compare, seed_weights, unit_mean
from jetbench.values import Value

if TYPE_CHECKING:
    from torch import Tensor

    from jetbench.jets import Jets, Meta

__all__ = ["LEAST", "LOSS", "MARGIN_SHARE", "Metric", "Paired", "Part", "Task"]

MARGIN_SHARE = 0.03  # of what the baseline leaves to perfection: differences below it are of no weight (protocol, section 5)

Part = Literal["train", "validation", "test"]
# jets that a part needs (of each class, where there are classes), and what they are called
LEAST: dict[Part, tuple[int, str]] = {
    "train": (1, "training labels"),
    "validation": (2, "validation labels, on which trials are compared,"),
    "test": (2, "test jets"),
}


class Metric(Value):
    """A number that judges predictions. `key` names it in files ("auc"), `name` in text ("AUC"); `low` and `high` are the ends of
    its range, None where it has none; `digits` are those that a reader is shown after the point: the last one is below the error
    of a test sample of up to some 10⁵ jets."""

    key: str
    name: str
    larger_is_better: bool
    low: float | None = None
    high: float | None = None
    unit: Literal["", "GeV"] = ""
    digits: int = 4

    def is_better(self, value: float, other: float) -> bool:
        return value > other if self.larger_is_better else value < other

    def left(self, values: np.ndarray) -> np.ndarray:
        """Return what values leave to the best there is: the upper end of the range, or its lower one, zero where it has none.

        Raises `RunError` where larger values are better without end.
        """
        return self._best - values if self.larger_is_better else values - self._best

    def leaving(self, left: np.ndarray) -> np.ndarray:
        """Return the values that leave so much: the inverse of `left`."""
        return self._best - left if self.larger_is_better else self._best + left

    @property
    def _best(self) -> float:
        if self.larger_is_better and self.high is None:
            raise RunError(f"{self.name} has no best value, so that nothing is left to it")
        return (self.high if self.larger_is_better else self.low) or 0.0


LOSS = Metric(key="loss", name="loss", larger_is_better=False)


@dataclass(frozen=True, eq=False)
class Paired:
    """The headline metric of two arms, seed by seed on the same test jets, each (s,): values of the arm, those of the baseline,
    and the variances of their differences over the test sample; `variance_of_mean` is that of the weighted mean difference."""

    values: np.ndarray
    baselines: np.ndarray
    variances: np.ndarray
    variance_of_mean: float


class Task(ABC):
    """What is predicted of a jet and how that is judged. `truth` is the target of n jets (n,) and `predictions` are what
    `predict` gives; a network's outputs are (n, outputs) in fp32.

    An epoch is judged by its loss on the validation jets or by another of `selectors`, a finished training by what each of them
    adds to the loss, and by `headline` on the test jets (among those of `evaluate`, with its error under `<key>_se`, and of
    `choose`). `averaged` says of what the predictions of several models are averaged.
    `quantity` is what the target measures, "mass" or "pt", empty for anything else: what changes it contradicts the target.
    `sections` name the parts of the report that are this task's own. `column` is the target's
    name in a file of jets, `chance` the headline of a model that knows nothing of a jet, where that is a fixed number.
    """

    column: str
    headline: Metric
    selectors: ClassVar[tuple[Metric, ...]]
    chance: float | None = None
    averaged: ClassVar[str]
    quantity: str = ""
    sections: ClassVar[tuple[str, ...]]

    @abstractmethod
    def unmet(self, meta: Meta, targets: Collection[str] | None) -> str:
        """Say why jets with these `targets` do not allow the task, as a clause after "these jets"; empty where they do.

        None as `targets` means that they are not known yet: jets that are still to be made.
        """

    def forged(self, jets: Jets) -> str:
        """Say what shows that the target of these jets is no number of theirs, as a clause after "these jets have a target that";
        empty where nothing shows it."""
        return ""

    @abstractmethod
    def shortage(self, part: Part, strata: np.ndarray, meta: Meta) -> str:
        """Say what a part of a split with these strata (n,) lacks, with the numbers; empty where it has enough jets.

        What is enough stays enough when jets are added.
        """

    @abstractmethod
    def outputs(self, meta: Meta) -> int:
        """Return the number of outputs of a network's head."""

    @abstractmethod
    def target(self, jets: Jets) -> np.ndarray:
        """Read the truth (n,)."""

    @abstractmethod
    def strata(self, jets: Jets) -> np.ndarray:
        """Return integers (n,) from 0 on; a split holds as large a share of each in every part. Where jets have classes, it is by
        them for every task, so that a pretraining without labels serves all tasks."""

    @abstractmethod
    def fitted(self, target: np.ndarray, meta: Meta) -> Self:
        """Return the task as the training labels (n,) of a run have it: what `learnt` holds is theirs."""

    @abstractmethod
    def learnt(self) -> dict[str, Any]:
        """Return what `fitted` has learnt, as plain content that is stored with the weights."""

    @abstractmethod
    def restored(self, learnt: Mapping[str, Any]) -> Self:
        """Return the task with what another one has learnt: the reverse of `learnt`."""

    def balanced(self) -> Self:
        """Return the task with a loss in which all classes have the same weight, whatever their number of training labels.

        Raises `SuiteError` where there are no classes.
        """
        raise SuiteError("class_weights are for a task with classes; leave them out")

    @abstractmethod
    def encode(self, target: Tensor, meta: Meta) -> Tensor:
        """Turn targets (n,) into what outputs are compared with: (n, outputs) fp32."""

    @abstractmethod
    def loss(self, outputs: Tensor, encoded: Tensor) -> Tensor:
        """Return what a training minimises, a scalar with gradient, from outputs and encoded targets, both (n, outputs): the
        mean of what each jet adds."""

    def weighted_loss(self, outputs: Tensor, encoded: Tensor, weight: Tensor) -> Tensor:
        """Return the mean of what each jet adds to `loss` times its weight (n,). A task that can do it at once is faster."""
        import torch

        alone = [self.loss(*one) for one in zip(outputs.split(1), encoded.split(1), strict=True)]
        return (weight * torch.stack(alone)).mean()

    @abstractmethod
    def diagnostics(self, outputs: Tensor, encoded: Tensor) -> dict[str, Tensor]:
        """Return what else a step of a training shows: metrics of `validate` by key, scalars without gradient."""

    @abstractmethod
    def predictions(self, outputs: Tensor) -> Tensor:
        """Turn outputs into predictions in float64, (n,) or (n, classes)."""

    def predict(self, outputs: Tensor) -> np.ndarray:
        """Turn outputs into predictions as `predictions` does, in an array."""
        return self.predictions(outputs).numpy()

    @abstractmethod
    def together(self, predictions: ArrayLike) -> np.ndarray:
        """Return what several models predict together, (n,) or (n, classes), from the predictions of each, (s, n) or
        (s, n, classes)."""

    @abstractmethod
    def validate(self, outputs: Tensor, target: Tensor) -> dict[str, float]:
        """Judge an epoch: "loss" and metrics by key, from outputs and targets (n,) of the validation jets."""

    @abstractmethod
    def losses(self, truth: ArrayLike, predictions: ArrayLike) -> np.ndarray:
        """Return what each jet adds to the loss (n,), whose mean over the validation jets decides between trials; finite."""

    @abstractmethod
    def choose(self, truth: ArrayLike, predictions: ArrayLike, meta: Meta) -> dict[str, float]:
        """Judge a finished training on its validation jets: the headline metric, its error and "loss" by key; nothing where there
        are too few jets to judge it."""

    @abstractmethod
    def evaluate(
        self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, jets: Jets, folder: Path
    ) -> tuple[dict[str, float], tuple[Path, ...]]:
        """Write files of the test jets into the folder; return their metrics as `test/<key>`, and the files.

        `rows` (n,) are the jets' places in the dataset `jets`. Raises `RunError` for what cannot be evaluated.
        """

    @abstractmethod
    def score(self, truth: ArrayLike, predictions: ArrayLike, rows: ArrayLike, meta: Meta, path: Path) -> dict[str, float]:
        """Write predictions of other jets than the test jets into the one file `path`; return the metrics of `evaluate` by key.

        `meta` is that of the jets; other arguments and errors are those of `evaluate`.
        """

    @abstractmethod
    def paired(self, truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, weights: ArrayLike) -> Paired:
        """Return the headline metric of two arms, from predictions (s, n) or (s, n, classes), row i of both being seed i.

        `weights` (s,), which sum to one, are the seeds' shares in the mean difference.
        """

    @abstractmethod
    def covariance(self, truth: ArrayLike, predictions: ArrayLike, weights: ArrayLike) -> np.ndarray:
        """Return the covariance over the test sample, (m, m), of m means of the headline metric over models.

        Takes predictions (s, n) or (s, n, classes) of s models, seeds of one arm or of several, and their weights (m, s).
        """

    @abstractmethod
    def influences(self, truth: ArrayLike, predictions: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the headline metric of models (s,) and what each jet moves it by (s, n), from predictions as for `covariance`.

        The products of two models' influences sum to the covariance of their metrics over the jets that both were tested on.
        """

    @abstractmethod
    def margin(self, baseline: float) -> float:
        """Return the largest difference of no weight, in the unit of the headline metric, against a baseline of this mean."""

    @abstractmethod
    def margin_text(self, baseline: str) -> str:
        """Describe the margin for a baseline of this name: "3 % of …"."""

    @classmethod
    def selector(cls, key: str) -> Metric:
        """Return the metric of `validate` that a recipe may select the best epoch by. Raises `SuiteError` for another."""
        found = {metric.key: metric for metric in cls.selectors}
        if key not in found:
            raise SuiteError(f"this task selects no epoch by it; {nearest(key, found)}")
        return found[key]

    def headline_of(self, meta: Meta) -> Metric:
        """Return the headline metric under the name that it has for jets with `meta`."""
        return self.headline

    def compare(
        self, truth: ArrayLike, arm: ArrayLike, baseline: ArrayLike, clusters: ArrayLike | None = None, shared: float = 0.0
    ) -> Comparison:
        """Compare two arms by their predictions of the test jets, shapes as for `paired`; `clusters` and `shared` as for
        `statistics.comparison.compare`.

        The test sample's error is that of the *mean* difference, which calibration measures at its nominal error rate.
        """
        found = self.paired(truth, arm, baseline, seed_weights(len(np.asarray(arm)), clusters))
        return compare(
            found.values,
            found.baselines,
            found.variance_of_mean,
            self.margin(unit_mean(found.baselines, clusters)),
            larger_is_better=self.headline.larger_is_better,
            clusters=clusters,
            shared=shared,
        )

    def compare_gains(
        self,
        truth: ArrayLike,
        one: tuple[np.ndarray, np.ndarray],
        other: tuple[np.ndarray, np.ndarray],
        clusters: ArrayLike | None = None,
        shared: float = 0.0,
    ) -> Comparison:
        """Compare the gains of two arms over their baselines, seed by seed. Each pair holds the predictions of an arm and of its
        baseline; `clusters` and `shared` as for `compare`. The margin is the smaller one of the two gains' own.

        (A − a) − (B − b) is the sum of the paired differences A − a and b − B, whose halves are a mean over twice the seeds: its
        variance over the test sample contains what all four share.
        """
        seeds = len(one[0])
        weights = np.tile(seed_weights(seeds, clusters), 2) / 2
        found = self.paired(truth, np.concatenate([one[0], other[1]]), np.concatenate([one[1], other[0]]), weights)
        differences = found.values - found.baselines
        baselines = found.baselines[:seeds], found.values[seeds:]
        return compare(
            differences[:seeds],
            -differences[seeds:],
            4 * found.variance_of_mean,
            min(self.margin(unit_mean(values, clusters)) for values in baselines),
            larger_is_better=self.headline.larger_is_better,
            clusters=clusters,
            shared=shared,
        )
