"""How many accepted top-vs-qcd jets per second the simulation makes, the start of the workers included.

    python benchmarks/performance/simulation.py [jets] [workers]

Prints the median of three datasets of different seeds, and the workers' CPU time per jet, which other load disturbs less.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from jetbench.simulation import TopVsQcd, simulate

REPEATS = 3


def measure(jets: int, workers: int, *, mpi: bool = False) -> list[float]:
    """Jets per second of each repeat."""
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(REPEATS):
            began = time.perf_counter()
            simulate(TopVsQcd(jets=jets, seed=seed, mpi=mpi), Path(folder) / f"{seed}.h5", workers=workers)
            rates.append(jets / (time.perf_counter() - began))
    return rates


def workers_seconds() -> float:
    """CPU time [s] of all workers that have ended, as the fork server that they are children of has it."""
    servers = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    fields = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in servers]
    return sum(int(own[13]) + int(own[14]) for own in fields) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    jets, workers = (int(given) if given else default for given, default in zip([*sys.argv[1:], "", ""], (3000, 2), strict=False))
    rates = measure(jets, workers)
    each = ", ".join(f"{rate:.1f}" for rate in rates)
    cpu = 1000 * workers_seconds() / (jets * REPEATS)
    print(f"{statistics.median(rates):.1f} jets/s (median of {each}), {jets} jets, {workers} workers; {cpu:.1f} ms CPU per jet")
