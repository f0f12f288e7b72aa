"""Heads: from an encoder's features to the outputs that a task asks for, by one output layer or by several."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from jetbench.errors import SuiteError

__all__ = ["ManyHead", "build_head"]

MEMBERS = 3  # of an ensemble
DEPTHS = 3  # of a deep head


class ManyHead(nn.Module, ABC):
    """A head with several output layers, all of which are trained; `part` is what each of them is called."""

    part: str

    @abstractmethod
    def every(self, features: Tensor) -> Tensor:
        """Return the outputs (n, k, outputs) of each of the k output layers."""

    @abstractmethod
    def combined(self, every: Tensor) -> Tensor:
        """Return the head's outputs (n, outputs) from those of its output layers (n, k, outputs)."""

    def forward(self, features: Tensor) -> Tensor:
        return self.combined(self.every(features))


class Ensemble(ManyHead):
    """Heads with a hidden layer each, side by side on the same features; their outputs are averaged."""

    part = "head"

    def __init__(self, features: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.members = nn.ModuleList(_mlp(features, outputs, dropout) for _ in range(MEMBERS))

    def every(self, features: Tensor) -> Tensor:
        return torch.stack([member(features) for member in self.members], dim=1)

    def combined(self, every: Tensor) -> Tensor:
        return every.mean(dim=1)


class DeepHead(ManyHead):
    """Residual blocks of two linear layers, each followed by an output layer of its own (deep supervision: Lee et al.,
    arXiv:1409.5185); the last one's outputs count."""

    part = "depth"

    def __init__(self, features: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_mlp(features, features, dropout) for _ in range(DEPTHS))
        self.layers = nn.ModuleList(nn.Linear(features, outputs) for _ in range(DEPTHS))

    def every(self, features: Tensor) -> Tensor:
        found = []
        for block, layer in zip(self.blocks, self.layers, strict=True):
            features = features + block(features)
            found.append(layer(features))
        return torch.stack(found, dim=1)

    def combined(self, every: Tensor) -> Tensor:
        return every[:, -1]


def build_head(kind: str, features: int, outputs: int, dropout: float) -> nn.Module:
    """Build a head from (n, features) to (n, outputs): "linear"; "mlp", with one hidden layer and dropout; "ensemble" or "deep",
    which have several output layers. Raises `SuiteError` for another kind."""
    if kind == "linear":
        return nn.Linear(features, outputs)
    if kind == "mlp":  # the SSL jet-image recipe's head for classes
        return _mlp(features, outputs, dropout)
    if kind == "ensemble":
        return Ensemble(features, outputs, dropout)
    if kind == "deep":  # the SSL jet-image recipe's head for regression
        return DeepHead(features, outputs, dropout)
    raise SuiteError(f"head is 'linear', 'mlp', 'ensemble' or 'deep', not {kind!r}")


def _mlp(features: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, outputs))
