"""Whether the memory of predicting stays flat when the file grows: the jets of a file, written several times over.

    python -m benchmarks.performance.predicting mlruns sets-scratch/n100/s0 jets.h5 --times 1 4 16

Each size is predicted by a process of its own. Printed are the size of the deposits when they are read, the peak of the process's
memory beyond what it has after loading the run, and the jets per second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import jetbench
from jetbench.inference.output import write_predictions
from jetbench.inference.sources import find_source
from jetbench.jets import Jets, open_jets, save_jets
from jetbench.jets.selection import blocks

MEGABYTE = 1e6


def repeated(jets: Jets, times: int) -> Iterator[Jets]:
    """Yield all jets several times, block by block."""
    for _ in range(times):
        for _, block in blocks(jets):
            yield replace(block, stored=None)


def peak() -> float:
    """Return the most memory [MB] that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def measure(store: str, run: str, path: Path, output: Path) -> tuple[float, float]:
    """Return the peak beyond that after loading [MB], and the jets per second."""
    ensemble = jetbench.load(run, store=store)
    ensemble.predict(open_jets(path)[:100])  # what is imported late and allocated once
    before, started, source = peak(), time.monotonic(), find_source(path)
    write_predictions(ensemble, source, output)
    return peak() - before, source.jets / (time.monotonic() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("store")
    parser.add_argument("run")
    parser.add_argument("file", type=Path)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4, 16])
    given = parser.parse_args()
    jets = open_jets(given.file)
    print(f"{'jets':>9} {'deposits':>12} {'peak':>9} {'jets/s':>8}")
    with TemporaryDirectory() as folder:
        for times in given.times:
            path = Path(folder) / f"{times}.h5"
            save_jets(path, repeated(jets, times))
            size = times * int(jets.offsets[-1]) * 4 * (2 + len(jets.meta.channels)) / MEGABYTE
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                more, rate = pool.apply(measure, (given.store, given.run, path, path.with_suffix(".scores")))
            print(f"{times * len(jets):>9} {size:>9.0f} MB {more:>6.0f} MB {rate:>8.0f}")
            path.unlink()


if __name__ == "__main__":
    main()
