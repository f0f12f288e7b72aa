"""Events from Pythia 8 as flat numpy columns."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jetbench.errors import SimulationError
from jetbench.simulation.recipe import QCD, RADIUS, TOP, TopVsQcd

if TYPE_CHECKING:
    import pythia8mc

__all__ = ["MAX_SEED", "Events", "generator_version", "start", "take_events"]

MAX_SEED = 900_000_000  # Pythia manual, "Random-Number Seed"

# "gluons and light quarks": the hard-process b and c pairs of HardQCD:all are left out
PROCESSES = {
    QCD: (
        "HardQCD:gg2gg = on",
        "HardQCD:gg2qqbar = on",
        "HardQCD:qg2qg = on",
        "HardQCD:qq2qq = on",
        "HardQCD:qqbar2gg = on",
        "HardQCD:qqbar2qqbarNew = on",
    ),
    # both W decay to quarks: with one leptonic top the leading jet would be a biased choice of the hadronic one
    TOP: ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 1 2 3 4 5"),
}

# Events are dropped early, at two points: after the shower down to VETO_SCALE, which costs a tenth of the whole shower, and
# among all partons before they hadronise. They go on where the hardest anti-kT R=0.8 jet lies below VETO_MAX * pt_max and where
# one above VETO_MIN * pt_min (closer for contained tops, whose jets keep their pT better) has |y| < eta_max + VETO_MARGIN;
# at the second point this jet must also have the three decay partons of a contained top within VETO_DISTANCE.
# Measured on jets of a loose veto, 3023 QCD and 3007 top: 0.66(15) % and 0.6(1) % of the jets that pass all cuts are lost, those
# that the detector measures far too high or low; no mean of pT, mass or multiplicity moves by more than 0.02 deviations.
VETO_SCALE = 10.0  # GeV
VETO_MIN, VETO_MIN_CONTAINED = 0.88, 0.91
VETO_MAX = 1.20
VETO_MARGIN = 0.15
VETO_DISTANCE = 0.88
TOP_ROWS = (5, 6)  # of the event record: system, two beams, two incoming partons, two tops

# QCD events are kept at the first point with probability (pT / pt_max)^power * exp(-slope * y^2) of their jet, which gives the
# accepted jets the tops' pT and |eta|: the natural spectra differ (AUC of pT 0.524(7), of |eta| 0.457(7) on
# 18 200 jets, to which the constants were fitted).
MATCH_PT_POWER = 1.3
MATCH_Y_SLOPE = 0.19

OUTGOING = 23  # status code, without its sign, of what comes out of a hard process or a resonance's decay
RESONANCE_SHOWER = 5  # where doVetoPT is called for the shower of a decayed resonance; Pythia manual, "User Hooks" (ii)


@dataclass(frozen=True)
class Events:
    """Particles of n events, flat: event i owns offsets[i]:offsets[i+1].

    id, status, mother (particles,) int; px, py, pz, energy (particles,) float64 [GeV]; pt_hat (n,) float64 [GeV].
    """

    offsets: np.ndarray
    id: np.ndarray
    status: np.ndarray
    mother: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray
    energy: np.ndarray
    pt_hat: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1


def generator_version() -> str:
    """The installed Pythia's version, such as "8.317"."""
    from importlib.metadata import version

    return version("pythia8mc")


@dataclass(frozen=True)
class Generator:
    """An initialised Pythia with its early veto."""

    pythia: pythia8mc.Pythia
    hooks: Any  # kept here since Pythia holds the C++ part alone, and without the Python part every override is lost


def start(recipe: TopVsQcd, label: int, seed: int) -> Generator:
    """A generator of one class; raises `SimulationError` where Pythia declines.

    It drops events before hadronisation whose parton-level jets will not pass the cuts, and thins those of the QCD class so
    that neither the pT nor the |eta| of the jets tells the classes apart; no event has a weight.
    """
    import pythia8mc

    settings = (
        "Print:quiet = on",
        "Beams:eCM = 14000.",
        f"PartonLevel:MPI = {'on' if recipe.mpi else 'off'}",
        f"PhaseSpace:pTHatMin = {recipe.pt_hat_min}",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
        *PROCESSES[label],
    )
    pythia = pythia8mc.Pythia("", False)
    for setting in settings:
        if not pythia.readString(setting):
            raise SimulationError(f"Pythia {generator_version()} does not know the setting {setting!r}; install pythia8mc>=8.317")
    hooks = _early_veto(recipe, label, seed)
    pythia.setUserHooksPtr(hooks)
    if not pythia.init():
        raise SimulationError(f"Pythia {generator_version()} does not start with seed {seed}; run it again with its output on")
    return Generator(pythia, hooks)


