"""The layouts of the field with the same toy jets in each, and what a conversion of them must give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from click.testing import CliRunner, Result
from formats import files

from jetbench.cli import main
from jetbench.jets import Jets, open_jets

NUMBER = 40
JETS = files.particles(NUMBER)
REAL = JETS.padded(np.ones(len(JETS.pt), bool), 12)
PADDED = JETS.padded(np.column_stack([JETS.pt, JETS.eta, JETS.phi]), 12)
LABEL = np.arange(NUMBER) % 2
OWNER = np.repeat(np.arange(NUMBER), JETS.counts)
SUM = np.add.reduceat(JETS.momentum, np.cumsum(JETS.counts) - JETS.counts)
PT = np.hypot(SUM[:, 0], SUM[:, 1])
ETA, PHI = np.arcsinh(SUM[:, 2] / PT), np.arctan2(SUM[:, 1], SUM[:, 0])
MASS = np.sqrt(SUM[:, 3] ** 2 - PT**2 - SUM[:, 2] ** 2)

CARD = """kind: constituents
source: private
format: hdf5
layout: padded
momentum: {pt: "p:0", eta: "p:1", phi: "p:2"}
radius: 1.0
"""
LABELLED = CARD + 'label: "y"\nclass_names: [qcd, top]\n'


class Expected(NamedTuple):
    """What comes out of the toy jets: classes, the class of each jet where they have one, columns, and words of the output."""

    classes: tuple[str, ...] = ("qcd", "top")
    label: np.ndarray | None = LABEL
    columns: dict[str, np.ndarray] = {}
    told: str = ""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["data", "convert", *arguments, "-o", "out.h5"])


def hdf5(name: str, **arrays: Any) -> None:
    with h5py.File(name, "w") as file:
        for key, array in arrays.items():
            file[key.replace("__", "/")] = array


def card(text: str) -> tuple[str, ...]:
    Path("card.yaml").write_text(text)
    return "--card", "card.yaml"


def compound(**columns: np.ndarray) -> np.ndarray:
    rows = np.zeros(next(iter(columns.values())).shape, [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def relative(angle: np.ndarray, of: np.ndarray) -> np.ndarray:
    return np.where(REAL, (angle - of[:, None] + np.pi) % (2 * np.pi) - np.pi, 0)


def atlas(name: str = "test_nominal.h5", **more: np.ndarray) -> None:
    pt, eta, phi = np.moveaxis(PADDED, -1, 0)
    clusters = {"pt": pt * 1e3, "eta": eta, "phi": phi, "E": pt * np.cosh(eta) * REAL * 1e3}
    jets = {"pt": PT * 1e3, "eta": ETA, "phi": PHI, "m": MASS * 1e3}
    columns = {f"fjet_{key}": column for key, column in jets.items()}
    hdf5(
        name, **{f"fjet_clus_{key}": c.astype("f4") for key, c in clusters.items()}, **columns, labels=LABEL.astype("f8"), **more
    )


WEIGHT = np.random.default_rng(0).exponential(1, NUMBER)
ATLAS = """kind: constituents
source: ATLAS top tagging
format: hdf5
layout: padded
unit: MeV
momentum: {pt: fjet_clus_pt, eta: fjet_clus_eta, phi: fjet_clus_phi, energy: fjet_clus_E}
radius: 1.0
label: labels
class_names: [qcd, top]
checks: {pt: fjet_pt, mass: fjet_m, eta: fjet_eta}
"""
FIVE = np.arange(NUMBER) % 5
HLS4ML = """kind: constituents
source: LHC jets
format: hdf5
layout: padded
momentum: {px: "jetConstituentList:0", py: "jetConstituentList:1", pz: "jetConstituentList:2", energy: "jetConstituentList:3"}
radius: 0.8
"""
PIXEL = 0.1  # which 32 bits do not hold
IMAGES = """kind: images
source: LHC jets
format: hdf5
images: jetImage
layout: NHW
channels: [{name: energy, unit: GeV, role: pt}]
eta_extent: 0.8
phi_extent: 0.8
label: "jets:57"
class_names: [other, t]
"""
ROOT = """kind: constituents
source: my ntuples
format: root
tree: Events
layout: lists
momentum: {px: part_px, py: part_py, pz: part_pz, energy: part_energy}
radius: 0.8
label: [label_QCD, label_Tbqq]
class_names: [qcd, top]
"""


def hls4ml(images: bool = False) -> None:
    constituents = np.zeros((NUMBER, 12, 16))
    constituents[..., :4] = JETS.padded(JETS.momentum, 12)
    jets = np.zeros((NUMBER, 59))
    jets[np.arange(NUMBER), 53 + FIVE] = 1
    pixels = {"jetImage": np.full((NUMBER, 4, 4), PIXEL) * np.arange(1, NUMBER + 1)[:, None, None]} if images else {}
    hdf5("jetImage_7_100p_0_40.h5", jetConstituentList=constituents, jets=jets, **pixels)


def per_class() -> None:
    for name, label in (("background", 0), ("signal", 1)):
        hdf5(f"{name}.h5", objects__jets__jet1_cnsts=PADDED[label == LABEL])


def tracks() -> None:
    pt, eta, phi = np.moveaxis(PADDED, -1, 0)
    nothing = np.where(REAL, 0, np.nan)
    columns = {"pt": pt, "deta": relative(eta, ETA) + nothing, "dphi": relative(phi, PHI) + nothing, "valid": REAL}
    hdf5("ftag.h5", tracks=compound(**columns), jets=compound(pt=PT, eta=ETA, flavour=np.where(LABEL == 1, 5, 0)))


TRACKS = """kind: constituents
source: flavour tagging
format: hdf5
layout: padded
momentum: {pt: tracks/pt, eta: tracks/deta, phi: tracks/dphi}
mask: tracks/valid
axis: given
jet_eta: jets/eta
relative: true
label: jets/flavour
label_values: [0, 5]
class_names: [light, b]
"""


def mod() -> None:
    ends = np.concatenate([[0], np.cumsum(JETS.counts)])
    columns = np.column_stack([JETS.pt, JETS.eta, JETS.phi, np.zeros(len(JETS.pt))])
    hdf5("CMS_Jet300.h5", pfcs=columns, pfcs_index=ends, jets_i=np.column_stack([np.arange(NUMBER), LABEL]))


def frame(name: str = "x.h5", change: Callable[[Any], Any] = lambda frame: frame, **options: Any) -> None:
    """A Top Tagging table as pandas writes it."""
    import pandas as pd

    momentum = JETS.padded(JETS.momentum, 12)
    columns = {f"{axis}_{i}": momentum[:, i, k] for i in range(12) for k, axis in enumerate(("PX", "PY", "PZ", "E"))}
    with warnings.catch_warnings(action="ignore", category=pd.errors.PerformanceWarning):  # about texts in the layout fixed
        change(pd.DataFrame(columns).assign(is_signal_new=LABEL)).to_hdf(
            name, **{"key": "table", "mode": "w", "format": "table", **options}
        )


def with_categories(frame: Any) -> Any:
    """The labels as a category, whose places, which are what is stored, are the other way round."""
    return frame.assign(is_signal_new=frame.is_signal_new.astype("category").cat.reorder_categories([1, 0]))


def tree(name: str, *, flags: tuple[str, ...] = ("QCD", "Tbqq"), way: str = "TTree", entries: bool = True) -> None:
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    columns: dict[str, Any] = {f"part_{key}": ak.unflatten(column, JETS.counts) for key, column in momentum}
    here = {"QCD": LABEL == 0, "Tbqq": LABEL == 1}
    columns |= {f"label_{flag}": here.get(flag, LABEL > 1) for flag in flags}
    with uproot.recreate("in.root") as file:
        if way == "RNTuple":
            file[name] = columns
        else:
            file.mktree(name, {k: x.dtype if isinstance(x, np.ndarray) else x.type.content for k, x in columns.items()})
            if entries:
                file[name].extend(columns)


def nested() -> None:
    """Two jets in each event."""
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    pairs = np.full(NUMBER // 2, 2)
    jets = {f"part_{key}": ak.unflatten(ak.unflatten(column, JETS.counts), pairs) for key, column in momentum}
    with uproot.recreate("in.root") as file:
        file["Events"] = jets | {f"label_{name}": ak.unflatten(i == LABEL, pairs) for i, name in enumerate(("QCD", "Tbqq"))}


def with_phi(x: np.ndarray, phi: np.ndarray) -> np.ndarray:
    return np.stack([x[..., 0], x[..., 1], phi, np.where(x[..., 3] == 0, 0, 22)], -1)  # photons: no mass of a kind


def matched(found: Jets) -> np.ndarray:
    """The toy jet that each jet is, by its pT, mass and constituents; no other than it may be."""
    order = np.abs(found.targets["mass"][:, None] - MASS).argmin(axis=1)
    assert np.array_equal(np.sort(order), np.arange(NUMBER))
    assert np.allclose(found.targets["mass"], MASS[order], rtol=1e-2)  # float32 energies
    assert np.allclose(found.jet_pt, PT[order], rtol=1e-5)
    assert np.array_equal(np.diff(found.offsets), JETS.counts[order])
    sums = np.add.reduceat(found.values[:, 0].astype(float), found.offsets[:-1])
    assert np.allclose(sums, np.bincount(OWNER, JETS.pt)[order], rtol=1e-5)
    return order


def labelled(**arrays: Any) -> None:
    hdf5("x.h5", p=PADDED, **arrays)


def said(addition: str = "", **changes: str) -> Callable[[], tuple[str, ...]]:
    """A card of toy jets with labels, where what stands before = is written as what stands behind it."""

    def arguments() -> tuple[str, ...]:
        text = LABELLED + addition
        for key, value in changes.items():
            line = next(line for line in text.splitlines() if line.startswith(key))
            text = text.replace(line, f"{key}: {value}")
        return "x.h5", *card(text)

    return arguments


Case = tuple[Callable[[], object], Callable[[], tuple[str, ...]], Expected]
Wrong = tuple[Callable[[], object], Callable[[], tuple[str, ...]], str]


def check_jets(case: Case) -> None:
    """Make the files of a case, convert them, and compare what comes out with the toy jets."""
    make, arguments, expected = case
    make()
    result = run(*arguments())
    assert result.exit_code == 0, result.output
    assert expected.told in result.output
    found = open_jets("out.h5").read()
    assert found.meta.class_names == expected.classes
    order = matched(found)
    assert ("label" in found.targets) == (expected.label is not None)
    if expected.label is not None:
        assert np.array_equal(found.targets["label"], expected.label[order])
    for name, column in expected.columns.items():
        assert np.allclose(found.targets[name], column[order])


def check_sentence(case: Wrong) -> None:
    """Make the files of a case, and hear one sentence of their conversion."""
    make, arguments, told = case
    make()
    result = run(*arguments())
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert told in result.output
    assert not Path("out.h5").exists()
