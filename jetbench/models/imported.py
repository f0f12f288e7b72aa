"""Weights that others have trained, stored as jetbench stores its own: safetensors and a bundle that says what they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors.torch import save_file

from jetbench.errors import DataFileError
from jetbench.files import replacing, write_json
from jetbench.models import models
from jetbench.models.network import Network, build_network
from jetbench.models.plain import view_shapes
from jetbench.models.weights import Weights, first_layer, load_weights, read_weights
from jetbench.spec import Component
from jetbench.tracking.folder import RunFolder
from jetbench.values import Value

__all__ = ["ImportedModel", "import_model"]

SIZE = 32  # pixels: no weight depends on them
SOME = 8  # channels of an image or features of a constituent, with which the first layer of any network can be built


class ImportedModel(Value):
    """The bundle of an imported model: the file by name and sha256, and what was adapted, in words. `channels` are those of its
    images, or the features of its constituents."""

    model: Component
    channels: int
    outputs: int
    file: str
    sha256: str
    adaptations: tuple[str, ...]


def import_model(path: Path, model: Component, folder: Path, outputs: int | None = None) -> ImportedModel:
    """Store the weights of a file in a folder, as `model.safetensors` and `bundle.json`, and return what they are.

    Channels are those of the file; `outputs` are too where none are given, but that the one of a linear head becomes two, those
    of two classes. Raises `DataFileError` for a file that is not read, does not fit or is of a run that is faulty on purpose,
    and for a folder that holds a model.
    """
    if any(there.exists() for there in (RunFolder(folder).weights, RunFolder(folder).bundle)):
        raise DataFileError(f"{folder}: holds a model already; name another folder")
    weights = read_weights(path)
    channels = _channels(weights, model)
    if outputs is None:
        outputs = 2 if weights.one_logit else weights.outputs or 2
    network = _network(model, channels, outputs)
    adaptations = load_weights(network, weights)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stored = ImportedModel(
        model=model, channels=channels, outputs=outputs, file=path.name, sha256=digest, adaptations=adaptations
    )
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(RunFolder(folder).weights) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, temporary)
    write_json(RunFolder(folder).bundle, stored.model_dump(mode="json"))
    return stored


def _channels(weights: Weights, model: Component) -> int:
    with torch.device("meta"):
        wanted = _network(model, SOME, 1).state_dict()
    name = first_layer(wanted)
    found = weights.tensors.get(name)
    if found is None or found.ndim != wanted[name].ndim:
        raise DataFileError(f"{weights.path}: does not fit {model.name}: it lacks that model's first layer")
    return found.shape[1] * SOME // wanted[name].shape[1]


def _network(model: Component, channels: int, outputs: int) -> Network:
    entry = models[model.name]
    return build_network(model, view_shapes(entry, channels, SIZE if entry.view == "image" else None), outputs, seed=0)
