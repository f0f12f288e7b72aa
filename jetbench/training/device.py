"""Where a training runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Literal

import torch

__all__ = ["Precision", "autocast", "device", "make_repeatable"]

Precision = Literal["fp32", "bf16"]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def make_repeatable() -> None:
    """Let a GPU compute a step again to the last bit, as a training that goes on needs: sums of convolutions in one order, and
    fp32 that is not TF32 in disguise."""
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False


def autocast(precision: Precision) -> AbstractContextManager:
    """Use bf16 inside the network where the run says so; losses and metrics are computed in fp32 by whoever asks."""
    return torch.autocast(device().type, torch.bfloat16, enabled=precision == "bf16")
