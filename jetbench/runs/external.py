"""Imported weights as the beginning of a run: the file that was planned, in the network that the run has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError
from jetbench.jets import Jets
from jetbench.models.folders import weights_digest
from jetbench.models.imported import ImportedModel
from jetbench.models.network import Network, build_network
from jetbench.models.weights import load_weights, read_weights
from jetbench.spec import RunSpec
from jetbench.tasks import build_task
from jetbench.tracking.folder import RunFolder
from jetbench.training.bundle import fit_preprocessing

__all__ = ["adaptations", "load_imported"]

FEW = 2  # jets that a view is fitted on to know the shapes that it gives


def load_imported(network: Network, folder: Path, sha256: str) -> tuple[str, ...]:
    """Load the imported weights of a folder into a network, its head where it fits, and return what was adapted, in words.

    Raises `DataFileError` where others are there than were planned, where they come from no import, and where they do not fit.
    """
    if weights_digest(folder) != sha256:
        raise DataFileError(f"{folder}: replaced by other weights since the training was planned; start the command again")
    _refuse_run(folder)
    return load_weights(network, read_weights(folder))


def _refuse_run(folder: Path) -> None:
    """Weights of a run belong to its preprocessing, which an external arm does not take over."""
    try:
        ImportedModel.model_validate(json.loads(RunFolder(folder).bundle.read_text()))
    except (OSError, ValueError, ValidationError) as error:
        raise DataFileError(f"{folder}: was not written by `jetbench model import`; import the file of weights") from error


def adaptations(spec: RunSpec, folder: Path, jets: Jets) -> tuple[str, ...]:
    """Say what has to be adapted of the imported weights that a run on these jets starts from; raises as `load_imported` does."""
    assert spec.weights is not None
    shapes = fit_preprocessing(spec.view, JetTensors(jets[:FEW]), np.arange(FEW)).fitted.shapes
    network = build_network(spec.model, shapes, build_task(spec.task).outputs(jets.meta), spec.seed)
    return load_imported(network, folder, spec.weights.sha256)
