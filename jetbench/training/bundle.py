"""A model that can be used: weights with the preprocessing that they were trained with, and what they expect to see."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from jetbench.data.batch import Batch
from jetbench.errors import DataFileError
from jetbench.files import replacing, write_json
from jetbench.jets import Channel
from jetbench.models.network import Network
from jetbench.spec import Component
from jetbench.tracking.folder import RunFolder
from jetbench.values import Value
from jetbench.views.frame import image_grid
from jetbench.views.image import render
from jetbench.views.scaling import Scaling, fit_scaling

__all__ = ["Preprocessing", "fit_preprocessing", "load_encoder", "load_preprocessing", "save_bundle"]

FIT_JETS = 2000  # jets of the pool that the scaling is fitted on: its figures move by a percent beyond


class Preprocessing(Value):
    """From a batch to the network's input: view, channels and fitted scaling."""

    view: Component
    channels: tuple[Channel, ...]
    class_names: tuple[str, ...]
    scaling: Scaling

    def renderer(self) -> Callable[[Batch], Tensor]:
        """Batch -> scaled images (n, channels, rows, columns)."""
        grid = image_grid(self.view)
        return lambda batch: self.scaling(render(batch, grid))


def fit_preprocessing(view: Component, pool: Batch) -> Preprocessing:
    """Fitted on a batch of the pool, without labels."""
    images = render(pool, image_grid(view))
    meta = pool.meta
    return Preprocessing(
        view=view, channels=meta.channels, class_names=meta.class_names, scaling=fit_scaling(images, meta.channels)
    )


def save_bundle(folder: Path, network: Network, model: Component, preprocessing: Preprocessing) -> None:
    """`model.safetensors` and, beside it, `bundle.json`; each is replaced atomically."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with replacing(RunFolder(folder).weights) as temporary:
        save_file(weights, temporary)
    card = {"model": model.model_dump(mode="json"), "preprocessing": preprocessing.model_dump(mode="json")}
    write_json(RunFolder(folder).bundle, card)


def load_preprocessing(folder: Path) -> Preprocessing:
    """The preprocessing of a finished run; raises `DataFileError` where it cannot be read."""
    path = RunFolder(folder).bundle
    try:
        return Preprocessing.model_validate(json.loads(path.read_text())["preprocessing"])
    except (OSError, ValueError, KeyError, ValidationError) as error:
        raise DataFileError(f"{path}: not a readable bundle ({error})") from error


def load_encoder(folder: Path, network: Network) -> None:
    """Copy the encoder of a finished run into `network`; its head stays as it is."""
    path = RunFolder(folder).weights
    try:
        weights = load_file(path)
        encoder = {name.removeprefix("encoder."): w for name, w in weights.items() if name.startswith("encoder.")}
        network.encoder.load_state_dict(encoder)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise DataFileError(f"{path}: does not hold the weights of this encoder ({error})") from error
