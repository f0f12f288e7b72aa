"""Speed and peak memory of `jetbench data convert`, by format, on files that are written here in the layouts of the field.

    python -m benchmarks.performance.converting [jets] [name ...]

Constituents have room for 128 of them and 50 on average; images are those of the field, of which there are a tenth as many. Each
file is converted once by a command of its own; what importing costs (a conversion of 100 jets) is taken off its seconds. Peak
memory is that of all its processes together, pages that they share being counted once, looked at twenty times a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from jetbench.jets import open_jets
from jetbench.seeds import numpy_rng

ROOM, FEW, OF_IMAGES, PART = 128, 100, 10, 500
LOOK_SECONDS = 0.05
CARD = """
kind: constituents
source: benchmark
format: {format}
layout: {layout}
momentum: {{pt: {pt}, eta: {eta}, phi: {phi}}}
label: label
"""


def constituents(jets: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """pT, eta and phi (jets, ROOM) float32 of constituents around one axis, zero-padded, and sorted in pT."""
    rng = numpy_rng("converting", jets)
    real = np.arange(ROOM) < rng.integers(20, 81, jets)[:, None]
    pt = np.sort(rng.exponential(10, (jets, ROOM)) + 0.1, axis=1)[:, ::-1]
    eta, phi = rng.normal(0, 0.2, (2, jets, ROOM))
    return tuple((values * real).astype(np.float32) for values in (pt, eta, phi))  # type: ignore[return-value]


def momenta(jets: int) -> list[np.ndarray]:
    """E, px, py and pz (jets, ROOM) each."""
    pt, eta, phi = constituents(jets)
    return [pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)]


def labels(jets: int) -> np.ndarray:
    return np.arange(jets) % 2


def lists(padded: np.ndarray, real: np.ndarray) -> list[np.ndarray]:
    return np.split(padded[real], np.cumsum(real.sum(axis=1))[:-1])


def jetclass(folder: Path, jets: int) -> list[str | Path]:
    import awkward as ak
    import uproot

    energy, px, py, pz = momenta(jets)
    counts = (energy > 0).sum(axis=1)
    columns = {"px": px, "py": py, "pz": pz, "energy": energy}
    lists = {f"part_{name}": ak.unflatten(column[energy > 0], counts) for name, column in columns.items()}
    names = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")
    pt = np.hypot(px.sum(axis=1), py.sum(axis=1))
    rest = {"jet_pt": pt, "jet_eta": np.arcsinh(pz.sum(axis=1) / pt), "jet_nparticles": counts}
    rest |= {f"label_{name}": np.arange(jets) % len(names) == i for i, name in enumerate(names)}
    with uproot.recreate(folder / "jets.root") as file:
        kinds = {**dict.fromkeys(lists, "var * float32"), **{name: column.dtype for name, column in rest.items()}}
        file.mktree("tree", kinds)
        file["tree"].extend({**lists, **rest})
    return [folder / "jets.root"]


def top_tagging(folder: Path, jets: int) -> list[str | Path]:
    import pandas as pd

    table = np.stack(momenta(jets), axis=-1).reshape(jets, -1)
    frame = pd.DataFrame(table, columns=[f"{name}_{i}" for i in range(ROOM) for name in ("E", "PX", "PY", "PZ")])
    frame["is_signal_new"] = labels(jets)
    frame.to_hdf(folder / "jets.h5", key="table", format="table")
    return [folder / "jets.h5"]


def energyflow(folder: Path, jets: int) -> list[str | Path]:
    pt, eta, phi = constituents(jets)
    pid = np.where(pt > 0, 211.0, 0.0)
    np.savez_compressed(folder / "jets.npz", X=np.stack([pt, eta, phi, pid], axis=-1), y=labels(jets).astype(float))
    return [folder / "jets.npz"]


def padded(folder: Path, jets: int) -> list[str | Path]:
    with h5py.File(folder / "jets.h5", "w") as file:
        file.create_dataset(
            "X", data=np.stack(constituents(jets), axis=-1), compression="gzip", chunks=(min(PART, jets), ROOM, 3)
        )
        file["label"] = labels(jets)
    places = {"pt": '"X:0"', "eta": '"X:1"', "phi": '"X:2"'}
    (folder / "card.yaml").write_text(CARD.format(format="hdf5", layout="padded", **places))
    return [folder / "jets.h5", "--card", folder / "card.yaml"]


def parquet(folder: Path, jets: int) -> list[str | Path]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pt, eta, phi = constituents(jets)
    columns = {name: lists(column, pt > 0) for name, column in {"pt": pt, "eta": eta, "phi": phi}.items()}
    pq.write_table(pa.table({**columns, "label": labels(jets)}), folder / "jets.parquet", row_group_size=5000)
    (folder / "card.yaml").write_text(CARD.format(format="parquet", layout="lists", pt="pt", eta="eta", phi="phi"))
    return [folder / "jets.parquet", "--card", folder / "card.yaml"]


def images(pixels: int, channels: int) -> Callable[[Path, int], list[str | Path]]:
    """A writer of images of which 4 % of the pixels are hit."""

    def write(folder: Path, jets: int) -> list[str | Path]:
        rng, jets = numpy_rng("converting", "images"), max(FEW, jets // OF_IMAGES)
        with h5py.File(folder / "images.h5", "w") as file:
            stored = file.create_dataset("X", (jets, pixels, pixels, channels), "f4", chunks=(10, pixels, pixels, channels))
            for start in range(0, jets, PART):
                shape = (min(PART, jets - start), pixels, pixels, channels)
                stored[start : start + PART] = rng.exponential(10, shape).astype("f4") * (rng.random(shape) < 0.04)
            file["label"] = labels(jets)
        names = "".join(f"  - {{name: channel-{i}, unit: GeV}}\n" for i in range(channels))
        frame = f"kind: images\nsource: benchmark\nformat: hdf5\nimages: X\nlayout: NHWC\nlabel: label\nchannels:\n{names}"
        (folder / "card.yaml").write_text(f"{frame}eta_extent: 1.0\nphi_extent: 1.0\n")
        return [folder / "images.h5", "--card", folder / "card.yaml"]

    return write


FORMATS: dict[str, Callable[[Path, int], list[str | Path]]] = {
    "jetclass": jetclass,
    "top-tagging": top_tagging,
    "energyflow": energyflow,
    "constituents, HDF5": padded,
    "constituents, parquet": parquet,
    "images 32×32×2, HDF5": images(32, 2),
    "images 125×125×3, HDF5": images(125, 3),
}


def measure(write: Callable[[Path, int], list[str | Path]], jets: int) -> tuple[int, float, float, int]:
    """Jets, seconds, peak memory [MB] and size [bytes] of a conversion."""
    with tempfile.TemporaryDirectory() as name:
        given = write(Path(name), jets)
        output = Path(name) / "out.h5"
        arguments = ["data", "convert", *map(str, given), "-o", str(output)]
        code = f"from jetbench.cli import main; main({arguments!r})"
        start, peak = time.monotonic(), 0.0
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, memory(process.pid))
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - start
        if process.returncode:
            raise SystemExit(f"the conversion of {given[0]} failed")
        return len(open_jets(output)), seconds, peak, Path(given[0]).stat().st_size


def memory(session: int) -> float:
    """The memory [MB] of the processes of a session."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # a process that ends meanwhile
            if os.getsid(int(folder.name)) == session:
                rollup = (folder / "smaps_rollup").read_text()
                total += int(rollup.partition("\nPss:")[2].split(maxsplit=1)[0])
    return total * 1.024e-3


def main(jets: int, names: list[str]) -> None:
    print(f"{'format':<24}{'jets':>9}{'file':>10}{'jets/s':>10}{'MB/s':>8}{'peak memory':>14}")
    for name, write in FORMATS.items():
        if names and not any(name.startswith(one) for one in names):
            continue
        idle = measure(write, FEW)[1]
        done, seconds, peak, size = measure(write, jets)
        seconds = max(seconds - idle, 1e-3)
        print(
            f"{name:<24}{done:>9}{size / 1e6:>7.0f} MB{done / seconds:>10.0f}{size / 1e6 / seconds:>8.1f}{peak:>11.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000, sys.argv[2:])
