"""Small files in the layouts of the field, and the jets that are in them."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from jetbench.formats.reader import Reader
from jetbench.jets import Jets, concatenate

REAL = Path(__file__).parents[2].parent / "shared" / "data"
LABELS = ("QCD", "Hbb", "Hcc", "Hgg", "H4q", "Hqql", "Zqq", "Wqq", "Tbqq", "Tbl")


@dataclass(frozen=True)
class Particles:
    """Jets as lists of massless particles: pt, eta, phi float64 of all, and the number of each jet."""

    counts: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray

    @property
    def momentum(self) -> np.ndarray:
        """px, py, pz, E (k, 4)."""
        pt, eta, phi = self.pt, self.eta, self.phi
        return np.column_stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta)])

    def lists(self, column: np.ndarray) -> list[np.ndarray]:
        return np.split(column, np.cumsum(self.counts)[:-1])

    def padded(self, column: np.ndarray, width: int) -> np.ndarray:
        filled = np.zeros((len(self.counts), width, *column.shape[1:]), column.dtype)
        for row, values in zip(filled, self.lists(column), strict=True):
            row[: len(values)] = values
        return filled


def particles(jets: int, seed: int = 0, largest: int = 12) -> Particles:
    """Jets of 600 GeV around axes all over the cylinder, so that many lie across φ = ±π."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(2, largest + 1, jets)
    jet = np.repeat(np.arange(jets), counts)
    pt = rng.exponential(1.0, len(jet)) + 0.01
    pt *= 600 / np.bincount(jet, pt)[jet]
    eta = rng.uniform(-2, 2, jets)[jet] + rng.normal(0, 0.2, len(jet))
    phi = rng.uniform(-np.pi, np.pi, jets)[jet] + rng.normal(0, 0.2, len(jet))
    return Particles(counts, pt, eta, (phi + np.pi) % (2 * np.pi) - np.pi)


def top_tagging(path: Path, jets: Particles, width: int = 12, extra: bool = True, **changes: Any) -> None:
    """A pandas frame in the layout "table", as PyTables writes it: names as protocol-0 pickles in attributes, blosc."""
    columns = [f"{axis}_{i}" for i in range(width) for axis in ("E", "PX", "PY", "PZ")]
    floats = jets.padded(jets.momentum[:, [3, 0, 1, 2]], width).reshape(len(jets.counts), -1).astype("<f4")
    integers = (np.arange(len(floats)) % 2)[:, None].astype("<i8")
    names = ["is_signal_new"]
    if extra:
        columns += ["truthE", "truthPX", "truthPY", "truthPZ"]
        floats = np.hstack([floats, np.full((len(floats), 4), 7, "<f4")])
        integers, names = np.hstack([np.full_like(integers, 2), integers]), ["ttv", "is_signal_new"]
    floats, integers = changes.get("floats", lambda x: x)(floats), changes.get("integers", lambda x: x)(integers)
    dtype = [("index", "<i8"), ("values_block_0", "<f4", floats.shape[1:]), ("values_block_1", "<i8", integers.shape[1:])]
    rows = np.zeros(len(floats), dtype)
    rows["index"], rows["values_block_0"], rows["values_block_1"] = np.arange(len(floats)), floats, integers
    with h5py.File(path, "w") as file:
        table = file.create_dataset("table/table", data=rows, chunks=(8,), **hdf5plugin.Blosc())
        table.attrs["values_block_0_kind"] = np.bytes_(changes.get("pickled") or pickle.dumps(columns, 0))
        table.attrs["values_block_1_kind"] = np.bytes_(pickle.dumps(names, 0))


def with_text(plain: Path, path: Path) -> None:
    """The frame as `DataFrame.to_hdf` writes it with a slash in its key, and with a column of strings."""
    with h5py.File(plain) as file, h5py.File(path, "w") as deep:
        rows, attributes = file["table/table"][:], dict(file["table/table"].attrs)
        more = np.zeros(len(rows), [*rows.dtype.descr, ("values_block_2", "S5", (1,))])
        for name in rows.dtype.names:
            more[name] = rows[name]
        more["values_block_2"] = b"train"
        deep["data/table/table"] = more
        deep["data/table/table"].attrs.update(attributes | {"values_block_2_kind": np.bytes_(pickle.dumps(["sample"], 0))})


