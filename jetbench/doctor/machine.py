"""What computes: cores and threads, memory, bf16, GPUs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from glob import iglob
from pathlib import Path

from jetbench.doctor.finding import Finding
from jetbench.engine.devices import SIGNS, cores, gpus
from jetbench.processes import one_thread
from jetbench.runs.environment import best_precision

__all__ = ["look_at_cores", "look_at_gpus", "look_at_memory", "look_at_precision", "quota"]

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # microseconds of a period that a container may compute, and the period
MEMORY = Path("/proc/meminfo")
TRAINING = 0.7e9  # bytes that a training of the shipped suites at `quick` takes at most
SIDE, TIMES = 512, 20  # of the matrices that are multiplied, and how often: some hundredths of a second


def look_at_cores() -> Iterator[Finding]:
    """Say how many trainings run at a time, and whether a container or a setting leaves them less."""
    mine, there = cores(), os.cpu_count() or 1
    told = f"{mine} of {there} cores may be used: as many trainings at a time, of one thread each"
    yield Finding(state="ok", what="cores", told=told)
    if (limit := quota()) is not None and limit < mine:
        told = f"the container may compute on {limit:.2g} cores at a time, and {mine} are seen"
        yield Finding(state="note", what="cores", told=told, remedy=f"--jobs {max(1, int(limit))} starts no more than can run")


def quota() -> float | None:
    """Return how many cores a control group allows; None where it sets no limit."""
    try:
        allowed, period = QUOTA.read_text().split()
        return float(allowed) / float(period)
    except (OSError, ValueError):  # no such file, or "max"
        return None


def look_at_memory() -> Iterator[Finding]:
    """Say how much memory is free for as many trainings as there are cores."""
    try:
        lines = dict(line.split(":", 1) for line in MEMORY.read_text().splitlines())
        free = 1024 * int(lines["MemAvailable"].split()[0])
    except (OSError, ValueError, KeyError):
        return
    needed = TRAINING * cores()
    told = f"{free / 1e9:.1f} GB are free"
    if free < needed:
        remedy = f"--jobs {max(1, int(free / TRAINING))} takes less"
        yield Finding(
            state="note", what="memory", told=f"{told}, and {cores()} trainings may take {needed / 1e9:.1f}", remedy=remedy
        )
    else:
        yield Finding(state="ok", what="memory", told=told)


def look_at_precision() -> Iterator[Finding]:
    """Say in which precision trainings compute here, and measure whether that is the faster one."""
    chosen = best_precision()
    seconds = {precision: _seconds(precision) for precision in ("fp32", "bf16")}
    ratio = seconds["fp32"] / seconds["bf16"]
    told = f"trainings compute in {chosen}; products of matrices are {_times(ratio)} in bf16 than in fp32 on this processor"
    remedy = "--set precision=fp32 may be faster; results of the two are not mixed" if chosen == "bf16" and ratio < 1 else ""
    yield Finding(state="note" if remedy else "ok", what="precision", told=told, remedy=remedy)


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times faster" if ratio >= 1 else f"{1 / ratio:.1f} times slower"


def _seconds(precision: str) -> float:
    """The time of some products of matrices on one thread, the first aside."""
    import torch

    matrix = torch.ones(SIDE, SIDE, dtype=torch.float32 if precision == "fp32" else torch.bfloat16)
    with one_thread():
        matrix @ matrix
        started = time.perf_counter()
        for _ in range(TIMES):
            matrix @ matrix
        return time.perf_counter() - started


def look_at_gpus() -> Iterator[Finding]:
    """Say which GPUs torch uses, and where a driver is there that it does not see."""
    found = gpus()
    if found:
        yield Finding(state="ok", what="GPUs", told=f"torch uses {len(found)}; each has one training at a time")
    elif any(next(iglob(sign), None) for sign in SIGNS) and os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1"):
        remedy = "install the build of torch for your driver, as the README says; without it trainings run on the processor"
        yield Finding(state="note", what="GPUs", told="a driver is there, and torch sees no GPU", remedy=remedy)
    else:
        yield Finding(state="ok", what="GPUs", told="none: trainings run on the processor's cores")
