"""Six kinds of large jets, after JetClass."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from jetbench.simulation.hadronic import HadronicRecipe, Match, Process, Veto
from jetbench.simulation.quark_vs_gluon import INVISIBLE_Z
from jetbench.simulation.top_vs_qcd import TOP_SETTINGS
from jetbench.values import Value

__all__ = ["JetClassMini"]


class Kind(Value):
    """One class: Pythia's settings, the resonance that its jets hold, and the lower edge of pT-hat [GeV] for the default window.

    `pt_power` and `y_slope` thin the spectra of pT and y. `neutrino_decays` is the number of Z that must decay to neutrinos,
    where no setting of Pythia says so.
    """

    settings: tuple[str, ...]
    resonance: int | None
    pt_hat_min: float
    pt_power: float = 0.0
    y_slope: float = 0.0
    neutrino_decays: int | None = None


# Pythia hides Z and Higgs bosons from its own jet finder, which the early veto asks before they decay
HIGGS = ("HiggsSM:ffbar2HZ = on", *INVISIBLE_Z, "25:onMode = off", "25:isVisible = on")
HADRONIC_W = ("24:onMode = off", "24:onIfAny = 1 2 3 4 5")
# The natural spectra are nearly alike: dn/dpT ~ pT^-n with n = 5.0 to 5.5(4) but 5.8(2) for QCD, and dn/dy ~ exp(-b y²) with
# b = 0.50 to 0.58(4) but 0.31(3) for W and 0.43(4) for Z, on 880 to 970 jets of a class (tbqq: 212). Those three are thinned.
KINDS = {
    "qcd": Kind(
        settings=("WeakBosonAndParton:qqbar2gmZg = on", "WeakBosonAndParton:qg2gmZq = on", *INVISIBLE_Z),
        resonance=None,
        pt_hat_min=360.0,
        pt_power=0.6,
    ),
    "hbb": Kind(settings=(*HIGGS, "25:onIfMatch = 5 -5"), resonance=25, pt_hat_min=340.0),
    "hgg": Kind(settings=(*HIGGS, "25:onIfMatch = 21 21"), resonance=25, pt_hat_min=340.0),
    "wqq": Kind(
        settings=("WeakDoubleBoson:ffbar2ZW = on", *INVISIBLE_Z, *HADRONIC_W), resonance=24, pt_hat_min=340.0, y_slope=0.22
    ),
    "zqq": Kind(
        settings=("WeakDoubleBoson:ffbar2gmZgmZ = on", *INVISIBLE_Z, "23:onIfAny = 1 2 3 4 5", "23:isVisible = on"),
        resonance=23,
        pt_hat_min=340.0,
        y_slope=0.1,
        neutrino_decays=1,
    ),
    "tbqq": Kind(settings=TOP_SETTINGS, resonance=6, pt_hat_min=320.0),
}

# Measured on jets of a loose veto, 160 to 236 of a class: 0 to 0.5 % of the jets that pass all cuts are lost.
VETO_MIN, VETO_MAX = 0.88, 1.20
VETO_MARGIN = 0.15
VETO_DISTANCE = 0.88


class JetClassMini(HadronicRecipe):
    """Six of the ten kinds of jets of JetClass (Qu, Li, Qian, ICML 2022, arXiv:2202.03772), in equal shares, labels 0 to 5:
    quarks and gluons in Z + jet events, H → bb and H → gg in ZH, W → qq in WZ, Z → qq in ZZ, always with (another) Z → νν, and
    t → bqq in top pairs with hadronic W.

    As there: 13 TeV, anti-kT R=0.8, 500 < pT < 1000 GeV and |eta| < 2 at detector level, and all decay partons within ΔR < 0.8
    of the jet axis (github.com/jet-universe/jetclass_generation, makeNtuples.C, "FatJetMatching"). Other than there: Pythia 8
    instead of MadGraph makes the hard process, the fast detector of this package takes Delphes' place and has no impact
    parameters, only the leading jet of an event counts, and multi-parton interactions, which Pythia has on by default, are off
    unless `mpi` is set, as in top-vs-qcd.

    JetClass leaves the spectra of pT and eta as the processes make them. Here QCD, W and Z events are thinned towards the
    others'; no event has a weight. `eta_max` cuts on |eta| of the jet. The other options are those of `HadronicRecipe`.

    Measured on 317 to 738 jets of a class: the AUC of pT between any two classes lies in 0.48–0.52, that of |eta| in 0.46–0.54
    (errors 0.02); medians of `gen_sdmass` 121 (hbb), 123 (hgg), 80 (wqq), 90 (zqq) and 173 GeV (tbqq); at most 0.6 % of the jets
    lie within 1 % of their class's lower edge of pT-hat.
    """

    class_names: ClassVar[tuple[str, ...]] = ("qcd", "hbb", "hgg", "wqq", "zqq", "tbqq")
    beam_energy: ClassVar[float] = 13000.0
    radius: ClassVar[float] = 0.8
    seed_fields: ClassVar[tuple[str, ...]] = (*HadronicRecipe.seed_fields, "eta_max")

    name: Literal["jetclass-mini"] = "jetclass-mini"
    pt_min: float = 500.0
    pt_max: float = 1000.0
    eta_max: float = Field(default=2.0, gt=0, le=2.5)

    def central(self, eta: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.abs(eta) < self.eta_max

    def process(self, label: int) -> Process:
        kind = KINDS[self.class_names[label]]
        pt_min, pt_max = self.true_window
        return Process(
            settings=kind.settings,
            pt_hat_min=pt_min * kind.pt_hat_min / 500.0,
            match=None if kind.resonance is None else Match(ids=(kind.resonance,), what="decay", radius=self.radius),
            veto=Veto(
                pt_min=VETO_MIN * pt_min,
                pt_max=VETO_MAX * pt_max,
                y_max=self.eta_max + VETO_MARGIN,
                undecayed_pt_max=VETO_MAX * pt_max,
                distance=None if kind.resonance is None else VETO_DISTANCE,
                flat_pt=pt_max,
                pt_power=kind.pt_power,
                y_slope=kind.y_slope,
                neutrino_decays=kind.neutrino_decays,
            ),
        )
