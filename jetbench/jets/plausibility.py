"""Whether jets can be what is said of them: cuts are claims, and exchanged axes or units make jets that cannot be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np

from jetbench.jets.container import Jets
from jetbench.jets.kinematics import jet_masses
from jetbench.jets.meta import Meta
from jetbench.jets.ragged import owners

__all__ = ["Plausibility"]

ROUNDING = 1e-3  # relative: what is outside a cut by less may be inside in another precision
TOLERATED = 0.01  # share of the jets: a claim that fewer break is kept, with a remark
LIGHT, HARD = 1.0, 1e4  # pT [GeV]: jets are not found below, and half a set is not above 10 TeV at any collider
SHORT = 1e-2  # relative: energies below momenta by more are no rounding, in half precision either
FEW = 20  # constituents: sets that are cut at a number of constituents keep more, and layouts have fewer features

Outside = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # of pT [GeV], eta and rapidity (n,) of jets


def _between(low: str, high: str) -> Outside:
    return lambda pt, eta, y: (pt < float(low) * (1 - ROUNDING)) | (pt > float(high) * (1 + ROUNDING))


NUMBER = r"(\d+(?:\.\d+)?)"
# sentences about cuts that can be checked; "about" is within a factor of two
CUTS: dict[str, Callable[..., Outside]] = {
    rf"{NUMBER} < pT < {NUMBER} GeV": _between,
    rf"pT > {NUMBER} GeV": lambda low: _between(low, "inf"),
    rf"pT of about {NUMBER} TeV": lambda value: _between(f"{500 * float(value)}", f"{2000 * float(value)}"),
    rf"\|eta\| < {NUMBER}": lambda most: lambda pt, eta, y: np.abs(eta) > float(most) * (1 + ROUNDING),
    rf"\|y\| < {NUMBER}": lambda most: lambda pt, eta, y: np.abs(y) > float(most) * (1 + ROUNDING),
}
RADIUS = re.compile(rf"anti-kT R ?= ?{NUMBER}")


class Plausibility:
    """Counts, block by block, the jets that contradict what their metadata say of them, or the nature of jets."""

    def __init__(self, meta: Meta) -> None:
        self.meta = meta
        self.radius = _radius(meta)
        self.claims = dict(_claims(meta))
        self.outside = Counter[str]()
        self.jets = self.heavy = self.soft = self.hard = self.spacelike = 0
        self.multiplicities = set[int]()

    def add(self, block: Jets) -> None:
        """Count jets in memory."""
        self.jets += len(block)
        self.multiplicities.update(np.unique(np.diff(block.offsets))[:2].tolist())  # two tell as much as all
        if not self.meta.in_gev or "jet_pt" in self.meta.unknown:
            return
        pt, eta = (np.asarray(column, np.float64) for column in (block.jet_pt, block.jet_eta))
        self.soft, self.hard = self.soft + int((pt < LIGHT).sum()), self.hard + int((pt > HARD).sum())
        self.spacelike += _spacelike(block)
        mass = jet_masses(block)
        rapidity = np.arcsinh(pt * np.sinh(eta) / np.maximum(np.hypot(pt, mass), np.finfo(np.float64).tiny))
        self.outside.update({cut: int(outside(pt, eta, rapidity).sum()) for cut, outside in self.claims.items()})
        if self.radius is not None:
            self.heavy += int((mass > pt * self.radius).sum())

    @property
    def disproved(self) -> tuple[str, ...]:
        """The cuts that more than a few of the jets are outside of."""
        return tuple(cut for cut in self.claims if self.outside[cut] > TOLERATED * self.jets)

    def remarks(self) -> tuple[str, ...]:
        """Say, a sentence each, what is implausible."""
        found = [
            f"{self.outside[cut]} of {self.jets} jets are outside of “{cut}”, which is said of them: other jets in this layout, "
            "or another unit"
            for cut in self.claims
            if self.outside[cut]
        ]
        for number, what in ((self.soft, f"below {LIGHT:g} GeV"), (self.hard, f"above {HARD / 1000:g} TeV")):
            if 2 * number > self.jets:
                found.append(f"{number} of {self.jets} jets have a pT {what}: look for another unit, MeV for GeV or GeV for MeV")
        if self.spacelike > TOLERATED * self.jets:
            found.append(
                f"{self.spacelike} of {self.jets} jets have constituents whose energy is below their momentum: look for "
                "exchanged columns"
            )
        if self.radius is not None and self.heavy > TOLERATED * self.jets:
            found.append(
                f"{self.heavy} of {self.jets} jets have a mass above pT·R = {self.radius:g} pT, which is more than jets of this "
                "radius can have: look for exchanged axes or columns, or for another unit"
            )
        if (
            self.meta.grid is None
            and self.jets > 1
            and len(self.multiplicities) == 1
            and (number := max(self.multiplicities)) <= FEW
        ):
            found.append(
                f"every jet has the same number of constituents, {number}: look for exchanged axes, features before constituents"
            )
        return tuple(found)


def _spacelike(jets: Jets) -> int:
    """How many jets have a constituent with less energy than momentum, where both are known."""
    names = [channel.name for channel in jets.meta.channels]
    if jets.meta.grid is not None or not {"pt", "energy"} <= set(names) or "jet_eta" in jets.meta.unknown:
        return 0
    jet = owners(jets.offsets)
    pt, energy = (np.asarray(jets.values[:, names.index(name)], np.float64) for name in ("pt", "energy"))
    momentum = pt * np.cosh(np.asarray(jets.eta, np.float64) + np.asarray(jets.jet_eta, np.float64)[jet])
    return len(np.unique(jet[energy < momentum * (1 - SHORT)]))


def _claims(meta: Meta) -> list[tuple[str, Outside]]:
    """The cuts that can be checked, with their checks."""
    known = [cut for cut in meta.provenance.cuts if "jet_eta" not in meta.unknown or "|" not in cut]
    return [
        (cut, make(*match.groups())) for cut in known for pattern, make in CUTS.items() if (match := re.fullmatch(pattern, cut))
    ]


def _radius(meta: Meta) -> float | None:
    """The radius that a cut names, else the extent of constituents."""
    named = [float(match[1]) for cut in meta.provenance.cuts if (match := RADIUS.fullmatch(cut))]
    return named[0] if named else meta.extent if meta.grid is None else None
