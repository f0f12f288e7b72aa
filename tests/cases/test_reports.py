"""Troubles that people reported to the tools of the field, tried as files of jets: the right jets come out, or one sentence.

Each is named by its report, owner/repository#number on GitHub.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from cases.jet_files import (
    CARD,
    JETS,
    LABEL,
    LABELLED,
    NUMBER,
    PADDED,
    ROOT,
    Case,
    Expected,
    Wrong,
    card,
    check_jets,
    check_sentence,
    frame,
    hdf5,
    labelled,
    with_categories,
)
from click.testing import CliRunner

from jetbench.cli import main

pytestmark = pytest.mark.usefixtures("here")

FLAT = CARD.replace("padded", "flat\noffsets: node0-offsets").replace("p:0", "node2-data").replace("p:1", "node3-data")
BUFFERS = FLAT.replace("p:2", "node4-data") + 'label: "y"\nclass_names: [qcd, top]\n'
LISTS = """kind: constituents
source: private
format: parquet
layout: lists
momentum: {pt: p_pt, eta: p_eta, phi: p_phi}
radius: 1.0
label: "y"
class_names: [qcd, top]
"""
MISSING = LABELLED + "channels: [{name: d0, place: d0, unit: mm, missing: .nan}]\n"
UNMEASURED = np.where(np.arange(12) % 3 == 0, np.nan, 0.1) * np.ones((NUMBER, 1))


def particles() -> Any:
    import awkward as ak

    return ak.zip({name: ak.unflatten(getattr(JETS, name), JETS.counts) for name in ("pt", "eta", "phi")})


def buffers(jets: Any) -> None:
    """The arrays that an awkward array consists of, in HDF5 as its documentation has it."""
    import awkward as ak

    hdf5("x.h5", **ak.to_buffers(jets)[2], y=LABEL)


def parquet(columns: dict[str, Any]) -> None:
    import awkward as ak
    import pyarrow as pa
    import pyarrow.parquet as pq

    lists = {f"p_{name}": ak.to_arrow(particles()[name], extensionarray=False) for name in ("pt", "eta", "phi")}
    pq.write_table(pa.table(lists | columns), "x.parquet")


def nulls() -> Any:
    import pyarrow as pa

    return pa.nulls(NUMBER)


def classes() -> Any:
    import pyarrow as pa

    return pa.array(np.where(LABEL, "top", "qcd")).dictionary_encode()


def feather() -> None:
    import pyarrow as pa
    from pyarrow import feather as written

    written.write_feather(pa.table({"y": LABEL}), "x.arrow", compression="uncompressed")


def physlite() -> None:
    """An RNTuple whose name and fields have colons in them."""
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    columns: dict[str, Any] = {f"JetsAux::{key}": ak.unflatten(column, JETS.counts) for key, column in momentum}
    with uproot.recreate("in.root") as file:
        file["RNT:CollectionTree"] = columns | {"label_QCD": LABEL == 0, "label_Tbqq": LABEL == 1}


def autosaved() -> None:
    """A tree of which an older cycle is in the file too."""
    import awkward as ak
    import uproot

    momentum = zip(("px", "py", "pz", "energy"), JETS.momentum.T, strict=True)
    columns: dict[str, Any] = {f"part_{key}": ak.unflatten(column, JETS.counts) for key, column in momentum}
    columns |= {"label_QCD": LABEL == 0, "label_Tbqq": LABEL == 1}
    with uproot.recreate("in.root") as file:
        for stop in (NUMBER // 2, NUMBER):
            file["Events"] = {name: column[:stop] for name, column in columns.items()}


def damaged() -> None:
    """A compressed chunk in which bytes are lost."""
    import hdf5plugin

    with h5py.File("x.h5", "w") as file:
        file.create_dataset("p", data=PADDED, chunks=(8, 12, 3), **hdf5plugin.Blosc())
        file["y"] = LABEL
        start = file["p"].id.get_chunk_info(2).byte_offset
    content = bytearray(Path("x.h5").read_bytes())
    content[start + 20 : start + 200] = bytes(180)
    Path("x.h5").write_bytes(content)


def records() -> np.ndarray:
    rows = np.zeros((NUMBER, 12), [("pt", "f4"), ("eta", "f4"), ("phi", "f4")])
    for i, name in enumerate(rows.dtype.names or ()):
        rows[name] = PADDED[..., i]
    return rows


def ragged() -> np.ndarray:
    rows = np.empty(NUMBER, object)
    rows[:] = JETS.lists(np.column_stack([JETS.pt, JETS.eta, JETS.phi]))
    return rows


MAKERS: dict[str, Case] = {
    "pandas-dev/pandas#13359": (  # a category beside the numbers, which has a table of its own
        lambda: frame(change=lambda frame: frame.assign(sample=frame.is_signal_new.astype("category"))),
        lambda: ("x.h5",),
        Expected(),
    ),
    "scikit-hep/awkward#2949": (  # what an awkward array consists of, in HDF5
        lambda: buffers(particles()),
        lambda: ("x.h5", *card(BUFFERS)),
        Expected(),
    ),
    "scikit-hep/awkward#828": (  # a column of nothing
        lambda: parquet({"y": LABEL, "nothing": nulls()}),
        lambda: ("x.parquet", *card(LISTS)),
        Expected(),
    ),
    "HEP-FCC/FCCAnalyses#224": (  # NaN for the displacement of whoever has no track
        lambda: labelled(y=LABEL, d0=UNMEASURED),
        lambda: ("x.h5", *card(MISSING)),
        Expected(),
    ),
    "scikit-hep/uproot5#975": (  # colons in the names of a tree and its fields
        physlite,
        lambda: ("in.root", *card(ROOT.replace("part_", "JetsAux::").replace("Events", "RNT:CollectionTree"))),
        Expected(),
    ),
    "scikit-hep/uproot5#494": (autosaved, lambda: ("in.root", *card(ROOT)), Expected()),  # two cycles of a tree
}

ERRORS: dict[str, Wrong] = {
    "pandas-dev/pandas#13359, as the label": (
        lambda: frame(change=with_categories),
        lambda: ("x.h5",),
        "the columns is_signal_new are categories, of which a frame stores places in a list; write their numbers",
    ),
    "JuliaIO/HDF5.jl#785": (  # axes the other way round
        lambda: hdf5("x.h5", p=PADDED.T, y=LABEL),
        lambda: ("x.h5", *card(LABELLED)),
        "p may have the axes in the order of Julia or MATLAB: write the transpose",
    ),
    "apache/arrow#33824": (feather, lambda: ("x.arrow", *card(LISTS)), "an Arrow file (feather), not parquet; write that"),
    "scikit-hep/awkward#746": (  # of a part of an array, with what is no more in it
        lambda: buffers(particles()[5:]),
        lambda: ("x.h5", *card(BUFFERS)),
        "awkward's offsets of a part of an array need ak.to_packed before",
    ),
    "scikit-hep/awkward-0.x#17": (  # a jagged array in npz
        lambda: np.savez("x.npz", p=ragged(), y=LABEL),
        lambda: ("x.npz", *card(LABELLED.replace("hdf5", "npz"))),
        "'p' holds objects, which are not unpickled: rows of different lengths; write all constituents one after another",
    ),
    "rootpy/rootpy#738": (  # records, as root_numpy makes them
        lambda: np.save("x.npy", records()),
        lambda: ("x.npy", *card(CARD.replace("hdf5", "npy").replace("p:", "array:"))),
        "'array' holds records of pt, eta, phi; write every field as an array of its own",
    ),
    "pandas-dev/pandas#13359, in parquet": (
        lambda: parquet({"y": classes()}),
        lambda: ("x.parquet", *card(LISTS)),
        "'y' holds text where numbers belong; write classes as 0, 1, …",
    ),
    "cta-observatory/cta-lstchain#1045": (  # a chunk that does not decompress
        damaged,
        lambda: ("x.h5", *card(LABELLED)),
        "x.h5: damaged, truncated or of another format (OSError: Can't synchronously read data",
    ),
    "HEP-FCC/FCCAnalyses#224, not said": (
        lambda: labelled(y=LABEL, d0=UNMEASURED),
        lambda: ("x.h5", *card(MISSING.replace(", missing: .nan", ""))),
        "where NaN says that nothing was measured, a card says so of the channel: `missing: .nan`; so it is with all 40 rows",
    ),
    "iLCSoft/LCIO#115, of a number": (
        lambda: hdf5("x.h5", p=np.where(PADDED[..., :1] > 0, PADDED, -999.0), y=LABEL),
        lambda: ("x.h5", *card(LABELLED)),
        "constituent with the same negative number in every place of its momentum: if that is padding, name a `mask` in the card",
    ),
    "iLCSoft/LCIO#115": (  # momenta that are NaN
        lambda: hdf5("x.h5", p=np.where(PADDED[..., :1] > 0, PADDED, np.nan), y=LABEL),
        lambda: ("x.h5", *card(LABELLED)),
        "has a constituent with NaN in every place of its momentum: if that is padding, name a `mask` in the card",
    ),
}


@pytest.mark.parametrize("report", MAKERS)
def test_the_right_jets_come_out(report: str) -> None:
    check_jets(MAKERS[report])


@pytest.mark.parametrize("report", ERRORS)
def test_what_is_wrong_is_one_sentence(report: str) -> None:
    check_sentence(ERRORS[report])


def test_names_with_colons_are_drafted_too() -> None:
    physlite()
    result = CliRunner().invoke(main, ["data", "convert", "--guess", "in.root"])
    assert result.exit_code == 0, result.output
    assert 'momentum: {px: "JetsAux::px", py: "JetsAux::py", pz: "JetsAux::pz", energy: "JetsAux::energy"}' in result.output
