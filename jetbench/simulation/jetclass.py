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
    """One class: Pythia's settings, the resonance that its jets hold, the number of Z that must decay to neutrinos where Pythia
    cannot be told, the lower edge of pT-hat [GeV] for the default window, and the thinning of the pT and y spectra."""

    settings: tuple[str, ...]
    resonance: int | None
    pt_hat_min: float
    pt_power: float = 0.0
    y_slope: float = 0.0
    neutrino_decays: int | None = None


HIGGS = ("HiggsSM:ffbar2HZ = on", *INVISIBLE_Z, "25:onMode = off", "25:isVisible = on")
HADRONIC_W = ("24:onMode = off", "24:onIfAny = 1 2 3 4 5")
KINDS = {
    "qcd": Kind(
        settings=("WeakBosonAndParton:qqbar2gmZg = on", "WeakBosonAndParton:qg2gmZq = on", *INVISIBLE_Z),
        resonance=None,
        pt_hat_min=360.0,
    ),
    "hbb": Kind(settings=(*HIGGS, "25:onIfMatch = 5 -5"), resonance=25, pt_hat_min=340.0),
    "hgg": Kind(settings=(*HIGGS, "25:onIfMatch = 21 21"), resonance=25, pt_hat_min=340.0),
    "wqq": Kind(settings=("WeakDoubleBoson:ffbar2ZW = on", *INVISIBLE_Z, *HADRONIC_W), resonance=24, pt_hat_min=340.0),
    "zqq": Kind(
        settings=("WeakDoubleBoson:ffbar2gmZgmZ = on", *INVISIBLE_Z, "23:onIfAny = 1 2 3 4 5", "23:isVisible = on"),
        resonance=23,
        pt_hat_min=340.0,
        neutrino_decays=1,
    ),
    "tbqq": Kind(settings=TOP_SETTINGS, resonance=6, pt_hat_min=320.0),
}

VETO_MIN, VETO_MAX = 0.88, 1.20
VETO_MARGIN = 0.15
VETO_DISTANCE = 0.88


class JetClassMini(HadronicRecipe):
    class_names: ClassVar[tuple[str, ...]] = ("qcd", "hbb", "hgg", "wqq", "zqq", "tbqq")
    beam_energy: ClassVar[float] = 13000.0
    radius: ClassVar[float] = 0.8

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
