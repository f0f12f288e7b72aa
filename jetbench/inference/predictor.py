"""A finished run that predicts jets: a network by the view that it was trained with, or a fitted model by its table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, from_numpy

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError, RunError
from jetbench.inference.agreement import refuse_unlike
from jetbench.jets import Jets, Meta
from jetbench.jets.selection import blocks
from jetbench.models.fitted import FittedModel
from jetbench.models.network import Network
from jetbench.spec import RunSpec
from jetbench.tasks.task import Task
from jetbench.tracking.folder import RunFolder, noted
from jetbench.training.bundle import Preprocessing
from jetbench.training.device import device
from jetbench.training.validation import network_outputs
from jetbench.views import ViewEntry
from jetbench.views.table import Table

__all__ = ["FittedPredictor", "NetworkPredictor", "Predictor"]


class Predictor(ABC):
    """A finished run, in `folder`. `view` is the one that it was trained with, whatever has that name by now; `meta` is what the
    jets share that it was trained on, None where that is not known; `task` holds what it has learnt of the training labels;
    `network`, in evaluation mode, and `preprocessing` are None where the model was fitted to a table at once."""

    folder: Path
    spec: RunSpec
    view: ViewEntry
    task: Task
    meta: Meta | None
    network: Network | None = None
    preprocessing: Preprocessing | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.model_name}, view {self.spec.view.name}, of {self.folder}>"

    @property
    def model_name(self) -> str:
        return self.spec.model.name

    @property
    def key(self) -> str:
        """The digest that the run was planned by."""
        return str(noted(RunFolder(self.folder).done)["key"])

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """Those of the folder that `load_predictor` needs."""

    def refuse(self, jets: Meta) -> None:
        """Raise `RunError` for a run that was trained without labels, and so predicts nothing; `DataFileError` for jets that it
        would see otherwise than those that it was trained on."""
        if self.spec.targets == "none":
            raise RunError(f"a run of {self.model_name} without labels predicts nothing; name a run that starts from it")
        if self.meta is not None:
            refuse_unlike(self.spec, self.view, self.meta, jets)

    def predict(self, jets: Jets) -> np.ndarray:
        """Predict jets, which are read block by block: probabilities of class 1 (n,) of two classes, those of all classes (n, K)
        of more, or numbers (n,) in the target's unit; float64.

        Raises errors as `refuse` does, and `DataFileError` where there are no jets.
        """
        self.refuse(jets.meta)
        if not len(jets):
            raise DataFileError("there are no jets to predict")
        return np.concatenate([self.predict_block(block) for _, block in blocks(jets)])

    @abstractmethod
    def predict_block(self, jets: Jets) -> np.ndarray:
        """Predict jets in memory, as `predict` does."""

    @abstractmethod
    def inputs(self, jets: Jets) -> tuple[Tensor, ...]:
        """Return what the model sees of jets in memory: of an image network the image (n, channels, rows, columns), of a set the
        constituents (n, number, features) and their mask (n, number), of a fitted model its table (n, columns)."""


@dataclass(frozen=True, eq=False, repr=False)
class NetworkPredictor(Predictor):
    """A network with the preprocessing of its training."""

    folder: Path
    spec: RunSpec
    view: ViewEntry
    task: Task
    meta: Meta | None
    network: Network
    preprocessing: Preprocessing

    @property
    def files(self) -> tuple[Path, ...]:
        run = RunFolder(self.folder)
        return run.done, run.spec, run.bundle, run.weights

    def predict_block(self, jets: Jets) -> np.ndarray:
        rows = np.arange(len(jets))
        outputs = network_outputs(self.network, self.preprocessing.fitted, JetTensors(jets), rows, self.spec.precision)
        return self.task.predict(outputs)

    def inputs(self, jets: Jets) -> tuple[Tensor, ...]:
        (_, batch), *_ = JetTensors(jets).sweep(np.arange(len(jets)), max(1, len(jets)))
        seen = self.preprocessing.fitted(batch).to(device())
        found = tuple(seen[name] for name in self.preprocessing.fitted.shapes)
        return found if seen.mask is None else (*found, seen.mask)


@dataclass(frozen=True, eq=False, repr=False)
class FittedPredictor(Predictor):
    """A model that was fitted to a table at once."""

    folder: Path
    spec: RunSpec
    view: ViewEntry
    task: Task
    meta: Meta | None
    model: FittedModel

    @property
    def files(self) -> tuple[Path, ...]:
        run = RunFolder(self.folder)
        return run.done, run.spec, self.folder / self.model.FILE

    def predict_block(self, jets: Jets) -> np.ndarray:
        return self.predict_table(self.table(jets))

    def predict_table(self, table: np.ndarray) -> np.ndarray:
        """Predict jets by their table (n, columns), as `predict` does."""
        return np.asarray(self.model.predict(table), np.float64)

    def inputs(self, jets: Jets) -> tuple[Tensor, ...]:
        return (from_numpy(self.table(jets)),)

    def table(self, jets: Jets) -> np.ndarray:
        """Compute the table (n, columns) of jets in memory; it depends on the jets and the run's view alone."""
        table: type[Table] = self.view.load()
        return table.rows(jets, self.spec.view.options)
