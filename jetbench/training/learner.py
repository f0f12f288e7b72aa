"""What a run trains: a network by the loop, or a model that is fitted at once. Both train, predict and save."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from jetbench.data.batch import JetTensors
from jetbench.data.batches import Batches
from jetbench.models.cost import Cost, network_cost
from jetbench.models.fitted import FittedModel
from jetbench.models.network import Network
from jetbench.objectives.base import Objective
from jetbench.seeds import derive
from jetbench.spec import RunSpec
from jetbench.tasks.task import Task
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.journal import Journal
from jetbench.training.bundle import Preprocessing, save_bundle
from jetbench.training.loop import fit
from jetbench.training.signs import Trained
from jetbench.training.stops import Flag, Limits
from jetbench.training.validation import network_outputs

__all__ = ["FittedLearner", "Learner", "NetworkLearner"]


class Learner(ABC):
    """A model in training on the jets at `rows` (k,). `parameters` and the floating-point operations for one jet, `flops`, are
    those of a network; what is fitted has none."""

    rows: np.ndarray
    parameters = 0
    flops = 0

    @property
    def network_told(self) -> dict[str, str]:
        """What a tracker tells of the network: parameters, floating-point operations for one jet, shapes; nothing of what is
        fitted."""
        return {}

    @abstractmethod
    def train(self, journal: Journal, folder: Path, stop: Flag) -> Trained:
        """Train and return the costs, and the signs of its length where it has one; a checkpoint in the folder is taken up."""

    @abstractmethod
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Predict the jets of the dataset at `rows` (n,): what the task makes of the outputs."""

    @abstractmethod
    def predict_other(self, name: str) -> np.ndarray:
        """Predict all jets of the other test set of this name, shown as those of the dataset are."""

    @abstractmethod
    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write the model with all that its use needs, and return the files."""


@dataclass(frozen=True, eq=False)
class NetworkLearner(Learner):
    """`jets` and `rows` are what it is trained on, `labelled` the jets of the dataset, `others` read those of other test sets;
    `validate` is None where no head is trained, and `diagnose` where one is; a study stops the training where it is beyond one of
    the `limits`. `pool` are the jets without targets, and their rows, that the objective looks at beside those."""

    spec: RunSpec
    task: Task
    network: Network
    objective: Objective
    preprocessing: Preprocessing
    jets: JetTensors
    rows: np.ndarray
    labelled: JetTensors
    validate: Callable[[], dict[str, float]] | None
    others: Mapping[str, Callable[[], JetTensors]] = field(default_factory=dict)
    limits: Limits = field(default_factory=dict)
    diagnose: Callable[[], dict[str, float]] | None = None
    pool: tuple[JetTensors, np.ndarray] | None = None

    def train(self, journal: Journal, folder: Path, stop: Flag) -> Trained:
        size, seed = self.spec.recipe.batch_size, self.spec.seed
        return fit(
            self.spec.recipe,
            self.network,
            self.objective,
            Batches(self.jets, self.rows, size, seed),
            journal,
            folder,
            stop,
            seed=seed,
            pool=None if self.pool is None else Batches(*self.pool, size, seed),
            precision=self.spec.precision,
            validate=self.validate,
            diagnose=self.diagnose,
            frozen=self.spec.trains == "head",
            limits=self.limits,
            fault=self.spec.fault,
        )

    @cached_property
    def cost(self) -> Cost:
        """What the network computes for one jet."""
        return network_cost(self.network, self.preprocessing.fitted.shapes, self.task.outputs(self.labelled.meta))

    @property
    def parameters(self) -> int:  # type: ignore[override]
        return self.cost.parameters

    @property
    def flops(self) -> int:  # type: ignore[override]
        return self.cost.flops

    @property
    def network_told(self) -> dict[str, str]:
        return {"parameters": str(self.parameters), "flops": str(self.flops), "shapes": self.cost.shapes}

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self._predicted(self.labelled, rows)

    def predict_other(self, name: str) -> np.ndarray:
        jets = self.others[name]()
        return self._predicted(jets, np.arange(len(jets)))

    def _predicted(self, jets: JetTensors, rows: np.ndarray) -> np.ndarray:
        outputs = network_outputs(self.network, self.preprocessing.fitted, jets, rows, self.spec.precision)
        return self.task.predict(outputs)

    def save(self, folder: Path) -> tuple[Path, ...]:
        learnt = {} if self.spec.targets == "none" else self.task.learnt()
        parts = (self.spec.model, self.spec.task, self.preprocessing, learnt)
        files = save_bundle(folder, self.network, *parts, fault=self.spec.fault)
        last = RunFolder(folder).last_weights
        return (*files, last) if last.exists() else files


@dataclass(frozen=True, eq=False)
class FittedLearner(Learner):
    """`table` (n, columns) holds what the view shows of all jets of the dataset, `others` read that (m, columns) of other test
    sets; `target` (n,) is what the training may see, and `weights` (n,) are those of the jets in it. A jet without weight is not
    shown: leaves would count it."""

    spec: RunSpec
    task: Task
    model: FittedModel
    table: np.ndarray
    columns: tuple[str, ...]
    target: np.ndarray
    rows: np.ndarray
    others: Mapping[str, Callable[[], np.ndarray]] = field(default_factory=dict)
    weights: np.ndarray | None = None

    def train(self, journal: Journal, folder: Path, stop: Flag) -> Trained:
        started, seed = time.monotonic(), derive("init", "encoder", self.spec.seed)
        chosen = self.rows if self.weights is None else self.rows[self.weights[self.rows] > 0]
        given = {} if self.weights is None else {"sample_weight": self.weights[chosen] / self.weights[chosen].mean()}
        journal.cut(0)
        self.model.fit(self.table[chosen], self.columns, self.target[chosen], seed, self.spec.recipe.learning_rate, **given)
        jets, seconds = float(len(chosen)), time.monotonic() - started
        return Trained({"passes": jets, "seconds": seconds, "training_jets_per_second": jets / seconds}, {})

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(self.table[rows])

    def predict_other(self, name: str) -> np.ndarray:
        return self.model.predict(self.others[name]())

    def save(self, folder: Path) -> tuple[Path, ...]:
        self.model.save(folder)
        return (folder / self.model.FILE,)
