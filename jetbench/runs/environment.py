"""What may change the last bits of a result: code, packages and machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import jetbench

__all__ = ["best_precision", "code_digest", "environment"]

DRIVER = Path("/dev/nvidiactl")
PACKAGES = ("torch", "numpy", "scikit-learn", "h5py", "pythia8mc", "fastjet", "optuna", "mlflow", "distributed")


def packages() -> dict[str, str]:
    """Return the versions of the packages that results depend on."""
    return {name: version(name) for name in PACKAGES}


@cache
def code_digest() -> str:
    """Return twelve digits of the sha256 of jetbench's own source: a version number that cannot be forgotten."""
    root = Path(jetbench.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def environment(precision: str) -> dict[str, Any]:
    """Collect what may change the last bits of a result: code version, package versions, machine, and the run's precision."""
    import torch

    gpu = {"gpu": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda)} if torch.cuda.is_available() else {}
    return {
        "jetbench": version("jetbench"),
        "code": code_digest(),
        "packages": packages(),
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": platform.machine(),
        "processor": processor(),
        **gpu,
        "precision": precision,
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
    }


def best_precision() -> Literal["fp32", "bf16"]:
    """Return bf16 where this machine computes in it: a GPU from compute capability 8.0 on, or a processor with AVX512_BF16 or
    AMX. Elsewhere torch emulates it, slower than fp32. Known without importing torch."""
    if capability := _compute_capability():
        return "bf16" if capability >= 8.0 else "fp32"
    flags = _cpu_info("flags").split()
    return "bf16" if {"avx512_bf16", "amx_bf16"} & set(flags) else "fp32"


def _compute_capability() -> float | None:
    """The least of the GPUs that this process may see; None where it sees none, or NVIDIA's driver is not there."""
    if not DRIVER.exists():
        return None
    command = ["nvidia-smi", "--query-gpu=index,uuid,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        found = [(index, uuid, float(number)) for index, uuid, number in (line.split(", ") for line in answer.splitlines())]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return min(_visible(found, os.environ.get("CUDA_VISIBLE_DEVICES")), default=None)


def _visible(found: Sequence[tuple[str, str, float]], names: str | None) -> list[float]:
    """The capabilities of the GPUs (index, UUID, capability) that CUDA_VISIBLE_DEVICES names. As for CUDA, a name that is no
    GPU's ends the list: -1, or an empty one."""
    if names is None:
        return [number for *_, number in found]
    seen: list[float] = []
    for name in map(str.strip, names.split(",")):
        if name.startswith("MIG-"):
            seen.append(8.0)  # the first GPUs that can be divided have it
            continue
        named = [number for index, uuid, number in found if name == index or (name[:4] == "GPU-" and uuid.startswith(name))]
        if not named:
            break
        seen += named
    return seen


def processor() -> str:
    return _cpu_info("model name") or platform.processor()


def _cpu_info(name: str) -> str:
    """A line of Linux's description of the first core; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == name), "")
