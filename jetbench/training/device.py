"""Where a training runs, and in which precision."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch

__all__ = ["autocast", "device", "has_bf16"]


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16() -> bool:
    """Whether bf16 is done by the processor: AVX512_BF16, AMX or CUDA. Elsewhere torch emulates it, slower than fp32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def autocast() -> AbstractContextManager:
    """bf16 inside the network where the processor has it; losses and metrics are computed in fp32 by whoever asks."""
    return torch.autocast(device().type, torch.bfloat16, enabled=has_bf16())
