from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from jetbench.jets import Channel, Jets
from jetbench.jets.plausibility import Plausibility
from jetbench.testing.toys import toy_jets
from jetbench.views.observables import simple_observables


def claimed(jets: Jets, *cuts: str) -> Jets:
    """The same jets with cuts that are said of them."""
    return replace(jets, meta=jets.meta.replace(provenance=jets.meta.provenance.replace(cuts=cuts)))


def found(jets: Jets) -> Plausibility:
    """What is counted in blocks of seven jets."""
    plausibility = Plausibility(jets.meta)
    for start in range(0, len(jets), 7):
        plausibility.add(jets[start : start + 7])
    return plausibility


def test_jets_that_keep_what_is_said_of_them_have_no_remark() -> None:
    jets = claimed(toy_jets(60), "anti-kT R=0.8", "500 < pT < 700 GeV", "|eta| < 2.5", "|y| < 2.5", "tops: all partons inside")
    assert found(jets).remarks() == ()
    assert found(jets).disproved == ()


@pytest.mark.parametrize(
    ("cut", "outside"),
    [
        ("500 < pT < 550 GeV", lambda pt, eta, y: (pt < 499.5) | (pt > 550.55)),
        ("pT > 600 GeV", lambda pt, eta, y: pt < 599.4),
        ("pT of about 1 TeV", lambda pt, eta, y: (pt < 500) | (pt > 2000)),
        ("|eta| < 1.5", lambda pt, eta, y: abs(eta) > 1.5015),
        ("|y| < 1.5", lambda pt, eta, y: abs(y) > 1.5015),
    ],
)
def test_a_cut_is_a_claim_whose_exceptions_are_counted(cut: str, outside: object) -> None:
    jets, rng = toy_jets(200), np.random.default_rng(1)
    pt, eta = rng.uniform(300, 900, 200), rng.uniform(-2, 2, 200)
    jets = replace(claimed(jets, cut), jet_pt=pt.astype(np.float32), jet_eta=eta.astype(np.float32))
    mass = simple_observables(jets)[:, 0]
    pz, energy = pt * np.sinh(eta), np.sqrt((pt * np.cosh(eta)) ** 2 + mass**2)
    y = 0.5 * np.log((energy + pz) / (energy - pz))
    number = int(outside(pt, eta, y).sum())  # type: ignore[operator]
    assert 2 < number < 198
    assert found(jets).remarks()[0].startswith(f"{number} of 200 jets are outside of “{cut}”")
    assert found(jets).disproved == (cut,)


def test_a_few_exceptions_are_told_and_the_cut_stays() -> None:
    jets = claimed(toy_jets(200), "500 < pT < 700 GeV")
    pt = np.array(jets.jet_pt)
    pt[:2] = 400
    jets = replace(jets, jet_pt=pt)
    assert found(jets).remarks()[0].startswith("2 of 200 jets are outside of “500 < pT < 700 GeV”")
    assert found(jets).disproved == ()


def test_what_the_source_does_not_tell_is_not_asked() -> None:
    jets = claimed(toy_jets(20), "|eta| < 0.001", "pT > 10000 GeV")
    assert len(found(jets).remarks()) == 2
    assert len(found(replace(jets, meta=jets.meta.replace(unknown=("jet_eta",)))).remarks()) == 1
    assert found(replace(jets, meta=jets.meta.replace(unknown=("jet_pt", "jet_eta")))).remarks() == ()


def test_masses_beyond_the_radius_are_told() -> None:
    jets = claimed(toy_jets(20), "anti-kT R=0.8")
    wide = replace(jets, eta=jets.eta * 5, phi=jets.phi * 5)
    heavy = int((simple_observables(wide)[:, 0] > 0.8 * np.asarray(wide.jet_pt)).sum())
    assert heavy > 5
    assert found(wide).remarks() == (
        f"{heavy} of 20 jets have a mass above pT·R = 0.8 pT, which is more than jets of this radius can have: look for "
        "exchanged axes or columns, or for another unit",
    )


def test_the_same_few_constituents_in_every_jet_are_told() -> None:
    jets = toy_jets(20)
    places = np.concatenate([start + np.arange(16) for start in jets.offsets[:-1]])
    few = replace(jets, offsets=np.arange(21) * 16, eta=jets.eta[places], phi=jets.phi[places], values=jets.values[places])
    assert any("the same number of constituents, 16" in remark for remark in found(few).remarks())
    assert not any("the same number" in remark for remark in found(few[:1]).remarks())


@pytest.mark.parametrize(
    ("factor", "told"), [(1e3, "60 of 60 jets have a pT above 10 TeV"), (1e-3, "60 of 60 jets have a pT below 1 GeV")]
)
def test_another_unit_is_told_where_nothing_else_is_said(factor: float, told: str) -> None:
    jets = toy_jets(60)
    jets = replace(jets, jet_pt=jets.jet_pt * np.float32(factor), values=jets.values * np.float32(factor))
    assert told in " ".join(found(jets).remarks())
    assert "look for another unit, MeV for GeV" in " ".join(found(jets).remarks())


@pytest.mark.parametrize(("share", "told"), [(1.0, 0), (0.995, 0), (0.9, 40)])
def test_energies_below_momenta_are_told(share: float, told: int) -> None:
    """As of a pT that stands in the column of the energy; rounding is none."""
    jets = toy_jets(40, channels=(Channel(name="pt", unit="GeV", role="pt"), Channel(name="energy", unit="GeV", role="energy")))
    pt = jets.values.sum(axis=1)
    eta = jets.eta + jets.jet_eta[np.repeat(np.arange(40), np.diff(jets.offsets))]
    jets = replace(jets, values=np.column_stack([pt, share * pt * np.cosh(eta)]).astype(np.float32))
    said = [remark for remark in found(jets).remarks() if "energy is below their momentum" in remark]
    assert [int(remark.split()[0]) for remark in said] == ([told] if told else [])
