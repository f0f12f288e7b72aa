"""A training's whole state in one safetensors file: tensors by name, scalars as JSON in the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from jetbench.errors import DataFileError
from jetbench.files import replacing

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer, best: dict[str, Tensor], scalars: dict[str, Any]
) -> None:
    """Write atomically: the file at `path` is always a whole checkpoint."""
    tensors = {f"{name}/{key}": t for name, module in modules.items() for key, t in module.state_dict().items()}
    tensors |= {f"best/{key}": t for key, t in best.items()}
    for i, parameter in enumerate(_parameters(optimizer)):
        tensors |= {f"opt/{i}/{key}": t for key, t in optimizer.state.get(parameter, {}).items()}
    with replacing(path) as temporary:
        save_file({k: t.detach().cpu().contiguous() for k, t in tensors.items()}, temporary, {"scalars": json.dumps(scalars)})


def load_checkpoint(
    path: Path, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Restore modules and optimiser in place; return (best weights, scalars). Raises `DataFileError` where it is damaged."""
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (it is no dict)
            scalars = json.loads(file.metadata()["scalars"])
        for name, module in modules.items():
            module.load_state_dict(_below(tensors, name))
    except (OSError, SafetensorError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise DataFileError(f"{path}: damaged or of another training ({error}); delete it to start over") from error
    for i, parameter in enumerate(_parameters(optimizer)):
        state = _below(tensors, f"opt/{i}")
        if state:
            optimizer.state[parameter] = {key: _laid_out_like(t, parameter) for key, t in state.items()}
    return _below(tensors, "best"), scalars


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(f"{prefix}/"): t for key, t in tensors.items() if key.startswith(f"{prefix}/")}


def _laid_out_like(state: Tensor, parameter: Tensor) -> Tensor:
    """Fused optimisers pair values by memory order: the state must have the parameter's own strides."""
    if state.shape != parameter.shape:
        return state.to(parameter.device)
    return torch.empty_like(parameter, dtype=state.dtype).copy_(state)
