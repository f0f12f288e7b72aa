from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.errors import DataFileError
from jetbench.jets import Channel, Jets, Meta
from jetbench.views.observables import OBSERVABLES, fill_undefined, measure, observables, undefined_text

GEV = (Channel(name="pt", unit="GeV", role="pt"),)


def jets_of(*lists: list[tuple[float, float, float]], channels: tuple[Channel, ...] = GEV) -> Jets:
    """Jets at eta = 0.7 from lists of (pt, eta, phi)."""
    rows = np.array([d for deposits in lists for d in deposits], np.float32).reshape(-1, 3)
    n = len(lists)
    zeros = np.zeros(n, np.float32)
    return Jets(
        meta=Meta(channels=channels), offsets=np.concatenate([[0], np.cumsum([len(x) for x in lists])]).astype(np.int64),
        eta=rows[:, 1], phi=rows[:, 2], values=rows[:, :1], jet_eta=zeros + 0.7, jet_phi=zeros, jet_pt=zeros,
        event=np.arange(n), targets={},
    )  # fmt: skip


def test_a_jet_of_two_in_closed_form(capfd: pytest.CaptureFixture[str]) -> None:
    """m² = 2·pt₁·pt₂·(cosh Δη − cos Δφ); z = 0.4 passes soft drop; two axes leave no τ₂."""
    table = observables(jets_of([(300.0, 0.1, 0.0), (200.0, -0.1, 0.3)]))
    row = dict(zip(OBSERVABLES, table[0], strict=True))
    mass = np.sqrt(2 * 300 * 200 * (np.cosh(0.2) - np.cos(0.3)))
    assert row["mass"] == pytest.approx(mass, rel=1e-4)
    assert row["softdrop_mass"] == pytest.approx(mass, rel=1e-4)
    assert row["multiplicity"] == 2
    assert row["width"] == pytest.approx((300 * 0.1 + 200 * np.hypot(0.1, 0.3)) / 500, rel=1e-5)
    assert row["ptd"] == pytest.approx(np.sqrt(300**2 + 200**2) / 500, rel=1e-5)
    assert row["leading_fraction"] == pytest.approx(0.6, rel=1e-5)
    assert row["tau21"] == pytest.approx(0, abs=1e-5)
    assert capfd.readouterr().out == ""


def test_soft_drop_removes_soft_and_wide_radiation() -> None:
    table = observables(jets_of([(300.0, 0.0, 0.0), (250.0, 0.1, 0.0), (5.0, 0.0, 0.7)]))
    row = dict(zip(OBSERVABLES, table[0], strict=True))
    assert row["softdrop_mass"] == pytest.approx(np.sqrt(2 * 300 * 250 * (np.cosh(0.1) - 1)), rel=1e-3)
    assert row["mass"] > row["softdrop_mass"] + 5


def test_three_prongs_have_a_small_tau32(toy_jets: Jets) -> None:
    table, labels = observables(toy_jets), toy_jets.targets["label"]
    tau32 = table[:, OBSERVABLES.index("tau32")]
    assert tau32[labels == 1].mean() < tau32[labels == 0].mean()
    assert np.isfinite(table).all()


def test_empty_jets_and_padding_do_no_harm() -> None:
    table = observables(jets_of([], [(100.0, 0.0, 0.0), (0.0, 0.1, 0.1)], [(50.0, 0.2, 0.0)]))
    assert np.isfinite(table).all()
    assert (table[0] == 0).all()
    assert table[1, OBSERVABLES.index("multiplicity")] == 1


def test_what_a_jet_does_not_have_is_marked_counted_and_named() -> None:
    """One deposit, two, two at one place, three, four; the empty jet is zero by definition."""
    apart = [(50.0, 0.2, 0.0), (40.0, 0.1, 0.1), (30.0, 0.3, 0.3), (20.0, -0.3, -0.1)]
    jets = jets_of([], apart[:1], apart[:2], [apart[0]] * 2, apart[:3], apart)
    table = measure(jets)
    missing = {name: np.flatnonzero(np.isnan(table[:, i])).tolist() for i, name in enumerate(OBSERVABLES)}
    assert {name: rows for name, rows in missing.items() if rows} == {
        "tau21": [1, 3],
        "tau32": [1, 2, 3],
        "tau43": [1, 2, 3, 4],
        "c2": [1, 3],
        "d2": [1, 3],
    }
    counts = fill_undefined(table)
    assert counts == {"tau21": 2, "tau32": 3, "tau43": 4, "c2": 2, "d2": 2}
    np.testing.assert_array_equal(table, observables(jets))
    assert undefined_text({"d2": 2, "softdrop_mass": 1}, 6) == [
        "2 of 6 jets have no d2 (fewer than 2 separate deposits): 0 stands for it",
        "1 of 6 jets have no softdrop_mass: 0 stands for it",
    ]
    assert fill_undefined(table) == {}


def test_jets_without_gev_are_refused(toy_jets: Jets) -> None:
    channels = tuple(c.replace(unit="", role="pt") for c in toy_jets.meta.channels)
    with pytest.raises(DataFileError, match="GeV"):
        observables(replace(toy_jets, meta=toy_jets.meta.replace(channels=channels)))