def jetclass(path: Path, jets: Particles, full: bool = True, **changes: Any) -> None:
    """The tree of JetClass, `full` with displacements, kinds and the jets' own values."""
    import awkward as ak
    import uproot

    n = len(jets.counts)
    total = np.add.reduceat(jets.momentum, np.cumsum(jets.counts) - jets.counts)
    pt = np.hypot(total[:, 0], total[:, 1])
    branches: dict[str, Any] = dict(zip(("px", "py", "pz", "energy"), jets.momentum.T.astype("f4"), strict=True))
    rest: dict[str, Any] = {"jet_pt": pt, "jet_eta": np.arcsinh(total[:, 2] / pt), "jet_nparticles": jets.counts}
    if full:
        rng = np.random.default_rng(1)
        for name in ("d0val", "d0err", "dzval", "dzerr"):
            branches[name] = rng.normal(0, 1, len(jets.pt)).astype("f4")
        branches["charge"] = rng.integers(-1, 2, len(jets.pt)).astype("f4")
        for name in ("isChargedHadron", "isNeutralHadron", "isPhoton", "isElectron", "isMuon"):
            branches[name] = rng.integers(0, 2, len(jets.pt)).astype("f4")
        rest["jet_sdmass"] = np.linspace(10, 200, n)
    rest |= {f"label_{name}": np.arange(n) % 10 == i for i, name in enumerate(LABELS)}
    for name, change in changes.items():
        of = rest if name in rest else branches
        of[name] = change(of[name])
    jagged = {f"part_{name}": ak.unflatten(column, jets.counts) for name, column in branches.items()}
    with uproot.recreate(path) as file:
        file.mktree(
            "tree", {**{k: v.type.content for k, v in jagged.items()}, **{k: np.asarray(v).dtype for k, v in rest.items()}}
        )
        file["tree"].extend({**jagged, **rest})


def energyflow(path: Path, jets: Particles, compressed: bool = True, **changes: Any) -> np.ndarray:
    """X (N, M, 4): pt, y, phi, pid and y; returns the PDG numbers. Rapidities are taken for those of massless particles."""
    pid = np.resize([22, 211, -211, 130, -2112, 2212, -321, 11, -13], len(jets.pt)).astype(float)
    x = jets.padded(np.column_stack([jets.pt, jets.eta, jets.phi, pid]), 12)
    arrays = {"X": x, "y": (np.arange(len(x)) % 2).astype(float)}
    for name, change in changes.items():
        arrays[name] = change(arrays[name])
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return pid


def jetnet(path: Path, jets: Particles, with_type: bool = False, width: int = 12, **changes: Any) -> None:
    """particle_features and jet_features, float32, the axis being that of the summed four-vectors."""
    jet = np.repeat(np.arange(len(jets.counts)), jets.counts)
    total = np.add.reduceat(jets.momentum, np.cumsum(jets.counts) - jets.counts)
    pt = np.hypot(total[:, 0], total[:, 1])
    eta, phi = np.arcsinh(total[:, 2] / pt), np.arctan2(total[:, 1], total[:, 0])
    mass = np.sqrt(total[:, 3] ** 2 - pt**2 - total[:, 2] ** 2)
    delta = (jets.phi - phi[jet] + np.pi) % (2 * np.pi) - np.pi
    relative = np.column_stack([jets.eta - eta[jet], delta, jets.pt / pt[jet], np.ones(len(jet))])
    features = [*([np.arange(len(pt)) % 5] if with_type else []), pt, eta, mass, jets.counts]
    arrays = {"particle_features": jets.padded(relative, width), "jet_features": np.column_stack(features)}
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = changes.get(name, lambda x: x)(array.astype("f4"))


def whole(reader: Reader) -> tuple[Jets, dict[str, int]]:
    """All jets of a reader, and the number of jets by repair."""
    blocks, repairs = list(reader.blocks()), Counter[str]()
    for _, repaired in blocks:
        repairs.update(repaired)
    return concatenate([jets for jets, _ in blocks]), dict(repairs)
