"""The data of a run: the dataset's jets, who is trained on and who is tested, and the pool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jetbench.data.splits import NONE_VALIDATES, Split, split_jets
from jetbench.data.weights import read_weights, unit_weights
from jetbench.errors import RunError
from jetbench.evaluation.teacher import read_teacher
from jetbench.faults.fault import fault_of
from jetbench.jets import Jets
from jetbench.runs.job import JetFiles, Job
from jetbench.runs.others import OtherTest, open_other
from jetbench.seeds import numpy_rng
from jetbench.tasks import build_task
from jetbench.tasks.task import Task

__all__ = ["RunData", "open_data"]


@dataclass(frozen=True, eq=False)
class RunData:
    """`task` is fitted on the training labels, if any. `strata` (n,) are what the split balances; `truth` (n,) is what the task
    asks of each jet of the dataset, and `seen` (n,) what the training is told instead: the same but where the run's labels are
    shuffled, or where it has a teacher, whose largest of the `probabilities` (n, classes) tells the class. `train` are rows of
    `pool`, which is the dataset or the jets of another file; `also` are the other test sets by name. `weights` (n,) are those of
    jets in the supervised loss, with mean one over the training jets; None where all weigh alike."""

    jets: Jets
    task: Task
    split: Split
    strata: np.ndarray
    truth: np.ndarray
    seen: np.ndarray
    pool: JetFiles | None
    also: Mapping[str, OtherTest]
    probabilities: np.ndarray | None = None
    weights: np.ndarray | None = None

    @property
    def counting(self) -> np.ndarray:
        """The rows (k,) of the training jets, those of no weight aside."""
        rows = self.split.train
        return rows if self.weights is None else rows[self.weights[rows] > 0]

    def judged(self, rows: np.ndarray, predictions: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """Judge predictions of the jets at `rows` (k,) against what the training is told of them: the metrics of `Task.choose`,
        and what each jet adds to the loss (k,). Weights are those of the loss alone, relative to their mean over these jets."""
        truth = self.seen[rows]
        metrics, losses = self.task.choose(truth, predictions, self.jets.meta), self.task.losses(truth, predictions)
        if self.weights is None:
            return metrics, losses
        losses = losses * unit_weights(self.weights, rows, "jets")[rows]
        return metrics | ({"loss": float(losses.mean())} if "loss" in metrics else {}), losses


def open_data(job: Job) -> RunData:
    """Open and split the jets of a run. Raises `RunError` where the labels do not suffice for its task, or none validates."""
    spec = job.spec
    jets, task = job.dataset.open(), build_task(spec.task)
    strata = task.strata(jets)
    split = split_jets(strata, jets.event[:], spec.test_jets, spec.labels, spec.seed, spec.dataset.sha256)
    if not len(split.validation):
        raise RunError(f"none of {len(split.train)} labels validates: {NONE_VALIDATES}; give more labels")
    split = fault_of(spec).split(split, strata, jets.event[:], spec)
    truth = task.target(jets)
    probabilities = read_teacher(job.scores, spec.scores) if job.scores and spec.scores else None
    seen = _shuffled(truth, split, spec.seed) if spec.targets == "shuffled" else truth
    seen = seen if probabilities is None else probabilities.argmax(axis=1)
    if spec.targets != "none":
        task = task.fitted(seen[split.train], jets.meta)
    weights = _weights(jets, spec.sample_weight, split) if spec.sample_weight else None
    also = {one.name: open_other(job, one, jets, strata, split.test) for one in spec.variations}
    return RunData(jets, task, split, strata, truth, seen, job.unlabelled, also, probabilities, weights)


def _weights(jets: Jets, name: str, split: Split) -> np.ndarray:
    weights = read_weights(jets, name)
    unit_weights(weights, split.validation, "validation jets")  # or no loss could judge
    return unit_weights(weights, split.train, "training jets")


def _shuffled(truth: np.ndarray, split: Split, seed: int) -> np.ndarray:
    """The targets permuted within the budget; the test jets keep theirs."""
    rows = np.concatenate([split.train, split.validation])
    seen = truth.copy()
    seen[rows] = truth[rows[numpy_rng("shuffle", seed).permutation(len(rows))]]
    return seen
