"""A model that can be used: weights with the preprocessing that they were trained with, and what they expect to see."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import SerializeAsAny, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from jetbench.data.batch import JetTensors
from jetbench.errors import DataFileError, UnknownNameError
from jetbench.files import replacing, write_json
from jetbench.jets import Channel
from jetbench.models.network import Network
from jetbench.spec import Component
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.specs import FAULT
from jetbench.values import Value
from jetbench.views import views
from jetbench.views.view import FittedView, fit_view

__all__ = [
    "Preprocessing",
    "fit_preprocessing",
    "load_encoder",
    "load_network",
    "load_preprocessing",
    "save_bundle",
    "save_weights",
]

FIT_JETS = 2000  # jets of the pool that the scaling is fitted on: its numbers move by a percent beyond


class Preprocessing(Value):
    """The fitted view, by the name and options that it was settled with, and the channels and classes of the jets."""

    view: Component
    channels: tuple[Channel, ...]
    class_names: tuple[str, ...]
    fitted: SerializeAsAny[FittedView]

    @model_validator(mode="before")
    @classmethod
    def _by_its_name(cls, values: dict[str, Any]) -> dict[str, Any]:
        """From JSON, the fitted view is what the view's name says."""
        if isinstance(values.get("fitted"), dict):
            view: type[FittedView] = views[Component.model_validate(values["view"]).name].load()
            return {**values, "fitted": view.model_validate(values["fitted"])}
        return values


def fit_preprocessing(view: Component, pool: JetTensors, rows: np.ndarray) -> Preprocessing:
    """Fit the view on jets that are spread evenly over the rows (n,) of a pool, without labels: the same ones for every run."""
    chosen = rows[:: max(1, len(rows) // FIT_JETS)][:FIT_JETS]
    fitted = fit_view(view, pool.batch(torch.from_numpy(chosen)))
    return Preprocessing(view=view, channels=pool.meta.channels, class_names=pool.meta.class_names, fitted=fitted)


def save_bundle(
    folder: Path,
    network: Network,
    model: Component,
    task: Component,
    preprocessing: Preprocessing,
    learnt: Mapping[str, Any],
    fault: str | None = None,
) -> tuple[Path, Path]:
    """Write `model.safetensors` and, beside it, `bundle.json`, and return both; each is replaced atomically. `learnt` is what the
    task has learnt of the training labels; of a run with a `fault` the weights bear its name."""
    files = RunFolder(folder).weights, RunFolder(folder).bundle
    save_weights(files[0], network, fault)
    parts = {"model": model, "task": task, "preprocessing": preprocessing}
    write_json(files[1], {name: part.model_dump(mode="json") for name, part in parts.items()} | {"labels": dict(learnt)})
    return files


def save_weights(path: Path, network: Network, fault: str | None = None) -> None:
    """Write the weights of a network by their names in it; the file is replaced atomically. Of a run with a `fault` they bear its
    name, so that it is known wherever the file is taken to."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path) as temporary:
        save_file(weights, temporary, {FAULT: fault} if fault else None)


def load_preprocessing(folder: Path) -> Preprocessing:
    """Read the preprocessing of a finished run; raises `DataFileError` where it cannot be read."""
    path = RunFolder(folder).bundle
    try:
        return Preprocessing.model_validate(json.loads(path.read_text())["preprocessing"])
    except (OSError, ValueError, KeyError, ValidationError, UnknownNameError) as error:
        raise DataFileError(f"{path}: not a readable bundle ({error})") from error


def load_encoder(folder: Path, network: Network) -> None:
    """Copy the encoder of a finished run into `network`; its head stays as it is. Raises `DataFileError` where none fits."""
    _load(folder, network.encoder, "encoder")


def load_network(folder: Path, network: Network) -> None:
    """Copy the encoder and the head of a finished run into `network`. Raises `DataFileError` where they do not fit."""
    _load(folder, network, "network")


def _load(folder: Path, module: nn.Module, called: str) -> None:
    """Copy the weights of a finished run that stand below the name of a part of the network, or all of them."""
    path, prefix = RunFolder(folder).weights, "" if called == "network" else f"{called}."
    try:
        weights = load_file(path)
        module.load_state_dict({name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise DataFileError(f"{path}: does not hold the weights of this {called} ({error})") from error
