"""Peak memory of the process that trains on a file of two million jets: python -m benchmarks.performance.memory [jets] [steps]

The jets have fifty deposits of three channels each, 2 GB of deposits in memory; all labels are used, so that training and
validation both read from the file. The network is small: it is the data that is measured. Needs 1 GB of disk.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jetbench.jets import Channel, Jets, Meta, Provenance, open_jets, save_jets, verify
from jetbench.runs.job import JetFiles, Job
from jetbench.seeds import numpy_rng
from jetbench.spec import Component, DatasetRef, Recipe, RunSpec, options

PART, DEPOSITS, BATCH, TEST = 20_000, 50, 2048, 20_000
MODEL = Component(name="resnet15", options=options({"stages": "4-8"}))
VIEW = Component(name="image", options=options({"pixels": 8, "extent": 0.8}))


def parts(jets: int) -> Iterator[Jets]:
    """Jets on a grid of pixels, with momenta of whole GeV."""
    channels = tuple(Channel(name=name, unit="GeV", role="pt") for name in ("charged", "photon", "neutral"))
    meta = Meta(channels=channels, class_names=("qcd", "top"), provenance=Provenance(source="memory benchmark"))
    deposits = PART * DEPOSITS
    for start in range(0, jets, PART):
        rng = numpy_rng("memory", start)
        values = np.zeros((deposits, 3), np.float32)
        values[np.arange(deposits), rng.integers(0, 3, deposits)] = np.ceil(rng.exponential(12, deposits))
        eta, phi = (rng.integers(0, 32, (2, deposits)) / 20 - 0.775).astype(np.float32)
        zeros, label = np.zeros(PART, np.float32), rng.integers(0, 2, PART, np.int32)
        offsets, event = np.arange(0, deposits + 1, DEPOSITS), start + np.arange(PART)
        yield Jets(meta, offsets, eta, phi, values, zeros, zeros, zeros, event, {"label": label, "mass": zeros})


def job(folder: Path, steps: int) -> Job:
    recipe = Recipe(name="memory", learning_rate=1e-3, passes=steps * BATCH, batch_size=BATCH)
    spec = RunSpec(
        dataset=DatasetRef(name="memory", sha256="0" * 64),
        test_jets=TEST,
        labels=len(open_jets(folder / "jets.h5")) - TEST,
        seed=0,
        model=MODEL,
        view=VIEW,
        objective=Component(name="supervised"),
        recipe=recipe,
    )
    return Job(
        spec.digest(), "memory", spec, folder / "store", JetFiles(folder / "jets.h5", verify(folder / "jets.h5")), None, None
    )


def train(folder: Path, steps: int) -> None:
    import torch

    from jetbench.runs.run import run
    from jetbench.tracking.ledger import Ledger

    torch.set_num_threads(1)
    work = job(folder, steps)
    Ledger(work.work).run(work.key).path.mkdir(parents=True)
    run(work, threading.Event())


def main(jets: int, steps: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name), time.monotonic()
        save_jets(folder / "jets.h5", parts(jets))
        size = (folder / "jets.h5").stat().st_size
        print(f"{jets} jets, {jets * DEPOSITS * 20 / 1e9:.2f} GB of deposits, {size / 1e9:.2f} GB on disk, ", end="")
        print(f"written in {time.monotonic() - start:.0f} s", flush=True)
        start, environment = time.monotonic(), {**os.environ, "OMP_NUM_THREADS": "1"}
        code = f"import pathlib; from {__spec__.name} import train; train(pathlib.Path({name!r}), {steps})"
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        peak = 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(f"{steps} steps of {BATCH} jets, validation and test in {time.monotonic() - start:.0f} s: ", end="")
        print(f"peak resident memory {peak / 1e9:.2f} GB")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(2_000_000, 200)[len(given) :])
