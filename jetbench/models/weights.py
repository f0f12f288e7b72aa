"""Weights from a file into a network: read without pickle's powers, named as the network's, and fitted where that makes sense."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from jetbench.errors import DataFileError
from jetbench.models.layouts import ENCODER, HEAD, layout_of, own_name
from jetbench.models.network import Network
from jetbench.tracking.folder import RunFolder
from jetbench.tracking.specs import refuse_faulty

__all__ = ["Weights", "first_layer", "load_weights", "read_weights"]

BELOW = ("state_dict", "model_state_dict")  # where checkpoints keep the weights among other things
WRAPPED = "module."  # in front of the names of a network that was trained on several devices


@dataclass(frozen=True)
class Weights:
    """Tensors by the names that they have in a network ("encoder.conv1.weight", "head.bias"), and what was done to those of the
    file, in words."""

    path: Path
    tensors: dict[str, Tensor]
    adaptations: tuple[str, ...] = ()

    @property
    def outputs(self) -> int | None:
        """The outputs of the head, by the bias of its last layer; None where there is none."""
        biases = sorted(name for name in self.tensors if name.startswith(HEAD) and name.endswith("bias"))
        return len(self.tensors[biases[-1]]) if biases else None

    @property
    def one_logit(self) -> bool:
        """Whether the head is linear and has one output."""
        return self.outputs == 1 and f"{HEAD}weight" in self.tensors


def read_weights(path: Path) -> Weights:
    """Read a safetensors file, the folder of a run or of an imported model, or a PyTorch file of a state dict or of a checkpoint
    that holds one. Raises `DataFileError` for anything else, and for weights that are faulty on purpose."""
    refuse_faulty(path)
    path = RunFolder(path).weights if path.is_dir() else path
    found, adaptations = _tensors(path, _content(path)), []
    if any(name.startswith(WRAPPED) for name in found):
        found = {name.removeprefix(WRAPPED): tensor for name, tensor in found.items()}
        adaptations.append(f"{WRAPPED!r} is left out of the names")
    layout = layout_of(found)
    if layout is not None:
        adaptations.append(layout.told)
    named = {name: layout.own(name) if layout else own_name(name) for name in found}
    return Weights(path, {own: found[name] for name, own in named.items() if own is not None}, tuple(adaptations))


def _content(path: Path) -> Any:
    if path.is_file() and not path.stat().st_size:
        raise DataFileError(f"{path}: is empty; fetch the file again")
    try:
        return load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DataFileError(
            f"{path}: holds more than tensors, or is no file of PyTorch, and is not loaded; save the state dict alone, "
            "as in torch.save(model.state_dict(), FILE)"
        ) from error
    except (OSError, SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise DataFileError(f"{path}: no readable file of weights ({error})") from error


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """The state dict of a file, or the one among what a checkpoint holds."""
    for name in BELOW:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not content or not all(isinstance(one, Tensor) for one in content.values()):
        raise DataFileError(f"{path}: no state dict, neither itself nor under {' or '.join(map(repr, BELOW))}")
    return {str(name): tensor.detach() for name, tensor in content.items()}


def load_weights(network: Network, weights: Weights) -> tuple[str, ...]:
    """Load weights into a network and return what was adapted, in words: those of the file, input channels, outputs.

    A first convolution of other channels becomes, for each channel, the mean over the file's, so scaled that equal channels give
    what they gave. One output z of a linear head becomes the two outputs 0 and z, whose softmax is the sigmoid of z: exactly
    equivalent. Any other head that is not the network's is left out, and the network's own begins afresh. Raises
    `DataFileError`, which names what does not fit, for anything else.
    """
    wanted = network.state_dict()
    tensors, adaptations = dict(weights.tensors), list(weights.adaptations)
    adaptations += _adapt_channels(tensors, wanted)
    adaptations += _adapt_head(tensors, wanted)
    if wrong := "; ".join(_misfits(tensors, wanted)):
        raise DataFileError(f"{weights.path}: does not fit this model: {wrong}")
    network.load_state_dict(tensors)
    return tuple(adaptations)


def first_layer(tensors: Mapping[str, Tensor]) -> str:
    """Return the name of the weights that the inputs of a network are multiplied with: the first that is a matrix or more."""
    return next((name for name, tensor in tensors.items() if tensor.ndim >= 2), "")


def _adapt_channels(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[str]:
    name = first_layer(wanted)
    if name not in tensors or not tensors[name].ndim == wanted[name].ndim == 4:  # features of constituents have no mean
        return
    there, needed = tensors[name].shape[1], wanted[name].shape[1]
    if there != needed:
        mean = tensors[name].mean(dim=1, keepdim=True)
        tensors[name] = (mean * (there / needed)).expand(-1, needed, -1, -1).clone()
        yield f"{name}: each of {needed} input channels has the mean of the file's {there}, times {there}/{needed}"


def _adapt_head(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[str]:
    there, needed = ({name: t.shape for name, t in ts.items() if name.startswith(HEAD)} for ts in (tensors, wanted))
    if there == needed:
        return
    if _is_logit(there, needed):
        for name in there:
            tensors[name] = torch.cat([torch.zeros_like(tensors[name]), tensors[name]])
        yield "the head's one output z, a logit, becomes the two outputs (0, z), whose softmax is the sigmoid of z"
        return
    for name in there:
        del tensors[name]
    tensors |= {name: wanted[name] for name in needed}
    yield f"the head begins afresh: the file {f'has {_shapes(there)}' if there else 'has none'}, the model {_shapes(needed)}"


def _is_logit(there: Mapping[str, torch.Size], needed: Mapping[str, torch.Size]) -> bool:
    """Whether a linear head has one output where two are needed."""
    names = {f"{HEAD}weight", f"{HEAD}bias"}
    return set(there) == set(needed) == names and all(
        there[name][0] == 1 and needed[name][0] == 2 and there[name][1:] == needed[name][1:] for name in names
    )


def _shapes(shapes: Mapping[str, torch.Size]) -> str:
    return ", ".join(f"{name} {tuple(shape)}" for name, shape in shapes.items())


def _misfits(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[str]:
    """What of the file is not the network's, three of each kind."""
    missing, unknown = [one for one in wanted if one not in tensors], [one for one in tensors if one not in wanted]
    if missing:
        yield f"the file lacks {_some(missing)}"
    if unknown:
        yield f"the model has no {_some(unknown)}"
    other = [one for one in wanted if one in tensors and tensors[one].shape != wanted[one].shape]
    if other:
        pairs = [f"{one} is {tuple(tensors[one].shape)} and not {tuple(wanted[one].shape)}" for one in other]
        yield _some(pairs)


def _some(names: list[str]) -> str:
    names = [name.removeprefix(ENCODER) for name in names]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
