"""Heads: from an encoder's features to the outputs that a task asks for."""

from __future__ import annotations

from torch import nn

from jetbench.errors import SuiteError

__all__ = ["build_head"]


def build_head(kind: str, features: int, outputs: int, dropout: float) -> nn.Module:
    """Build a head from (n, features) to (n, outputs): "linear", or "mlp" with one hidden layer and dropout."""
    if kind == "linear":
        return nn.Linear(features, outputs)
    if kind == "mlp":  # the SSL jet-image recipe's head
        return nn.Sequential(nn.Linear(features, features), nn.ReLU(), nn.Dropout(dropout), nn.Linear(features, outputs))
    raise SuiteError(f"head is 'linear' or 'mlp', not {kind!r}")
