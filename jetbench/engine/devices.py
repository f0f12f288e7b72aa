"""Where trainings run: one per GPU where torch has some, one per core elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from glob import iglob

from jetbench.errors import RunError

__all__ = ["SIGNS", "cores", "gpus", "places"]

SIGNS = ("/proc/driver/nvidia/gpus/*", "/dev/nvidia[0-9]*", "/dev/kfd", "/dev/dxg")  # files of NVIDIA, AMD and WSL drivers
ASK = "import torch; print(torch.cuda.device_count() if torch.cuda.is_available() else 0)"


def places(jobs: int | None, cores: int, gpus: Sequence[str]) -> tuple[str | None, ...]:
    """Return a place for each training that runs at a time: the GPU that it sees, or None for a core.

    `jobs` is how many the user asks for. Without it each GPU has one training, since two would share its memory and its time;
    where more are asked for than there are GPUs, they are dealt out in turn.
    """
    if not gpus:
        return (None,) * (jobs or cores)
    return tuple(gpus[number % len(gpus)] for number in range(jobs or len(gpus)))


def cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


@cache
def gpus() -> tuple[str, ...]:
    """List the GPUs that torch can use, by the names that CUDA_VISIBLE_DEVICES has for them.

    Another process asks torch, which this one does not import; none is asked where no driver has left a sign of itself.
    """
    if not any(next(iglob(sign), None) for sign in SIGNS):
        return ()
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=False)
    if asked.returncode != 0 or not asked.stdout.strip().isdigit():
        last = (asked.stderr.strip().splitlines() or ["no answer"])[-1]
        raise RunError(f"torch cannot be asked for its GPUs ({last}); CUDA_VISIBLE_DEVICES= goes on without them")
    return named(int(asked.stdout), os.environ.get("CUDA_VISIBLE_DEVICES"))


def named(count: int, visible: str | None) -> tuple[str, ...]:
    """List the names of the first `count` GPUs: their numbers, or what the user's CUDA_VISIBLE_DEVICES calls them."""
    names = [str(number) for number in range(count)] if visible is None else [name.strip() for name in visible.split(",")]
    return tuple(names[:count])
