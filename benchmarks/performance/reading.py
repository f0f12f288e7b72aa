"""Size and speed of 125×125×8 jet images as deposits in a jetbench file, against the dense HDF5 file that they come from.

    python -m benchmarks.performance.reading [jets] [repeats]

A pass reads every column of every jet in blocks of 250 jets. 4 % of the pixels are hit. The first kind of image has whole numbers
from 0 to 255 as float32, with each channel of a hit pixel non-zero in 40 % of the cases (at least one is), as pixels of the
field's files have; the second has full-entropy floats in all eight channels of a hit pixel, the worst case. Dense file (float32,
contiguous, uncompressed) and jets are read alternately: from the page cache, in CPU time, which other load disturbs less than the
clock does; and from the disk, with the page cache dropped before each pass, in wall time. Medians.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from jetbench.jets import Channel, Grid, Jets, Meta, open_jets, save_jets
from jetbench.seeds import numpy_rng

PIXELS, CHANNELS, OCCUPANCY, BLOCK = 125, 8, 0.04, 250


def hits(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Values (n, channels) of hit pixels."""
    values = rng.exponential(12, (n, CHANNELS)).astype(np.float32)
    if kind == "float":
        return values
    values = np.ceil(values).clip(0, 255) * (rng.random((n, CHANNELS)) < 0.4)
    values[~values.any(axis=1), 0] = 1
    return values


def images(kind: str, jets: int, seed: int) -> np.ndarray:
    """(jets, pixels, pixels, channels) float32."""
    rng = numpy_rng("reading", kind, seed)
    dense = np.zeros((jets, PIXELS * PIXELS, CHANNELS), np.float32)
    hit = round(OCCUPANCY * PIXELS * PIXELS)
    for image in dense:
        image[rng.choice(PIXELS * PIXELS, hit, replace=False)] = hits(kind, hit, rng)
    return dense.reshape(jets, PIXELS, PIXELS, CHANNELS)


def as_jets(dense: np.ndarray, first: int) -> Jets:
    jet, row, column = np.nonzero(dense.any(axis=3))
    eta, phi = (((place + 0.5) / PIXELS * 2 - 1).astype(np.float32) for place in (row, column))
    channels = tuple(Channel(name=f"channel-{i}", unit="") for i in range(CHANNELS))
    meta = Meta(channels=channels, class_names=("0", "1"), grid=Grid(rows=PIXELS, columns=PIXELS, eta_extent=1, phi_extent=1))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(jet, minlength=len(dense)))])
    zeros, label = np.zeros(len(dense), np.float32), np.zeros(len(dense), np.int32)
    event = np.arange(first, first + len(dense))
    return Jets(meta, offsets, eta, phi, dense[jet, row, column], zeros, zeros, zeros, event, {"label": label})


def write(kind: str, jets: int, folder: Path) -> tuple[Path, Path]:
    """The same images as a dense file and as jets."""
    paths = folder / f"{kind}-dense.h5", folder / f"{kind}-jets.h5"
    with h5py.File(paths[0], "w") as file:
        column = file.create_dataset("jet", (jets, PIXELS, PIXELS, CHANNELS), np.float32)
        for start in range(0, jets, BLOCK):
            column[start : start + BLOCK] = images(kind, BLOCK, start)
        save_jets(paths[1], (as_jets(column[start : start + BLOCK], start) for start in range(0, jets, BLOCK)))
    return paths


def pass_dense(path: Path) -> None:
    with h5py.File(path) as file:
        for start in range(0, len(file["jet"]), BLOCK):
            file["jet"][start : start + BLOCK]


def pass_jets(path: Path) -> None:
    jets = open_jets(path)
    for start in range(0, len(jets), BLOCK):
        jets[start : start + BLOCK]


def seconds(read: Callable[[Path], None], path: Path, *, cached: bool) -> float:
    """CPU time of a pass from the page cache, wall time of one from the disk."""
    if not cached:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    clock = time.process_time if cached else time.perf_counter
    start = clock()
    read(path)
    return clock() - start


def compare(dense: Path, jets: Path, repeats: int, *, cached: bool) -> str:
    pairs = [(seconds(pass_dense, dense, cached=cached), seconds(pass_jets, jets, cached=cached)) for _ in range(repeats)]
    a, b = (1000 * statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(x / y for x, y in pairs)
    return f"dense {a:.0f} ms, jets {b:.1f} ms, {ratio:.1f} times faster"


def main(jets: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("integer", "float"):
            dense, sparse = write(kind, jets, Path(folder))
            sizes = [path.stat().st_size for path in (dense, sparse)]
            ratio = sizes[0] / sizes[1]
            print(f"{kind}: {jets} jets, {sizes[0] / 1e6:.0f} MB dense, {sizes[1] / 1e6:.1f} MB as jets, {ratio:.0f} times less")
            print(f"  from the page cache: {compare(dense, sparse, repeats, cached=True)}")
            print(f"  from the disk: {compare(dense, sparse, repeats, cached=False)}", flush=True)


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    main(*given, *(2000, 9)[len(given) :])
