"""What a format says of its jets is asked of the jets of each file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from jetbench.formats.conversion import convert
from jetbench.jets import open_jets
from tests.formats import files


@pytest.mark.parametrize(
    ("write", "name", "cut"),
    [
        (files.top_tagging, "x.h5", "550 < pT < 650 GeV"),
        (files.energyflow, "x.npz", "500 < pT < 550 GeV"),
        (partial(files.jetnet, with_type=True), "x.hdf5", "pT of about 1 TeV"),
        (files.jetclass, "x.root", "500 < pT < 1000 GeV"),
    ],
    ids=["top-tagging", "energyflow", "jetnet", "jetclass"],
)
def test_other_jets_in_a_known_layout_are_not_said_to_pass_its_cuts(
    write: Callable[[Path, files.Particles], object], name: str, cut: str, tmp_path: Path
) -> None:
    jets = files.particles(40)
    factors = np.random.default_rng(2).uniform(0.2, 5, 40)
    write(tmp_path / name, replace(jets, pt=jets.pt * np.repeat(factors, jets.counts)))
    converted = convert([tmp_path / name], tmp_path / "jets.h5")
    found = open_jets(tmp_path / "jets.h5")
    low, high = (1 - 1e-3, 1 + 1e-3) if "<" in cut else (0.5, 2.0)
    window = [float(number) for number in cut.split() if number.isdigit()] * 2
    pt = np.asarray(found.jet_pt[:]) / (1 if cut.endswith("GeV") else 1000)
    outside = int(((pt < window[0] * low) | (pt > window[1] * high)).sum())
    assert outside > 5
    remark = f"{outside} of 40 jets are outside of “{cut}”, which is said of them"
    assert any(text.startswith(remark) for text in converted.remarks)
    assert any(text.startswith(remark) for text in found.meta.provenance.remarks)
    assert cut not in found.meta.provenance.cuts
    assert any(text.startswith("anti-kT") for text in found.meta.provenance.cuts)
