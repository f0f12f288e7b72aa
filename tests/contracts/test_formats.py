"""Every registered format keeps its contract on a small file of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from formats.files import energyflow, jetclass, jetnet, particles, top_tagging
from formats.image_files import KINDS
from formats.shipped_files import aspen, atlas, hls4ml, lhco

from jetbench.formats import formats
from jetbench.testing import check, contract

JETS = particles(30)
CONSTITUENTS = {
    "kind": "constituents",
    "format": "hdf5",
    "layout": "padded",
    "momentum": {"px": "p:0", "py": "p:1", "pz": "p:2", "energy": "p:3"},
    "source": "toys",
    "label": "label",
    "class_names": ["a", "b"],
    "radius": 0.8,
    "cuts": ["none"],
}
IMAGES = {
    "kind": "images",
    "format": "npz",
    "layout": "NCHW",
    "images": "X",
    "channels": [{"name": "energy", "unit": "GeV", "role": "energy"}],
    "eta_extent": 0.8,
    "phi_extent": 0.8,
    "source": "toys",
    "label": "y",
    "class_names": ["a", "b"],
}


def written(file: str, write: Callable[[Path, object], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        write(folder / file, JETS)
        return folder / file

    return make


def constituents(folder: Path) -> Path:
    with h5py.File(folder / "jets.h5", "w") as file:
        file["p"], file["label"] = JETS.padded(JETS.momentum, 12), np.arange(30) % 2
    (folder / "jets.yaml").write_text(json.dumps(CONSTITUENTS))
    return folder / "jets.h5"


def images(folder: Path) -> Path:
    pixels = np.random.default_rng(0).exponential(1, (30, 1, 8, 8)).astype(np.float32)
    np.savez_compressed(folder / "images.npz", X=pixels, y=np.arange(30) % 2)
    (folder / "images.yaml").write_text(json.dumps(IMAGES))
    return folder / "images.npz"


SAMPLES: list[tuple[str, Callable[[Path], Path]]] = [
    ("top-tagging", written("test.h5", top_tagging)),
    ("jetclass", written("HToBB_000.root", jetclass)),
    ("energyflow", written("QG_jets.npz", energyflow)),
    ("jetnet", written("t.hdf5", jetnet)),
    ("hls4ml", written("jetImage_7_100p_0_30.h5", hls4ml)),
    ("atlas-top-tagging", written("train_nominal_000.h5", atlas)),
    ("aspen-open-jets", written("RunG_batch0.h5", aspen)),
    ("lhco", written("events_anomalydetection.h5", lhco)),
    ("constituents", constituents),
    ("images", images),
    *((kind.format, kind.make) for kind in KINDS.values()),
]


def test_there_is_a_sample_of_every_format() -> None:
    assert {name for name, _ in SAMPLES} == {entry.name for entry in formats}


@pytest.mark.parametrize(("name", "make"), SAMPLES)
def test_a_format_keeps_its_contract(name: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    contract("format", name, sample=make(tmp_path))


def test_without_a_sample_the_report_says_how_little_was_tried() -> None:
    report = check("format", "jetclass")
    assert report.passed
    assert sum(line.endswith("no sample of the format is given") for line in report.lines) == 4
