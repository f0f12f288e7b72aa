"""A training's whole state in one safetensors file: tensors by name, scalars as JSON in the metadata, and a checksum of both.

The last two are kept: a damaged one falls back to the one before.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from jetbench.errors import DataFileError
from jetbench.files import replacing
from jetbench.tracking.folder import RunFolder

__all__ = ["Checkpoint", "read_checkpoint", "restore", "save_checkpoint"]

Modules = Mapping[str, nn.Module]


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds, whole and undamaged: tensors by name, "network/head.weight" or "opt/3/exp_avg", and scalars."""

    tensors: dict[str, Tensor]
    scalars: dict[str, Any]

    def below(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors of a module, an optimiser's parameter or the best weights, by the rest of their names."""
        return {key.removeprefix(f"{prefix}/"): t for key, t in self.tensors.items() if key.startswith(f"{prefix}/")}


def save_checkpoint(
    folder: RunFolder, modules: Modules, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], scalars: dict[str, Any]
) -> None:
    """Write atomically; what was the run's checkpoint becomes its previous one."""
    tensors = {f"{name}/{key}": t for name, module in modules.items() for key, t in module.state_dict().items()}
    tensors |= {f"best/{key}": t for key, t in best.items()}
    for i, parameter in enumerate(_parameters(optimizer)):
        tensors |= {f"opt/{i}/{key}": t for key, t in optimizer.state.get(parameter, {}).items()}
    plain = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
    text = json.dumps(scalars)
    with replacing(folder.checkpoint) as temporary:
        save_file(plain, temporary, {"scalars": text, "sha256": _checksum(plain, text)})
        # a process that dies between the two renamings leaves the previous one, which is enough
        with suppress(FileNotFoundError):
            os.replace(folder.checkpoint, folder.previous_checkpoint)


def read_checkpoint(path: Path, modules: Modules) -> Checkpoint:
    """Read a checkpoint of these modules. Raises `DataFileError` where it is damaged or of another training."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dict)
            metadata = file.metadata()
        if metadata["sha256"] != _checksum(tensors, metadata["scalars"]):
            raise DataFileError(f"{path}: damaged (its checksum does not match)")
        checkpoint = Checkpoint(tensors, json.loads(metadata["scalars"]))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{path}: damaged ({error})") from error
    for name, module in modules.items():
        there, wanted = ({k: t.shape for k, t in ts.items()} for ts in (checkpoint.below(name), module.state_dict()))
        if there != wanted:
            raise DataFileError(f"{path}: of another training (other weights of its {name})")
    return checkpoint


def restore(checkpoint: Checkpoint, modules: Modules, optimizer: torch.optim.Optimizer) -> None:
    """Give modules and optimiser the state that they had."""
    for name, module in modules.items():
        module.load_state_dict(checkpoint.below(name))
    for i, parameter in enumerate(_parameters(optimizer)):
        state = checkpoint.below(f"opt/{i}")
        if state:
            optimizer.state[parameter] = {key: _laid_out_like(t, parameter) for key, t in state.items()}


def _checksum(tensors: Mapping[str, Tensor], scalars: str) -> str:
    """The sha256 of names, kinds, shapes and bytes: safetensors itself notices no flipped bit."""
    digest = hashlib.sha256(scalars.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _laid_out_like(state: Tensor, parameter: Tensor) -> Tensor:
    """Fused optimisers pair values by memory order: the state must have the parameter's own strides."""
    if state.shape != parameter.shape:
        return state.to(parameter.device)
    return torch.empty_like(parameter, dtype=state.dtype).copy_(state)
