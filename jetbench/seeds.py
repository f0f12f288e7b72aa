"""Randomness is derived from names and numbers, never stored and never global."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

__all__ = ["derive", "numpy_rng", "torch_rng"]


def derive(*parts: str | int) -> int:
    """Derive a 63-bit seed that depends on every part and on their order.

    >>> derive("order", 0) != derive("order", 1)
    True
    """
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_rng(*parts: str | int) -> np.random.Generator:
    return np.random.default_rng(derive(*parts))


def torch_rng(*parts: str | int) -> torch.Generator:
    import torch

    return torch.Generator().manual_seed(derive(*parts))
