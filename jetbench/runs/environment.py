"""What may change the last bits of a result: code, packages and machine."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jetbench

__all__ = ["code_digest", "environment", "packages", "processor"]

PACKAGES = ("torch", "numpy", "scikit-learn", "h5py", "pythia8mc", "fastjet", "optuna", "mlflow", "distributed")


def packages() -> dict[str, str]:
    """Versions of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}


@cache
def code_digest() -> str:
    """Twelve digits of the sha256 of jetbench's own source: a version number that cannot be forgotten."""
    root = Path(jetbench.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def environment() -> dict[str, Any]:
    """Code version, package versions and machine: what may change the last bits of a result."""
    import torch

    from jetbench.training.device import has_bf16

    return {
        "jetbench": version("jetbench"),
        "code": code_digest(),
        "packages": packages(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": processor(),
        "precision": "bf16" if has_bf16() else "fp32",
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
    }


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
