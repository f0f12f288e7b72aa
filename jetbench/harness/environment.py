"""What may change the last bits of a result: code, packages and machine."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from jetbench.training.device import has_bf16

__all__ = ["environment"]

PACKAGES = ("torch", "numpy", "scikit-learn", "h5py", "pythia8mc", "fastjet", "optuna", "mlflow", "distributed")


def environment() -> dict[str, Any]:
    """Code version, package versions and machine: what may change the last bits of a result."""
    return {
        "jetbench": version("jetbench"),
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": _processor(),
        "precision": "bf16" if has_bf16() else "fp32",
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
