"""Small files in the layouts of the formats that are shipped cards, and of the LHC Olympics, as they are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from formats.files import Particles

GEV = 1e3  # MeV


def sums(jets: Particles) -> dict[str, np.ndarray]:
    """pT, eta, phi and mass of the summed four-vectors, each (n,), in float64."""
    px, py, pz, energy = np.add.reduceat(jets.momentum, np.cumsum(jets.counts) - jets.counts).T
    pt = np.hypot(px, py)
    mass = np.sqrt(np.maximum(energy**2 - pt**2 - pz**2, 0))
    return {"pt": pt, "eta": np.arcsinh(pz / pt), "phi": np.arctan2(py, px), "mass": mass}


def hls4ml(path: Path, jets: Particles, width: int = 30, **changes: Any) -> None:
    """jetConstituentList, jets and the jets' images; of five classes by turns."""
    constituents = np.zeros((len(jets.counts), width, 16))
    constituents[..., :4] = jets.padded(jets.momentum, width)
    constituents[..., 5] = jets.padded(jets.pt, width)
    features = np.full((len(constituents), 59), 0.5)
    features[:, 53:] = np.eye(6)[np.arange(len(features)) % 5]
    features = changes.get("features", lambda x: x)(features)
    arrays = {"jetConstituentList": constituents, "jets": features, "jetImage": np.zeros((len(features), 10, 10))}
    arrays["particleFeatureNames"] = np.array(["j1_px"] * 16, "S20")
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def atlas(path: Path, jets: Particles, weights: bool = True, width: int = 20) -> None:
    """Constituents in MeV, float32 and compressed; a training file has weights."""
    pt, eta, phi, energy = jets.pt * GEV, jets.eta, jets.phi, jets.momentum[:, 3] * GEV
    whole = sums(jets)
    with h5py.File(path, "w") as file:
        for name, column in {"pt": pt, "eta": eta, "phi": phi, "E": energy}.items():
            values = jets.padded(column, width).astype("f4")
            file.create_dataset(f"fjet_clus_{name}", data=values, compression="gzip")
        file["fjet_clus_taste"] = jets.padded(np.ones(len(pt), int), width)
        for name, key, unit in (("fjet_pt", "pt", GEV), ("fjet_eta", "eta", 1), ("fjet_phi", "phi", 1), ("fjet_m", "mass", GEV)):
            file[name] = (whole[key] * unit).astype("f4")
        file["labels"] = np.arange(len(jets.counts)) % 2
        if weights:
            file["training_weights"] = np.linspace(0.1, 5, len(jets.counts))


def tracks(jets: Particles, seed: int = 3) -> dict[str, np.ndarray]:
    """PDG numbers of particle-flow candidates, their charges, and displacements [cm], which only charged ones have."""
    pdg = np.resize([211, -211, 130, 22, 11, -13], len(jets.pt))
    charge = np.resize([1, -1, 0, 0, -1, 1], len(jets.pt))
    rng = np.random.default_rng(seed)
    columns = {name: rng.normal(0, 0.02, len(pdg)) for name in ("d0", "d0_error", "dz", "dz_error")}
    return {"pdg": pdg, "charge": charge, **{name: np.where(charge == 0, -1, column) for name, column in columns.items()}}


def aspen(path: Path, jets: Particles, width: int = 150, **changes: Any) -> None:
    """PFCands, jet_kinematics, event_info and jet_tagging."""
    found, whole = tracks(jets), sums(jets)
    displaced = [found[name] for name in ("d0", "d0_error", "dz", "dz_error")]
    weight = np.linspace(0, 1, len(jets.pt))
    candidates = np.column_stack([jets.momentum, *displaced, found["charge"], found["pdg"], weight])
    arrays = {
        "PFCands": jets.padded(candidates, width).astype("f4"),
        "jet_kinematics": np.column_stack([whole["pt"], whole["eta"], whole["phi"], 0.8 * whole["mass"]]),
        "event_info": np.ones((len(jets.counts), 3)),
        "jet_tagging": np.ones((len(jets.counts), 13)),
    }
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = changes.get(name, lambda x: x)(array)


def events(jets: Particles) -> list[np.ndarray]:
    """pT, eta and phi (k, 3) of the particles of two jets each, turned to be back to back, the hardest first."""
    lists = list(zip(*(jets.lists(column) for column in (jets.pt, jets.eta, jets.phi)), strict=True))
    found = []
    for one, other in zip(lists[::2], lists[1::2], strict=True):
        turned = one[2][0] + np.pi + (other[2] - other[2][0])
        second = np.column_stack([*other[:2], (turned + np.pi) % (2 * np.pi) - np.pi])
        both = np.concatenate([np.column_stack(one), second])
        found.append(both[np.argsort(-both[:, 0])])
    return found


def lhco(path: Path, jets: Particles, labelled: bool = True, **changes: Any) -> None:
    """An event for each two jets, as pandas writes a frame in the layout "fixed"."""
    rows = np.zeros((len(jets.counts) // 2, 2100 + labelled))
    for i, (row, particles) in enumerate(zip(rows, events(jets), strict=True)):
        row[: particles.size] = particles.ravel()
        row[2100:] = i % 3 == 0
    frame(path, changes.get("rows", lambda x: x)(rows), np.arange(rows.shape[1]))


def frame(path: Path, values: np.ndarray, names: np.ndarray) -> None:
    """A frame of one type in the layout "fixed"."""
    with h5py.File(path, "w") as file:
        file["df/axis0"] = file["df/block0_items"] = names
        file["df/axis1"] = np.arange(len(values))
        file.create_dataset("df/block0_values", data=values, chunks=(min(len(values), 8), values.shape[1]), **hdf5plugin.Blosc())
