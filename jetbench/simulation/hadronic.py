"""What all recipes of hadronic jets share: their options and their processes."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from jetbench.errors import SimulationError
from jetbench.simulation.recipe import SimulationRecipe
from jetbench.values import Value

__all__ = ["HadronicRecipe", "Match", "Process", "Veto"]


class Match(Value):
    """What an accepted jet must hold: a particle of the hard process whose |id| is among `ids`, within `radius` of its axis.

    `what` says what of it must lie there: "parton" the particle itself as it leaves the hard process, "resonance" the particle
    as it decays, "decay" all quarks and gluons that it decays to (through a W where there is one), before they radiate.
    """

    ids: tuple[int, ...]
    what: Literal["parton", "resonance", "decay"]
    radius: float


class Veto(Value):
    """When to drop an event early, at two points: after the shower down to 10 GeV, which costs a tenth of the whole shower, and
    among all partons before they hadronise.

    An event goes on where its hardest anti-kT jet of the recipe's radius lies below `pt_max` [GeV] and one above `pt_min` [GeV]
    has |y| < `y_max`. `undecayed_pt_max` replaces `pt_max` at the first point, where resonances have not decayed. At the second
    point one of these jets must have what `Process.match` asks for within `distance`, unless that is None. An event is kept at
    the first point with probability min(pT / `flat_pt`, 1)^`pt_power` * exp(-`y_slope` * y²) of its jet. Where `neutrino_decays`
    is given, so many of the hard process's resonances must decay to neutrinos.
    """

    pt_min: float
    pt_max: float
    y_max: float
    undecayed_pt_max: float | None
    distance: float | None = None
    flat_pt: float = 1.0
    pt_power: float = 0.0
    y_slope: float = 0.0
    neutrino_decays: int | None = None

    def share(self, pt: float, y: float) -> float:
        """Compute the probability to keep an event whose jet has this pT [GeV] and rapidity."""
        return min(pt / self.flat_pt, 1.0) ** self.pt_power * math.exp(-self.y_slope * y**2)


class Process(Value):
    """How the events of one class are made: Pythia's settings, the lower edge of pT-hat [GeV] (no upper edge), what an accepted
    jet must hold, and when an event is dropped early."""

    settings: tuple[str, ...]
    pt_hat_min: float
    match: Match | None
    veto: Veto


class HadronicRecipe(SimulationRecipe):
    """Jets by Pythia 8, a fast detector and FastJet: the leading anti-kT jet of each event, cut on and matched.

    `mpi` switches multi-parton interactions on. `detector` is a name of `jetbench.simulation.detector.DETECTORS`, or "none".
    `pt_min`, `pt_max` [GeV] cut on the detector jet, or without a detector on the particle-level jet, whose constituents are then
    the stable particles themselves.

    `shower_scale` multiplies the renormalisation scale of the initial- and final-state showers (0.5 and 2 are the usual
    variations); SpaceShower:renormMultFac and TimeShower:renormMultFac multiply pT² (Pythia manual), and are its square.
    `energy_scale` multiplies the pT of every object that the detector finds, before clustering: a calibration that is off by,
    say, 2 % (0.98, 1.02). The cuts act on the scaled jets, `gen_pt`, `gen_mass` and `gen_sdmass` know nothing of it.
    """

    beam_energy: ClassVar[float]  # centre of mass [GeV]
    radius: ClassVar[float]
    seed_fields: ClassVar[tuple[str, ...]] = (
        *SimulationRecipe.seed_fields,
        *("mpi", "detector", "pt_min", "pt_max", "shower_scale", "energy_scale"),
    )

    mpi: bool = False
    detector: Literal["atlas", "cms", "none"] = "cms"
    pt_min: float
    pt_max: float
    shower_scale: float = Field(default=1.0, ge=0.5, le=2.0)
    energy_scale: float = Field(default=1.0, ge=0.9, le=1.1)

    def seed_value(self, name: str) -> Any:
        """Return the value of a field; the detector could once be switched on, as after CMS, or off, and keeps these words."""
        value = super().seed_value(name)
        return {"cms": True, "none": False}.get(value, value) if name == "detector" else value

    @abstractmethod
    def process(self, label: int) -> Process:
        """Tell how the events of class `label` are made."""

    @abstractmethod
    def central(self, eta: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Decide which jets (n,) of pseudorapidity `eta` and rapidity `y` are accepted."""

    @property
    def true_window(self) -> tuple[float, float]:
        """The pT window [GeV] before the energy scale."""
        return self.pt_min / self.energy_scale, self.pt_max / self.energy_scale

    @property
    def rate(self) -> float:
        """Measured on a busy core: 39 to 44 without multi-parton interactions, 9 to 15 with them, for the default windows."""
        return 12.0 if self.mpi else 42.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not 50 <= self.pt_min < self.pt_max:
            raise SimulationError(f"the pT window {self.pt_min}–{self.pt_max} GeV is empty or starts below 50 GeV; widen it")
        if self.true_window[1] > self.beam_energy / 2:
            raise SimulationError(
                f"pt_max is {self.pt_max} GeV, and no jet has more than half of the {self.beam_energy:g} GeV; lower it"
            )
        if self.energy_scale != 1.0 and self.detector == "none":
            raise SimulationError("energy_scale belongs to the detector, and there is none; leave it at 1 or choose a detector")
        return self
