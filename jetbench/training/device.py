"""Where a training runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import torch

__all__ = ["Precision", "autocast", "device"]

Precision = Literal["fp32", "bf16"]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: Precision) -> AbstractContextManager:
    """Use bf16 inside the network where the run says so; losses and metrics are computed in fp32 by whoever asks."""
    return torch.autocast(device().type, torch.bfloat16, enabled=precision == "bf16")
