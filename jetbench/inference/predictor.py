"""A finished run that predicts jets: a network by the view that it was trained with, or a fitted model by its table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError, RunError
from jetbench.jets import Jets
from jetbench.jets.selection import blocks
from jetbench.models.fitted import FittedModel
from jetbench.models.network import Network
from jetbench.spec import RunSpec
from jetbench.tasks.task import Task
from jetbench.training.bundle import Preprocessing
from jetbench.training.device import device
from jetbench.training.validation import network_outputs
from jetbench.views import views
from jetbench.views.table import Table

__all__ = ["FittedPredictor", "NetworkPredictor", "Predictor"]


class Predictor(ABC):
    """A finished run. `task` holds what it has learnt of the training labels; `network`, in evaluation mode, and `preprocessing`
    are None where the model was fitted to a table at once."""

    spec: RunSpec
    task: Task
    network: Network | None = None
    preprocessing: Preprocessing | None = None

    @property
    def model_name(self) -> str:
        return self.spec.model.name

    def predict(self, jets: Jets) -> np.ndarray:
        """Predict jets, which are read block by block: probabilities of class 1 (n,) of two classes, those of all classes (n, K)
        of more, or numbers (n,) in the target's unit; float64.

        Raises `RunError` for a run that was trained without labels, and so predicts nothing; `DataFileError` where there are no
        jets.
        """
        if self.spec.targets == "none":
            raise RunError(f"a run of {self.model_name} without labels predicts nothing; name a run that starts from it")
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


@dataclass(frozen=True, eq=False)
class NetworkPredictor(Predictor):
    """A network with the preprocessing of its training."""

    spec: RunSpec
    task: Task
    network: Network
    preprocessing: Preprocessing

    def predict_block(self, jets: Jets) -> np.ndarray:
        rows = np.arange(len(jets))
        outputs = network_outputs(self.network, self.preprocessing.fitted, JetTensors(jets), rows, self.spec.precision)
        return self.task.predict(outputs)

    def inputs(self, jets: Jets) -> tuple[Tensor, ...]:
        tensors = JetTensors(jets)
        (_, batch), *_ = tensors.sweep(np.arange(len(jets)), max(1, len(jets)))
        seen = self.preprocessing.fitted(batch).to(device())
        found = tuple(seen[name] for name in self.preprocessing.fitted.shapes)
        return found if seen.mask is None else (*found, seen.mask)


@dataclass(frozen=True, eq=False)
class FittedPredictor(Predictor):
    """A model that was fitted to a table at once."""

    spec: RunSpec
    task: Task
    model: FittedModel

    def predict_block(self, jets: Jets) -> np.ndarray:
        return np.asarray(self.model.predict(self._table(jets)), np.float64)

    def inputs(self, jets: Jets) -> tuple[Tensor, ...]:
        from torch import from_numpy

        return (from_numpy(self._table(jets)),)

    def _table(self, jets: Jets) -> np.ndarray:
        view: type[Table] = views[self.spec.view.name].load()
        return view.rows(jets, self.spec.view.options)
