"""What a network is given: named tensors of a batch of jets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

__all__ = ["Inputs"]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Tensors by name, each (n, …), of n jets; `mask` (n, elements) is true where a set has an element; `target` (n, outputs) is
    what the task asks for, where the objective uses labels, and `weight` (n,) weighs the jets there, None: all alike."""

    tensors: Mapping[str, Tensor]
    mask: Tensor | None = None
    target: Tensor | None = None
    weight: Tensor | None = None

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    @property
    def device(self) -> torch.device:
        return next(iter(self.tensors.values())).device

    def to(self, device: torch.device) -> Inputs:
        """Copy to a device; what is there already is not copied."""
        moved = {name: tensor.to(device) for name, tensor in self.tensors.items()}
        return Inputs(moved, _to(self.mask, device), _to(self.target, device), _to(self.weight, device))

    def with_target(self, target: Tensor, weight: Tensor | None = None) -> Inputs:
        return replace(self, target=target, weight=weight)

    def with_tensors(self, **more: Tensor) -> Inputs:
        return replace(self, tensors={**self.tensors, **more})

    @classmethod
    def join(cls, parts: Sequence[Inputs]) -> Inputs:
        """Put the jets of several inputs with the same tensors one after another."""
        first = parts[0]
        tensors = {name: torch.cat([part[name] for part in parts]) for name in first.tensors}
        masks, targets, weights = ([getattr(part, name) for part in parts] for name in ("mask", "target", "weight"))
        return cls(tensors, _cat(masks), _cat(targets), _cat(weights))


def _to(tensor: Tensor | None, device: torch.device) -> Tensor | None:
    return None if tensor is None else tensor.to(device)


def _cat(tensors: Sequence[Tensor | None]) -> Tensor | None:
    found = [tensor for tensor in tensors if tensor is not None]
    return torch.cat(found) if found else None
