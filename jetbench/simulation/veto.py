"""The early veto: events that will not pass the cuts are dropped before the costly part of their generation."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

from jetbench.simulation.hadronic import Match, Process, Veto

if TYPE_CHECKING:
    import pythia8mc

__all__ = ["HARD_ROWS", "decay_partons", "early_veto"]

VETO_SCALE = 10.0  # GeV; of the first look
HARD_ROWS = (5, 6)  # of the event record of a 2 → 2 process: system, two beams, two incoming particles, two outgoing ones
NEUTRINOS = (12, 14, 16)
PATIENCE = 20_000  # events dropped in a row; with the defaults two to four are dropped for one that is kept
RESONANCE_SHOWER = 5  # where doVetoPT is called for the shower of a decayed resonance; Pythia manual, "User Hooks" (ii)


def early_veto(pythia: pythia8mc.Pythia, process: Process, radius: float, seed: int) -> Any:
    """Make the hooks that do what `process.veto` says; they must live as long as `pythia`. They drop no event any more once they
    are `hopeless`, having dropped too many in a row."""
    import pythia8mc

    veto, match = process.veto, process.match
    undecayed_max = math.inf if veto.undecayed_pt_max is None else veto.undecayed_pt_max
    rng = random.Random(seed)

    class EarlyVeto(pythia8mc.UserHooks):
        def __init__(self) -> None:
            super().__init__()
            self.jets = pythia8mc.SlowJet(-1, radius, veto.pt_min)
            self.dropped = 0  # in a row
            self.hopeless = False

        def drop(self, unwanted: bool) -> bool:
            """Count what is dropped: Pythia itself would go on for ever."""
            self.dropped += unwanted
            self.hopeless |= self.dropped > PATIENCE
            return unwanted and not self.hopeless

        def canVetoProcessLevel(self) -> bool:  # noqa: N802
            return veto.neutrino_decays is not None

        def doVetoProcessLevel(self, hard: Any) -> bool:  # noqa: N802
            return len(_rows_to_neutrinos(hard)) != veto.neutrino_decays

        def canVetoPT(self) -> bool:  # noqa: N802
            return True

        def scaleVetoPT(self) -> float:  # noqa: N802
            return VETO_SCALE

        def doVetoPT(self, position: int, event: Any) -> bool:  # noqa: N802
            if position == RESONANCE_SHOWER:
                return False
            jets = _candidates(self.jets, event, veto, undecayed_max, _invisible(pythia.process, event))
            return self.drop(not jets or rng.random() > veto.share(*jets[0][:2]))

        def canVetoPartonLevel(self) -> bool:  # noqa: N802
            return True

        def doVetoPartonLevel(self, event: Any) -> bool:  # noqa: N802
            jets = _candidates(self.jets, event, veto, veto.pt_max, set())
            unwanted = not jets or (
                match is not None and veto.distance is not None and not _matched(event, jets, match, veto.distance)
            )
            if not unwanted:
                self.dropped = 0
            return self.drop(unwanted)

    return EarlyVeto()


def _candidates(finder: Any, event: Any, veto: Veto, pt_max: float, invisible: set[int]) -> list[tuple[float, float, float]]:
    """Find pT, rapidity and phi of the jets that may yet pass the cuts, the hardest first; none has a row among `invisible`."""
    finder.analyze(event)
    seen = [i for i in range(finder.sizeJet()) if not invisible.intersection(finder.constituents(i))]
    found = [(finder.pT(i), finder.y(i), finder.phi(i)) for i in seen]
    if found and found[0][0] > pt_max:
        return []
    return [jet for jet in found if abs(jet[1]) < veto.y_max]


def _rows_to_neutrinos(hard: Any) -> list[int]:
    """Find the resonances that decay to neutrinos, by row; the hard process's own record knows it before the showers."""
    return [row for row in HARD_ROWS if hard[row].isResonance() and hard[hard[row].daughter1()].idAbs() in NEUTRINOS]


def _invisible(hard: Any, event: Any) -> set[int]:
    """Find the rows of `event`, before the decays, that will decay to neutrinos."""
    return {event[row].iBotCopyId() for row in _rows_to_neutrinos(hard)}


def _matched(event: Any, jets: list[tuple[float, float, float]], match: Match, distance: float) -> bool:
    """Say whether what the match asks for lies near the axis of one of the jets."""
    for row in HARD_ROWS:
        if event[row].idAbs() not in match.ids:
            continue
        particles = decay_partons(event, row) if match.what == "decay" else [event[row]]
        places = [(particle.eta(), particle.phi()) for particle in particles]
        for _, jet_y, jet_phi in jets:
            if all(math.hypot(eta - jet_y, math.remainder(phi - jet_phi, math.tau)) < distance for eta, phi in places):
                return True
    return False


def decay_partons(event: Any, row: int) -> list[Any]:
    """Follow the decay of the resonance at `row`, through a W where there is one, to quarks, gluons or neutrinos before they
    radiate."""
    last = event[event[row].iBotCopyId()]
    daughters = [event[i] for i in (last.daughter1(), last.daughter2())]
    return [q for d in daughters for q in (decay_partons(event, d.index()) if d.idAbs() == 24 else [d])]