def _early_veto(recipe: TopVsQcd, label: int, seed: int) -> Any:
    import pythia8mc

    contained = label == TOP and recipe.contained
    pt_min = (VETO_MIN_CONTAINED if contained else VETO_MIN) * recipe.pt_min
    pt_max = VETO_MAX * recipe.pt_max
    undecayed_max = math.inf if label == TOP and not contained else pt_max  # a top may yet lose any part of its pT

    rng = random.Random(seed)

    class EarlyVeto(pythia8mc.UserHooks):
        def __init__(self) -> None:
            super().__init__()
            self.jets = pythia8mc.SlowJet(-1, RADIUS, pt_min)

        def canVetoPT(self) -> bool:  # noqa: N802
            return True

        def scaleVetoPT(self) -> float:  # noqa: N802
            return VETO_SCALE

        def doVetoPT(self, position: int, event: Any) -> bool:  # noqa: N802
            if position == RESONANCE_SHOWER:
                return False
            jets = self.candidates(event, undecayed_max)
            return not jets or (label == QCD and rng.random() > self.share(*jets[0]))

        def canVetoPartonLevel(self) -> bool:  # noqa: N802
            return True

        def doVetoPartonLevel(self, event: Any) -> bool:  # noqa: N802
            jets = self.candidates(event, pt_max)
            return not jets or (contained and not _holds_a_top(event, jets))

        def candidates(self, event: Any, pt_max: float) -> list[tuple[float, float, float]]:
            """pT, rapidity and phi of the jets that may come to pass the cuts, the hardest first."""
            self.jets.analyze(event)
            found = [(self.jets.pT(i), self.jets.y(i), self.jets.phi(i)) for i in range(self.jets.sizeJet())]
            if found and found[0][0] > pt_max:
                return []
            return [jet for jet in found if abs(jet[1]) < recipe.eta_max + VETO_MARGIN]

        def share(self, pt: float, y: float, phi: float) -> float:
            """Probability to keep a QCD event with this jet."""
            return min(pt / recipe.pt_max, 1.0) ** MATCH_PT_POWER * math.exp(-MATCH_Y_SLOPE * y**2)

    return EarlyVeto()


def _holds_a_top(event: Any, jets: list[tuple[float, float, float]]) -> bool:
    """Whether the three decay partons of one top lie near the axis of one of the jets."""
    for top in TOP_ROWS:
        partons = [(parton.eta(), parton.phi()) for parton in _decay_partons(event, top)]
        for _, jet_y, jet_phi in jets:
            if all(math.hypot(eta - jet_y, math.remainder(phi - jet_phi, math.tau)) < VETO_DISTANCE for eta, phi in partons):
                return True
    return False


def _decay_partons(event: Any, row: int) -> list[Any]:
    """The quarks from the decay of the top at `row` of a pp → tt̄ event, before they radiate."""
    last = event[event[row].iBotCopyId()]
    daughters = [event[i] for i in (last.daughter1(), last.daughter2())]
    if last.idAbs() == 6:
        return [q for d in daughters for q in (_decay_partons(event, d.index()) if d.idAbs() == 24 else [d])]
    return daughters


def take_events(generator: Generator, count: int) -> Events:
    """The next `count` events that the early veto lets through."""
    import awkward as ak

    run = generator.pythia.nextBatch(count)
    if len(run) == 0:
        raise SimulationError("Pythia gave no events; the pT window may be out of its reach")
    particles = run.prt

    def flat(column: Any) -> np.ndarray:
        return ak.to_numpy(ak.flatten(column, axis=1))

    counts = ak.to_numpy(ak.num(particles.id))
    return Events(
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        id=flat(particles.id),
        status=flat(particles.status),
        mother=flat(particles.mother1),
        px=flat(particles.p.px),
        py=flat(particles.p.py),
        pz=flat(particles.p.pz),
        energy=flat(particles.p.e),
        pt_hat=np.sqrt(ak.to_numpy(run.info.pT2Hat)),
    )
